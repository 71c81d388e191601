/* The one-line form: baton run [--listen [NAME=]ADDRESS]... [--KEY VALUE]... -- COMMAND [ARG...] */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_build.h"
#include "supervisor/core/config_rules.h"
#include "supervisor/core/config_words.h"
#include "supervisor/core/escape.h"
#include "supervisor/core/spelling.h"

static const char place[] = "command line";

/* One option with its argument. */
struct option {
    char name[64]; /* as a key: without the dashes in front, '_' for '-' */
    const char *text;
    bool applied; /* a listener's key: there is a listener that it fits */
    bool told;    /* a listener's key: its error was told once, that is enough */
};

struct options {
    struct config_build build;
    struct option *given; /* in the order of the command line */
    size_t count;
};

/* --- taking the command line apart --- */

static int tell(struct config_build *build, const char *argument, const char *what)
{
    char quoted[128];

    escape_text(argument, "", quoted, sizeof quoted);
    return config_build_wrong(build, place, 0, "\"%s\": %s", quoted, what);
}

/* Keys have '_' where options have '-'. */
static void spell(char *text, char from, char to)
{
    for (; *text; text++)
        *text = *text == from ? to : *text;
}

/* Take the option at argv[*next]; *taken: it is one, with its argument. */
static int take_option(struct config_build *build, char *const argv[], int end, int *next,
                       struct option *option, bool *taken)
{
    const char *argument = argv[(*next)++];
    size_t length = strcspn(argument, "=");

    *taken = false;
    if (strncmp(argument, "--", 2) != 0)
        return tell(build, argument, "not an option; the command stands behind --");
    if (length - 2 >= sizeof option->name)
        return tell(build, argument, "unknown option");
    memcpy(option->name, argument + 2, length - 2);
    option->name[length - 2] = '\0';
    spell(option->name, '-', '_');
    if (argument[length] == '=')
        option->text = argument + length + 1;
    else if (*next < end && strncmp(argv[*next], "--", 2) != 0)
        option->text = argv[(*next)++];
    else
        return tell(build, argument, "its value is missing");
    *taken = true;
    return 0;
}

/* The options in argv[0] … argv[end - 1]; `given` has room for all. */
static int take_options(struct config_build *build, char *const argv[], int end, struct option *given,
                        size_t *count)
{
    int result = 0;

    for (int next = 0; next < end && result == 0;) {
        bool taken;
        result = take_option(build, argv, end, &next, &given[*count], &taken);
        *count += taken;
    }
    return result;
}

/* --- names --- */

/* Split "[NAME=]ADDRESS". A UNIX path may contain '=', but no name contains what stands before it. */
static const char *split_listen(const char *text, char name[CONFIG_NAME_MAX + 1])
{
    size_t length = strcspn(text, "=");

    name[0] = '\0';
    if (!text[length] || length > CONFIG_NAME_MAX)
        return text;
    memcpy(name, text, length);
    name[length] = '\0';
    if (config_is_name(name))
        return text + length + 1;
    name[0] = '\0';
    return text;
}

static bool is_named(const struct options *options, const char *name)
{
    char other[CONFIG_NAME_MAX + 1];

    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->given[i].name, "listen") != 0)
            continue;
        split_listen(options->given[i].text, other);
        if (!strcmp(other, name))
            return true;
    }
    return config_find_listener(options->build.config, name) != NULL;
}

/* "web", "web2", …: the first that nobody has. */
static void name_listener(const struct options *options, char name[CONFIG_NAME_MAX + 1])
{
    strcpy(name, "web");
    for (unsigned n = 2; is_named(options, name); n++)
        snprintf(name, CONFIG_NAME_MAX + 1, "web%u", n);
}

/* --- building --- */

/* Set the options that are a listener's keys for the newest listener, where they fit. */
static int set_listener_keys(struct options *options)
{
    struct config *config = options->build.config;
    const struct config_listener *listener = &config->listeners[config->listener_count - 1];
    int result = 0;

    for (size_t i = 0; i < options->count && result == 0; i++) {
        struct option *option = &options->given[i];
        const struct config_key *key = config_keys_find(SECTION_LISTENER, option->name);
        const struct config_value value = { option->text, true };
        size_t errors = options->build.errors.count;

        if (!key || key->flags & KEY_NO_OPTION || config_rules_wrong_family(key, listener))
            continue;
        option->applied = true;
        if (!option->told)
            result = config_build_key(&options->build, key, &value, -1);
        option->told |= options->build.errors.count > errors;
    }
    return result;
}

static int add_listener(struct options *options, const char *text)
{
    char name[CONFIG_NAME_MAX + 1];
    const struct config_value address = { split_listen(text, name), true };
    struct config_build *build = &options->build;

    if (!name[0])
        name_listener(options, name);
    int result = config_build_section(build, SECTION_LISTENER, name, 0);
    if (result || build->section != SECTION_LISTENER)
        return result;
    result = config_build_key(build, config_keys_find(SECTION_LISTENER, "address"), &address, -1);
    struct config_service *service = &build->config->services[0];
    service->where.key_lines[config_keys_index(config_keys_find(SECTION_SERVICE, "listen"))] = -1;
    if (result == 0)
        result = config_words_append(&service->listen, (char *[]){ name, NULL });
    return result ? result : set_listener_keys(options);
}

