#include "supervisor/core/config_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_rules.h"

int config_build_begin(struct config_build *build, enum config_source source)
{
    struct config *config = calloc(1, sizeof *config);

    *build = (struct config_build){ .config = config, .source = source, .section = SECTION_COUNT };
    if (!config)
        return -ENOMEM;
    config->where.key_lines = calloc(config_key_count, sizeof(int));
    if (!config->where.key_lines) {
        config_build_free(build);
        return -ENOMEM;
    }
    return 0;
}

int config_build_file(struct config_build *build, const char *name)
{
    struct config *config = build->config;
    char **grown = reallocarray(config->files, config->file_count + 1, sizeof *grown);
    char *copy = strdup(name);

    if (grown)
        config->files = grown;
    if (!grown || !copy) {
        free(copy);
        return -ENOMEM;
    }
    config->files[config->file_count++] = copy;
    build->file = copy;
    build->section = SECTION_COUNT;
    build->outside = true;
    if (!config->where.file)
        config->where.file = copy;
    return 0;
}

/* --- sections --- */

size_t config_build_count(const struct config *config, enum config_section section)
{
    if (section == SECTION_BATON)
        return 1;
    return section == SECTION_LISTENER ? config->listener_count : config->service_count;
}

void *config_build_struct(struct config *config, enum config_section section, size_t index)
{
    if (section == SECTION_BATON)
        return config;
    return section == SECTION_LISTENER ? (void *)&config->listeners[index] : (void *)&config->services[index];
}

struct config_where *config_build_where(struct config *config, enum config_section section, size_t index)
{
    if (section == SECTION_BATON)
        return &config->where;
    return section == SECTION_LISTENER ? &config->listeners[index].where : &config->services[index].where;
}

static const char *section_name(struct config *config, enum config_section section, size_t index)
{
    return section == SECTION_LISTENER ? config->listeners[index].name : config->services[index].name;
}

static int append_listener(struct config *config, char *name, const struct config_where *where)
{
    struct config_listener *grown =
        reallocarray(config->listeners, config->listener_count + 1, sizeof *config->listeners);

    if (!grown)
        return -ENOMEM;
    config->listeners = grown;
    grown[config->listener_count++] = (struct config_listener){ .name = name, .where = *where };
    return 0;
}

static int append_service(struct config *config, char *name, const struct config_where *where)
{
    struct config_service *grown =
        reallocarray(config->services, config->service_count + 1, sizeof *config->services);

    if (!grown)
        return -ENOMEM;
    config->services = grown;
    grown[config->service_count++] = (struct config_service){ .name = name, .where = *where };
    return 0;
}

static int append_section(struct config_build *build, enum config_section section, const char *name, int line)
{
    struct config_where where = { build->file, line, calloc(config_key_count, sizeof(int)) };
    char *copy = strdup(name);
    int result = -ENOMEM;

    if (copy && where.key_lines)
        result = section == SECTION_LISTENER ? append_listener(build->config, copy, &where)
                                             : append_service(build->config, copy, &where);
    if (result) {
        free(copy);
        free(where.key_lines);
    }
    return result;
}

static int begin_baton(struct config_build *build, int line)
{
    struct config_where *where = &build->config->where;
    int earlier = where->line;

    if (build->file != build->config->files[0])
        return config_build_wrong(build, build->file, line, "[baton] belongs into the main file, %s",
                                  build->config->files[0]);
    build->section = SECTION_BATON;
    where->line = line;
    return earlier ? config_build_wrong(build, build->file, line, "[baton] is already on line %d", earlier)
                   : 0;
}

/* NULL, or why a section cannot have this name. */
static const char *wrong_name(enum config_section section, const char *name)
{
    if (!*name)
        return "a name is missing";
    if (!config_is_name(name))
        return "a name is a letter or digit, then letters, digits, '.', '_' and '-', at most 63 in all";
    if (section == SECTION_LISTENER && !strcmp(name, "probe"))
        return "the name is taken: workers get the socket for http: checks under it";
    return NULL;
}

static const struct config_where *find_section(struct config *config, enum config_section section,
                                               const char *name)
{
    for (size_t i = 0; i < config_build_count(config, section); i++) {
        if (!strcmp(section_name(config, section, i), name))
            return config_build_where(config, section, i);
    }
    return NULL;
}

