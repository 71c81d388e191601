#include "supervisor/core/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_build.h"
#include "supervisor/core/config_ini.h"
#include "supervisor/core/config_value.h"
#include "supervisor/core/config_words.h"
#include "supervisor/core/spelling.h"

/* --- the lines of one file --- */

static int tell_unknown_section(struct config_build *build, int line, const char *header, const char *kind)
{
    struct spelling spelling = { 0 };

    for (size_t i = 0; i < SECTION_COUNT; i++)
        spelling_offer(&spelling, kind, config_section_names[i]);
    build->incomplete = true;
    if (spelling.best)
        return config_build_wrong(build, build->file, line, "[%s]: unknown section; did you mean %s?", header,
                                  spelling.best);
    return config_build_wrong(build, build->file, line,
                              "[%s]: unknown section; allowed: [baton], [listener NAME] and [service NAME]",
                              header);
}

static int on_section(void *arg, int line, const char *header)
{
    struct config_build *build = arg;
    char kind[16];

    build->section = SECTION_COUNT;
    build->outside = false;
    if (!header)
        return 0;
    size_t length = strcspn(header, " \t");
    snprintf(kind, sizeof kind, "%.*s", (int)length, header);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        const char *name = header + length + strspn(header + length, " \t");
        if (strlen(config_section_names[i]) != length ||
            strncmp(config_section_names[i], header, length) != 0)
            continue;
        if (i == SECTION_BATON && *name)
            return config_build_wrong(build, build->file, line, "[baton] has no name");
        return config_build_section(build, (enum config_section)i, name, line);
    }
    return tell_unknown_section(build, line, header, kind);
}

static int tell_unknown_key(struct config_build *build, int line, const char *name)
{
    const struct config_key *nearest = config_keys_nearest(build->section, name);

    if (config_keys_is_planned(build->section, name))
        return config_build_wrong(build, build->file, line, "%s: not in this version", name);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (config_keys_find((enum config_section)i, name))
            return config_build_wrong(build, build->file, line, "%s: belongs into [%s%s]", name,
                                      config_section_names[i], i == SECTION_BATON ? "" : " NAME");
    }
    if (nearest)
        return config_build_wrong(build, build->file, line, "%s: unknown key; did you mean %s?", name,
                                  nearest->name);
    return config_build_wrong(
        build, build->file, line, "%s: unknown key; baton.ini(5) lists the keys of [%s%s]", name,
        config_section_names[build->section], build->section == SECTION_BATON ? "" : " NAME");
}

static int on_key(void *arg, int line, const char *name, const char *text)
{
    struct config_build *build = arg;
    const struct config_value value = { .text = text };

    if (build->section == SECTION_COUNT && !build->outside)
        return 0; /* the section was refused; its keys cannot be judged */
    if (build->outside)
        return config_build_wrong(build, build->file, line, "%s: a key belongs below a [SECTION]", name);
    const struct config_key *key = config_keys_find(build->section, name);
    return key ? config_build_key(build, key, &value, line) : tell_unknown_key(build, line, name);
}

static int on_wrong(void *arg, int line, const char *what)
{
    struct config_build *build = arg;

    build->incomplete = true;
    return config_build_wrong(build, build->file, line, "%s", what);
}

static int read_bytes(struct config_build *build, const char *bytes, size_t length)
{
    static const struct config_ini_handler handler = { on_section, on_key, on_wrong };

    return config_ini_read(bytes, length, &handler, build);
}

static int read_file(struct config_build *build, const char *path, const struct config_io *io)
{
    char *bytes;
    size_t length;
    int result = config_build_file(build, path);

    if (result)
        return result;
    result = io->read(io->arg, path, &bytes, &length);
    if (result == -ENOMEM)
        return result;
    if (result) {
        build->incomplete = true;
        return config_build_wrong(build, path, 0, "cannot be read: %s", strerror(-result));
    }
    result = read_bytes(build, bytes, length);
    free(bytes);
    return result;
}

/* --- include --- */

/* `pattern` as the main file means it: relative to its own directory. malloc'd. */
static char *resolve_pattern(const char *main_file, const char *pattern)
{
    const char *slash = strrchr(main_file, '/');
    char *path;

    if (pattern[0] == '/' || !slash)
        return strdup(pattern);
    return asprintf(&path, "%.*s%s", (int)(slash + 1 - main_file), main_file, pattern) < 0 ? NULL : path;
}

