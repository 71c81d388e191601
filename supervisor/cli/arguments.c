#include "supervisor/cli/arguments.h"

#include <string.h>

#include "supervisor/core/spelling.h"

/* The option that `argument` names, with or without "=VALUE". */
static const struct arguments_option *find(const struct arguments_option *options, const char *argument)
{
    size_t length = strcspn(argument, "=");

    for (; options->name; options++) {
        if (strlen(options->name) == length && !strncmp(options->name, argument, length))
            return options;
    }
    return NULL;
}

static int refuse_unknown(const struct cli_verb *verb, const struct arguments_option *options,
                          const char *argument)
{
    struct spelling spelling = { 0 };
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    for (; options->name; options++)
        spelling_offer(&spelling, name, options->name);
    if (spelling.best)
        return cli_usage(verb, "%s: unknown option; did you mean %s?", argument, spelling.best);
    return cli_usage(verb, "%s: unknown option", argument);
}

/* An option at argv[*at]; moves *at to its last argument. */
static int take_option(const struct cli_verb *verb, int argc, char **argv, int *at,
                       const struct arguments_option *options)
{
    const char *argument = argv[*at], *equals = strchr(argument, '=');
    const struct arguments_option *option = find(options, argument);

    if (!option)
        return refuse_unknown(verb, options, argument);
    if (option->flag) {
        *option->flag = true;
        return equals ? cli_usage(verb, "%s takes no value", option->name) : CLI_OK;
    }
    if (!equals && *at + 1 == argc)
        return cli_usage(verb, "%s: its value is missing", option->name);
    *option->value = equals ? equals + 1 : argv[++*at];
    return CLI_OK;
}

int arguments_read(const struct cli_verb *verb, int argc, char **argv, const struct arguments_option *options,
                   const char **words, int max_words)
{
    bool only_words = false;
    int count = 0, result = CLI_OK;

    for (int at = 1; at < argc && result == CLI_OK; at++) {
        if (!only_words && !strcmp(argv[at], "--"))
            only_words = true;
        else if (!only_words && argv[at][0] == '-' && argv[at][1])
            result = take_option(verb, argc, argv, &at, options);
        else if (count < max_words)
            words[count++] = argv[at];
        else
            result = cli_usage(verb, "%s: one argument too many", argv[at]);
    }
    return result;
}