static int tell_duplicate(struct config_build *build, enum config_section section, const char *name, int line,
                          const struct config_where *earlier)
{
    const char *kind = config_section_names[section];

    build->incomplete = true; /* its keys are not looked at */
    if (build->source == CONFIG_FROM_OPTIONS)
        return config_build_wrong(build, build->file, line, "two %ss are named %s", kind, name);
    if (earlier->file == build->file)
        return config_build_wrong(build, build->file, line, "[%s %s] is already on line %d", kind, name,
                                  earlier->line);
    return config_build_wrong(build, build->file, line, "[%s %s] is already in %s on line %d", kind, name,
                              earlier->file, earlier->line);
}

int config_build_section(struct config_build *build, enum config_section section, const char *name, int line)
{
    int result = 0;

    build->section = SECTION_COUNT;
    if (section == SECTION_BATON)
        return begin_baton(build, line);
    const struct config_where *earlier = find_section(build->config, section, name);
    if (earlier)
        return tell_duplicate(build, section, name, line, earlier);
    const char *why = wrong_name(section, name);
    if (why) {
        build->incomplete = true;
        result = config_build_wrong(build, build->file, line, "[%s%s%s]: %s", config_section_names[section],
                                    *name ? " " : "", name, why);
    }
    if (result == 0)
        result = append_section(build, section, name, line);
    if (result == 0)
        build->section = section; /* also after an error: the keys can be checked */
    return result;
}

/* --- keys --- */

static int set_value(struct config_build *build, const struct config_key *key,
                     const struct config_value *value, size_t index)
{
    char *base = config_build_struct(build->config, key->section, index);
    char reason[CONFIG_REASON_BYTES];
    int result = config_value_parse(key, value, base + key->offset, reason);

    if (result != CONFIG_VALUE_REFUSED)
        return result;
    build->incomplete |= key->kind == KIND_NAMES;
    return config_build_refused(build, config_build_where(build->config, key->section, index), key,
                                value->text, reason);
}

int config_build_key(struct config_build *build, const struct config_key *key,
                     const struct config_value *value, int line)
{
    size_t index = config_build_count(build->config, key->section) - 1;
    struct config_where *where = config_build_where(build->config, key->section, index);
    int *said = &where->key_lines[config_keys_index(key)];
    int earlier = *said;

    *said = line;
    if (earlier && !(key->flags & KEY_REPEATS)) {
        if (earlier > 0)
            return config_build_wrong_key(build, where, key, "already said on line %d", earlier);
        return config_build_wrong_key(build, where, key, "given twice");
    }
    return set_value(build, key, value, index);
}

/* --- the end --- */

static int fill_in(struct config_build *build, const struct config_key *key, size_t index)
{
    struct config_where *where = config_build_where(build->config, key->section, index);

    if (where->key_lines[config_keys_index(key)])
        return 0;
    if (key->fallback) {
        const struct config_value value = { .text = key->fallback };
        return set_value(build, key, &value, index);
    }
    if (key->flags & KEY_REQUIRED)
        return config_build_wrong(build, where->file, where->line, "[%s %s]: %s is missing",
                                  config_section_names[key->section],
                                  section_name(build->config, key->section, index), key->name);
    return 0;
}

static int fill_in_all(struct config_build *build)
{
    int result = 0;

    for (size_t i = 0; i < config_key_count && result == 0; i++) {
        size_t count = config_build_count(build->config, config_keys[i].section);
        for (size_t index = 0; index < count && result == 0; index++)
            result = fill_in(build, &config_keys[i], index);
    }
    return result;
}

static int write_addresses(struct config *config)
{
    char text[ADDRESS_TEXT_BYTES];

    for (size_t i = 0; i < config->listener_count; i++) {
        if (config->listeners[i].address.length == 0)
            continue;
        address_format(&config->listeners[i].address, text);
        config->listeners[i].address_text = strdup(text);
        if (!config->listeners[i].address_text)
            return -ENOMEM;
    }
    return 0;
}

int config_build_end(struct config_build *build, struct config **out, struct config_errors *errors)
{
    int result = fill_in_all(build);

    if (result == 0)
        result = write_addresses(build->config);
    if (result == 0)
        result = config_rules_check(build);
    if (result == 0 && build->errors.count)
        result = config_error_list_publish(&build->errors, errors) ? -ENOMEM : -EINVAL;
    if (result == 0) {
        *out = build->config;
        build->config = NULL;
    }
    config_build_free(build);
    return result;
}

void config_build_free(struct config_build *build)
{
    config_error_list_free(&build->errors);
    config_free(build->config);
    build->config = NULL;
}
