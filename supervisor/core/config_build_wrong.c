/* How a configuration under construction tells what is wrong with it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_build.h"
#include "supervisor/core/escape.h"

static size_t file_index(const struct config *config, const char *file)
{
    size_t i = 0;

    while (i < config->file_count && config->files[i] != file)
        i++;
    return i;
}

/* One line, whatever a path or pattern in it contains. malloc'd; NULL: out of memory. */
static char *printable(const char *text)
{
    size_t bytes = 4 * strlen(text) + 4; /* each byte as \xHH */
    char *line = malloc(bytes);

    if (line)
        escape_text(text, "", line, bytes);
    return line;
}

/* "FILE:LINE: PREFIX…what" */
static int add_error(struct config_build *build, const char *file, int line, const char *prefix,
                     const char *format, va_list arguments)
{
    char *what, *text, *told, place[16] = "";

    if (line > 0)
        snprintf(place, sizeof place, ":%d", line);
    if (vasprintf(&what, format, arguments) < 0)
        return -ENOMEM;
    int bytes = asprintf(&text, "%s%s: %s%s", file, place, prefix, what);
    free(what);
    if (bytes < 0)
        return -ENOMEM;
    told = printable(text);
    free(text);
    return told ? config_error_list_add(&build->errors, file_index(build->config, file), line, told)
                : -ENOMEM;
}

int config_build_wrong(struct config_build *build, const char *file, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int result = add_error(build, file, line, "", format, arguments);
    va_end(arguments);
    return result;
}

/* "ready_timeout: ", or "--ready-timeout: ". */
static void key_prefix(const struct config_build *build, const struct config_key *key, char prefix[64])
{
    bool listen = key->kind == KIND_ADDRESS || key->kind == KIND_NAMES;
    bool option = build->source == CONFIG_FROM_OPTIONS && (listen || !(key->flags & KEY_NO_OPTION));

    snprintf(prefix, 64, "%s%s: ", option ? "--" : "", option && listen ? "listen" : key->name);
    for (char *p = prefix; option && *p; p++) {
        if (*p == '_')
            *p = '-';
    }
}

int config_build_wrong_key(struct config_build *build, const struct config_where *where,
                           const struct config_key *key, const char *format, ...)
{
    int line = where->key_lines[config_keys_index(key)];
    va_list arguments;
    char prefix[64];

    key_prefix(build, key, prefix);
    va_start(arguments, format);
    int result = add_error(build, where->file, line ? line : where->line, prefix, format, arguments);
    va_end(arguments);
    return result;
}

int config_build_refused(struct config_build *build, const struct config_where *where,
                         const struct config_key *key, const char *value, const char *reason)
{
    char quoted[128], *allowed = NULL;
    size_t bytes;
    int result = -ENOMEM;

    escape_text(value, "", quoted, sizeof quoted);
    if (key->kind == KIND_ADDRESS) /* its reasons say what is allowed */
        return config_build_wrong_key(build, where, key, "\"%s\": %s", quoted, reason);
    FILE *to = open_memstream(&allowed, &bytes);
    if (!to)
        return -ENOMEM;
    config_keys_print_allowed(key, to);
    if (fclose(to) == 0)
        result =
            config_build_wrong_key(build, where, key, "\"%s\": %s; allowed: %s", quoted, reason, allowed);
    free(allowed);
    return result;
}