static int include_file(struct config_build *build, const char *path, const struct config_io *io)
{
    const struct config_key *key = config_keys_find(SECTION_BATON, "include");
    struct config *config = build->config;

    for (size_t i = 0; i < config->file_count; i++) {
        if (!strcmp(config->files[i], path))
            return config_build_wrong_key(build, &config->where, key,
                                          i ? "%s is included twice" : "%s includes itself", path);
    }
    return read_file(build, path, io);
}

static int include_paths(struct config_build *build, const char *pattern, char **paths, size_t count,
                         const struct config_io *io)
{
    const struct config_key *key = config_keys_find(SECTION_BATON, "include");
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++)
        result = include_file(build, paths[i], io);
    if (result || count || strpbrk(pattern, "*?["))
        return result;
    build->incomplete = true;
    return config_build_wrong_key(build, &build->config->where, key, "%s: no such file", pattern);
}

static int include_pattern(struct config_build *build, const char *pattern, const struct config_io *io)
{
    const struct config_key *key = config_keys_find(SECTION_BATON, "include");
    char *path = resolve_pattern(build->config->files[0], pattern);
    char **paths = NULL;
    size_t count = 0;
    int result = path ? io->glob(io->arg, path, &paths, &count) : -ENOMEM;

    if (result == 0) {
        result = include_paths(build, path, paths, count, io);
    } else if (result != -ENOMEM) {
        build->incomplete = true;
        result = config_build_wrong_key(build, &build->config->where, key, "%s: %s", path, strerror(-result));
    }
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    free(path);
    return result;
}

static int read_includes(struct config_build *build, const struct config_io *io)
{
    char **patterns = build->config->include;
    int result = 0;

    for (size_t i = 0; patterns && patterns[i] && result == 0; i++)
        result = include_pattern(build, patterns[i], io);
    return result;
}

/* --- entry points --- */

int config_parse(const char *path, const struct config_io *io, struct config **out,
                 struct config_errors *errors)
{
    struct config_build build;

    *errors = (struct config_errors){ 0 };
    int result = config_build_begin(&build, CONFIG_FROM_FILES);
    if (result)
        return result;
    result = read_file(&build, path, io);
    if (result == 0)
        result = read_includes(&build, io);
    if (result == 0)
        return config_build_end(&build, out, errors);
    config_build_free(&build);
    return result;
}

int config_parse_text(const char *text, struct config **out, struct config_errors *errors)
{
    struct config_build build;

    *errors = (struct config_errors){ 0 };
    int result = config_build_begin(&build, CONFIG_FROM_TEXT);
    if (result)
        return result;
    result = config_build_file(&build, "recorded definition");
    if (result == 0)
        result = read_bytes(&build, text, strlen(text));
    if (result == 0)
        return config_build_end(&build, out, errors);
    config_build_free(&build);
    return result;
}

const struct config_service *config_find_service(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->service_count; i++) {
        if (!strcmp(config->services[i].name, name))
            return &config->services[i];
    }
    return NULL;
}

const struct config_listener *config_find_listener(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (!strcmp(config->listeners[i].name, name))
            return &config->listeners[i];
    }
    return NULL;
}

static void free_sections(struct config *config, enum config_section section)
{
    for (size_t index = 0; index < config_build_count(config, section); index++) {
        char *base = config_build_struct(config, section, index);

        for (size_t i = 0; i < config_key_count; i++) {
            if (config_keys[i].section == section)
                config_value_free(&config_keys[i], base + config_keys[i].offset);
        }
        free(config_build_where(config, section, index)->key_lines);
    }
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t section = 0; section < SECTION_COUNT; section++)
        free_sections(config, (enum config_section)section);
    for (size_t i = 0; i < config->listener_count; i++) {
        free(config->listeners[i].name);
        free(config->listeners[i].address_text);
    }
    for (size_t i = 0; i < config->service_count; i++)
        free(config->services[i].name);
    for (size_t i = 0; i < config->file_count; i++)
        free(config->files[i]);
    free(config->files);
    free(config->listeners);
    free(config->services);
    free(config);
}