static int add_service(struct config_build *build, char *const command[])
{
    const struct config_key *key = config_keys_find(SECTION_SERVICE, "command");
    char name[CONFIG_NAME_MAX + 1];
    char reason[CONFIG_REASON_BYTES];

    config_name_of(command[0], name);
    int result = config_build_section(build, SECTION_SERVICE, name, 0);
    if (result)
        return result;
    struct config_service *service = &build->config->services[0];
    service->where.key_lines[config_keys_index(key)] = -1;
    if (config_list_check(key, NULL, command, reason) != 0)
        return config_build_wrong_key(build, &service->where, key, "%s", reason);
    service->command = config_words_copy(command);
    return service->command ? 0 : -ENOMEM;
}

static int tell_unknown(struct config_build *build, const struct option *option)
{
    static const enum config_section sections[] = { SECTION_SERVICE, SECTION_BATON, SECTION_LISTENER };
    struct spelling spelling = { 0 };
    char name[64], nearest[64];

    strcpy(name, option->name);
    spell(name, '_', '-');
    if (!strcmp(name, "command"))
        return config_build_wrong(build, place, 0, "--%s: the command stands behind --", name);
    if (config_keys_is_planned(SECTION_SERVICE, option->name) ||
        config_keys_is_planned(SECTION_LISTENER, option->name))
        return config_build_wrong(build, place, 0, "--%s: not in this version", name);
    spelling_offer(&spelling, option->name, "listen");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const struct config_key *key = config_keys_nearest(sections[i], option->name);
        if (key && !(key->flags & KEY_NO_OPTION))
            spelling_offer(&spelling, option->name, key->name);
    }
    if (!spelling.best)
        return config_build_wrong(build, place, 0, "--%s: unknown option; baton run --help lists all", name);
    snprintf(nearest, sizeof nearest, "%s", spelling.best);
    spell(nearest, '_', '-');
    return config_build_wrong(build, place, 0, "--%s: unknown option; did you mean --%s?", name, nearest);
}

static int apply_option(struct options *options, const struct option *option)
{
    static const enum config_section sections[] = { SECTION_SERVICE, SECTION_BATON };
    const struct config_value value = { option->text, true };
    const struct config_key *key;

    if (!strcmp(option->name, "listen"))
        return add_listener(options, option->text);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        key = config_keys_find(sections[i], option->name);
        if (key && !(key->flags & KEY_NO_OPTION))
            return config_build_key(&options->build, key, &value, -1);
    }
    key = config_keys_find(SECTION_LISTENER, option->name);
    if (key && !(key->flags & KEY_NO_OPTION))
        return 0; /* when the listeners are made */
    return tell_unknown(&options->build, option);
}

static int check_applied(struct options *options)
{
    int result = 0;

    for (size_t i = 0; i < options->count && result == 0; i++) {
        const struct option *option = &options->given[i];
        char name[64];

        if (option->applied || !config_keys_find(SECTION_LISTENER, option->name))
            continue;
        snprintf(name, sizeof name, "%s", option->name);
        spell(name, '_', '-');
        result =
            config_build_wrong(&options->build, place, 0, "--%s: there is no --listen that it fits", name);
    }
    return result;
}

static int build_all(struct options *options, int argc, char *const argv[])
{
    struct config_build *build = &options->build;
    int command = 0, result = config_build_file(build, place);

    while (command < argc && strcmp(argv[command], "--") != 0)
        command++;
    if (result == 0 && command + 1 >= argc) {
        build->incomplete = true; /* one error is enough */
        result = config_build_wrong(build, place, 0,
                                    "the command is missing: baton run [OPTION]... -- COMMAND [ARG]...");
    }
    if (result == 0)
        result = take_options(build, argv, command, options->given, &options->count);
    if (result == 0)
        result = add_service(build,
                             command + 1 < argc ? argv + command + 1 : (char *[]){ (char *)"missing", NULL });
    for (size_t i = 0; i < options->count && result == 0; i++)
        result = apply_option(options, &options->given[i]);
    return result || build->errors.count ? result : check_applied(options);
}

int config_from_options(int argc, char *const argv[], struct config **out, struct config_errors *errors)
{
    struct options options = { .given = calloc((size_t)argc + 1, sizeof *options.given) };

    *errors = (struct config_errors){ 0 };
    if (!options.given)
        return -ENOMEM;
    int result = config_build_begin(&options.build, CONFIG_FROM_OPTIONS);
    if (result == 0)
        result = build_all(&options, argc, argv);
    if (result == 0)
        result = config_build_end(&options.build, out, errors);
    else
        config_build_free(&options.build);
    free(options.given);
    return result;
}
