/* The key table as documents: the key list of baton.ini(5), as mdoc(7), and the list of options. Needs
 * nothing but the key table: the program that prints it while baton is built runs on the build machine. */
#include "supervisor/core/config.h"
#include "supervisor/core/config_keys.h"

/* `text` as running text: one sentence per line, nothing in it taken for a macro or an escape. */
static void print_text(const char *text, FILE *to)
{
    bool line_start = true;

    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            fputs("\\&", to);
        line_start = false;
        if (*p == '\\')
            fputs("\\e", to);
        else if (*p == '~')
            fputs("\\(ti", to);
        else if (*p == '-')
            fputs("\\-", to);
        else if (*p == ' ' && p > text && p[-1] == '.' && (p - text < 2 || p[-2] != '.'))
            line_start = fputc('\n', to) == '\n';
        else
            fputc(*p, to);
    }
    fputc('\n', to);
}

static void print_allowed(const struct config_key *key, FILE *to)
{
    char text[256];
    FILE *memory = fmemopen(text, sizeof text, "w");

    if (!memory)
        return;
    config_keys_print_allowed(key, memory);
    if (key->fallback)
        fprintf(memory, "; default: %s", key->fallback);
    if (key->flags & KEY_REQUIRED)
        fputs("; required", memory);
    if (key->flags & KEY_REPEATS)
        fputs("; may be said several times", memory);
    fclose(memory);
    fputs("Allowed: ", to);
    print_text(text, to);
}

void config_print_manual(FILE *to)
{
    for (size_t section = 0; section < SECTION_COUNT; section++) {
        fprintf(to, ".Ss [%s%s]\n.Bl -tag -width Ds\n", config_section_names[section],
                section == SECTION_BATON ? "" : " NAME");
        for (size_t i = 0; i < config_key_count; i++) {
            const struct config_key *key = &config_keys[i];

            if (key->section != section)
                continue;
            fprintf(to, ".It Cm %s\n", key->name);
            print_text(key->help, to);
            if (key->flags & KEY_UNIX)
                fputs("Only for unix: addresses.\n", to);
            if (key->flags & KEY_IPV6)
                fputs("Only for IPv6 addresses.\n", to);
            if (key->flags & KEY_STREAM)
                fputs("Not for udp: addresses.\n", to);
            fputs(".br\n", to);
            print_allowed(key, to);
        }
        fputs(".El\n", to);
    }
}

void config_print_options(FILE *to)
{
    fputs("  --listen [NAME=]ADDRESS  listen there; may be given several times\n", to);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];

        if (key->flags & KEY_NO_OPTION)
            continue;
        fputs("  --", to);
        for (const char *p = key->name; *p; p++)
            fputc(*p == '_' ? '-' : *p, to);
        fputs("  ", to);
        config_keys_print_allowed(key, to);
        if (key->fallback)
            fprintf(to, " [%s]", key->fallback);
        fputc('\n', to);
    }
}
