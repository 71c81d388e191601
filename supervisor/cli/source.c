#include "supervisor/cli/source.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/config_files.h"
#include "supervisor/core/config_keys.h"
#include "supervisor/core/config_words.h"

static const char config_directory[] = "/etc/baton";

/* The arguments of a verb as they are taken apart. */
struct arguments {
    const struct cli_verb *verb;
    char **next, **end; /* before "--" */
    const struct source_flag *flags;
    const char *file; /* as given */
    const char *name;
};

static bool take_flag(struct arguments *arguments)
{
    for (const struct source_flag *flag = arguments->flags; flag->name; flag++) {
        if (strcmp(*arguments->next, flag->name) != 0)
            continue;
        *flag->set = true;
        arguments->next++;
        return true;
    }
    return false;
}

/* "--name VALUE" or "--name=VALUE": CLI_OK, CLI_USAGE (told), or -1: it is another argument. */
static int take_value(struct arguments *arguments, const char *name, const char **value)
{
    const char *argument = *arguments->next;
    size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0 || (argument[length] && argument[length] != '='))
        return -1;
    if (*value)
        return cli_usage(arguments->verb, "%s: given twice", name);
    arguments->next++;
    if (argument[length])
        *value = argument + length + 1;
    else if (arguments->next < arguments->end)
        *value = *arguments->next++;
    else
        return cli_usage(arguments->verb, "%s: its value is missing", name);
    return CLI_OK;
}

/* What both forms have. */
static int take_common(struct arguments *arguments)
{
    return take_flag(arguments) ? CLI_OK : take_value(arguments, "--name", &arguments->name);
}

static bool is_key_option(const char *argument)
{
    char name[64];
    size_t length = strcspn(argument, "=");

    if (strncmp(argument, "--", 2) != 0 || length >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)length - 2, argument + 2);
    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : *p;
    return config_keys_find(SECTION_SERVICE, name) || config_keys_find(SECTION_LISTENER, name) ||
           config_keys_find(SECTION_BATON, name);
}

static int take_file(struct arguments *arguments)
{
    const char *argument = *arguments->next;

    if (is_key_option(argument))
        return cli_usage(arguments->verb, "%s belongs to a command: baton %s [OPTION]... -- COMMAND [ARG]...",
                         argument, arguments->verb->name);
    if (argument[0] == '-' && argument[1])
        return cli_usage(arguments->verb, "%s: unknown option", argument);
    if (arguments->file)
        return cli_usage(arguments->verb,
                         "%s: one file is enough; a command stands behind --: baton %s -- %s %s", argument,
                         arguments->verb->name, arguments->file, argument);
    arguments->file = argument;
    arguments->next++;
    return CLI_OK;
}

static int take_file_form(struct arguments *arguments)
{
    int result = CLI_OK;

    while (arguments->next < arguments->end && result == CLI_OK) {
        result = take_common(arguments);
        if (result == -1)
            result = take_value(arguments, "-c", &arguments->file);
        if (result == -1)
            result = take_value(arguments, "--config", &arguments->file);
        if (result == -1)
            result = take_file(arguments);
    }
    return result;
}

/* Everything else is an option of the service: config_from_options() judges it. */
static int take_command_form(struct arguments *arguments, struct source *source)
{
    char *command_and_all[] = { NULL, NULL };
    int result = CLI_OK;

    while (arguments->next < arguments->end && result == CLI_OK) {
        result = take_common(arguments);
        if (result != -1)
            continue;
        if (!strcmp(*arguments->next, "-c") || !strcmp(*arguments->next, "--config"))
            return cli_usage(arguments->verb, "either a file or a command, not both");
        command_and_all[0] = *arguments->next++;
        result = config_words_append(&source->options, command_and_all) ? CLI_FAILURE : CLI_OK;
    }
    if (result == CLI_OK && config_words_append(&source->options, arguments->end))
        result = CLI_FAILURE;
    return result;
}

/* --- the file --- */

/* The only file of /etc/baton. */
static int find_only(struct arguments *arguments, char **path)
{
    glob_t found = { 0 };
    char pattern[64];
    int result = CLI_OK;

    snprintf(pattern, sizeof pattern, "%s/*.ini", config_directory);
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc == 0)
        result = cli_usage(arguments->verb, "which file? There is none in %s", config_directory);
    else if (found.gl_pathc > 1)
        result =
            cli_usage(arguments->verb, "which file? There are %zu in %s", found.gl_pathc, config_directory);
    else
        *path = strdup(found.gl_pathv[0]);
    globfree(&found);
    return result;
}

