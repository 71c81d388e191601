/* A configuration as text: canonical for comparing and recording, explained for people. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_build.h"
#include "supervisor/core/config_rules.h"

static const char *name_of(const void *base, enum config_section section)
{
    return section == SECTION_LISTENER ? ((const struct config_listener *)base)->name
                                       : ((const struct config_service *)base)->name;
}

/* Whether this key has a meaning in this section: an IPv4 listener has no v6only. */
static bool has_meaning(const struct config_key *key, const void *base)
{
    return key->section != SECTION_LISTENER || !config_rules_wrong_family(key, base);
}

static void print_header(const void *base, enum config_section section, FILE *to)
{
    if (section == SECTION_BATON)
        fputs("[baton]\n", to);
    else
        fprintf(to, "[%s %s]\n", config_section_names[section], name_of(base, section));
}

static void print_section(const void *base, enum config_section section, FILE *to)
{
    print_header(base, section, to);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const void *field = (const char *)base + key->offset;

        if (key->section != section || key->flags & KEY_NOT_TEXT || config_value_is_unset(key, field) ||
            !has_meaning(key, base))
            continue;
        fprintf(to, "%s = ", key->name);
        config_value_print(key, field, to);
        fputc('\n', to);
    }
}

/* The canonical text of one section, or of everything (SECTION_COUNT). */
static char *text_of(const void *base, enum config_section section)
{
    const struct config *config = base;
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    if (!to)
        return NULL;
    if (section != SECTION_COUNT) {
        print_section(base, section, to);
    } else {
        print_section(config, SECTION_BATON, to);
        for (size_t i = 0; i < config->listener_count; i++)
            print_section(&config->listeners[i], SECTION_LISTENER, to);
        for (size_t i = 0; i < config->service_count; i++)
            print_section(&config->services[i], SECTION_SERVICE, to);
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *config_text(const struct config *config)
{
    return text_of(config, SECTION_COUNT);
}

char *config_listener_text(const struct config_listener *listener)
{
    return text_of(listener, SECTION_LISTENER);
}

char *config_service_text(const struct config_service *service)
{
    return text_of(service, SECTION_SERVICE);
}

/* `text` as comment lines. */
static void print_comment(const char *text, FILE *to)
{
    enum { COLUMNS = 78 };

    while (*text) {
        size_t length = strlen(text);

        if (length > COLUMNS) {
            length = COLUMNS;
            while (text[length] != ' ')
                length--;
        }
        fprintf(to, "; %.*s\n", (int)length, text);
        text += length + (text[length] == ' ');
    }
}

static void explain_key(const struct config_key *key, const void *base, const struct config_where *where,
                        FILE *to)
{
    const void *field = (const char *)base + key->offset;
    int line = where->key_lines[config_keys_index(key)];

    fputc('\n', to);
    print_comment(key->help, to);
    fputs("; Allowed: ", to);
    config_keys_print_allowed(key, to);
    if (key->fallback)
        fprintf(to, ". Default: %s", key->fallback);
    if (config_value_is_unset(key, field) || key->flags & KEY_NOT_TEXT) {
        fprintf(to, ".\n;%s =\n", key->name);
        return;
    }
    fprintf(to, ".\n%s = ", key->name);
    config_value_print(key, field, to);
    if (line > 0)
        fprintf(to, "    ; %s:%d\n", where->file, line);
    else
        fprintf(to, "    ; %s\n", line ? where->file : "default");
}

static void explain_section(const void *base, enum config_section section, const struct config_where *where,
                            FILE *to)
{
    print_header(base, section, to);
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].section == section && has_meaning(&config_keys[i], base))
            explain_key(&config_keys[i], base, where, to);
    }
}

void config_explain(const struct config *config, FILE *to)
{
    explain_section(config, SECTION_BATON, &config->where, to);
    for (size_t i = 0; i < config->listener_count; i++) {
        fputc('\n', to);
        explain_section(&config->listeners[i], SECTION_LISTENER, &config->listeners[i].where, to);
    }
    for (size_t i = 0; i < config->service_count; i++) {
        fputc('\n', to);
        explain_section(&config->services[i], SECTION_SERVICE, &config->services[i].where, to);
    }
}
