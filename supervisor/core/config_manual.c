/* The key table as documents: the key list of baton.ini(5), as mdoc(7), and the list of options. Needs
 * nothing but the key table: the program that prints it while baton is built runs on the build machine. */
#include <string.h>

#include "supervisor/core/config.h"
#include "supervisor/core/config_keys.h"

/* One word of running text: nothing in it is taken for a macro or an escape. */
static void print_word(const char *word, size_t length, FILE *to)
{
    static const struct {
        char plain;
        const char *roff;
    } special[] = { { '\\', "\\e" }, { '-', "\\-" }, { '~', "\\(ti" }, { '\'', "\\(aq" }, { '?', "?\\&" } };

    for (size_t i = 0; i < length; i++) {
        const char *roff = NULL;
        for (size_t j = 0; j < sizeof special / sizeof *special; j++) {
            if (word[i] == special[j].plain)
                roff = special[j].roff;
        }
        if (roff)
            fputs(roff, to);
        else
            fputc(word[i], to);
    }
}

/* Running text: short lines, and each sentence begins one. */
static void print_text(const char *text, FILE *to)
{
    enum { COLUMNS = 68 };
    size_t column = 0;

    while (*text) {
        size_t length = strcspn(text, " ");
        bool sentence_ends = length > 1 && text[length - 1] == '.' && text[length - 2] != '.';

        if (column == 0 && *text == '.')
            fputs("\\&", to);
        print_word(text, length, to);
        column += length + 1;
        text += length + (text[length] == ' ');
        bool line_ends = !*text || sentence_ends || column + strcspn(text, " ") > COLUMNS;
        fputc(line_ends ? '\n' : ' ', to);
        if (line_ends)
            column = 0;
    }
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
        fprintf(to, ".Ss [%s%s]\\&\n.Bl -tag -width Ds\n", config_section_names[section],
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