/* /etc/baton/NAME.ini, or the only file there. */
static int find_default(struct arguments *arguments, char **path)
{
    glob_t found = { 0 };
    char pattern[64];

    if (!arguments->name)
        return find_only(arguments, path);
    if (asprintf(path, "%s/%s.ini", config_directory, arguments->name) < 0)
        *path = NULL;
    snprintf(pattern, sizeof pattern, "%s/*.ini", config_directory);
    if (*path && access(*path, F_OK) < 0 && glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1) {
        free(*path);
        *path = strdup(found.gl_pathv[0]);
    }
    globfree(&found);
    return CLI_OK; /* when there is none, reading NAME.ini will say so */
}

/* Made absolute, but links stay: they may point elsewhere at the next reload. */
static int find_file(struct arguments *arguments, char **path)
{
    char *directory;

    if (!arguments->file)
        return find_default(arguments, path);
    if (arguments->file[0] == '/') {
        *path = strdup(arguments->file);
        return CLI_OK;
    }
    directory = getcwd(NULL, 0);
    if (!directory) {
        cli_error("where are we? %s", strerror(errno));
        return CLI_FAILURE;
    }
    if (asprintf(path, "%s/%s", strcmp(directory, "/") ? directory : "", arguments->file) < 0)
        *path = NULL;
    free(directory);
    return CLI_OK;
}

static int read_file(struct arguments *arguments, struct source *source)
{
    int result = find_file(arguments, &source->path);

    if (result != CLI_OK)
        return result;
    if (!source->path)
        return CLI_FAILURE;
    if (arguments->file && !strstr(arguments->file, ".ini") && access(source->path, F_OK) < 0 &&
        errno == ENOENT)
        return cli_usage(arguments->verb,
                         "%s: there is no such file; a command stands behind --: baton %s -- %s",
                         arguments->file, arguments->verb->name, arguments->file);
    config_name_of(source->path, source->name);
    char *suffix = strrchr(source->name, '.');
    if (suffix && !strcmp(suffix, ".ini"))
        *suffix = '\0';
    result = config_files_load(source->path, &source->config, &source->errors);
    return result == -ENOMEM ? CLI_FAILURE : CLI_OK;
}

static int read_command(struct source *source)
{
    int count = (int)config_words_count(source->options);
    int result = config_from_options(count, source->options, &source->config, &source->errors);

    if (source->config)
        strcpy(source->name, source->config->services[0].name);
    return result == -ENOMEM ? CLI_FAILURE : CLI_OK;
}

static int read_all(struct arguments *arguments, char **argv, int argc, struct source *source)
{
    int dashes = 1, result;

    while (dashes < argc && strcmp(argv[dashes], "--") != 0)
        dashes++;
    arguments->next = argv + 1;
    arguments->end = argv + dashes;
    result = dashes < argc ? take_command_form(arguments, source) : take_file_form(arguments);
    if (result != CLI_OK)
        return result;
    if (arguments->name && !config_is_name(arguments->name))
        return cli_usage(arguments->verb,
                         "--name: \"%s\": letters, digits, '.', '_' and '-', at most %d in all",
                         arguments->name, CONFIG_NAME_MAX);
    result = dashes < argc ? read_command(source) : read_file(arguments, source);
    if (arguments->name)
        strcpy(source->name, arguments->name);
    return result;
}

int source_read(const struct cli_verb *verb, int argc, char **argv, const struct source_flag *flags,
                struct source *source)
{
    struct arguments arguments = { .verb = verb, .flags = flags };

    *source = (struct source){ 0 };
    int result = read_all(&arguments, argv, argc, source);
    if (result == CLI_FAILURE)
        cli_error("cannot read the configuration: %s", strerror(ENOMEM));
    return result;
}

void source_tell_count(size_t errors)
{
    fprintf(stderr, "%zu error%s, nothing was changed\n", errors, errors == 1 ? "" : "s");
}

void source_tell_errors(const struct source *source)
{
    for (size_t i = 0; i < source->errors.count; i++)
        fprintf(stderr, "%s\n", source->errors.lines[i]);
    source_tell_count(source->errors.count);
}

void source_free(struct source *source)
{
    free(source->path);
    config_words_free(source->options);
    config_free(source->config);
    config_errors_free(&source->errors);
    *source = (struct source){ 0 };
}
