/* baton check: read a configuration as `run` and `reload` would, and say what is wrong with it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/preflight.h"
#include "supervisor/cli/source.h"
#include "supervisor/core/config_value.h"
#include "supervisor/core/config_words.h"
#include "supervisor/prose.h"

/* What was found: the errors of the configuration, or what the preflight saw. */
struct findings {
    struct source source;
    struct preflight preflight;
};

static size_t count_errors(const struct findings *findings)
{
    return findings->source.errors.count + config_words_count(findings->preflight.errors);
}

/* --- for people --- */

static void print_service(const struct config *config, const struct config_service *service)
{
    printf("%s: %u worker%s", service->name, service->workers, service->workers == 1 ? "" : "s");
    for (char **name = service->listen; name && *name; name++)
        printf("%s %s", name == service->listen ? " on" : ",",
               config_find_listener(config, *name)->address_text);
    fputs(", ready = ", stdout);
    config_check_print(&service->ready, stdout);
    puts(": ok");
}

static void tell(const struct findings *findings)
{
    for (size_t i = 0; i < findings->source.errors.count; i++)
        fprintf(stderr, "%s\n", findings->source.errors.lines[i]);
    for (char **line = findings->preflight.errors; line && *line; line++)
        fprintf(stderr, "%s\n", *line);
    for (char **line = findings->preflight.notes; line && *line; line++)
        fprintf(stderr, "%s (not an error)\n", *line);
    if (count_errors(findings)) {
        source_tell_count(count_errors(findings));
        return;
    }
    const struct config *config = findings->source.config;
    for (size_t i = 0; i < config->service_count; i++)
        print_service(config, &config->services[i]);
}

/* --- for programs --- */

/* Configurations may name files in any bytes; JSON is UTF-8. `text` is taken. */
static json_t *json_text(char *text)
{
    json_t *string;

    if (text)
        prose_clean(text);
    string = json_string(text ? text : "");
    free(text);
    return string;
}

static json_t *json_lines(char *const *lines, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_text(strdup(lines[i])));
    return array;
}

static json_t *json_check(const struct config_check *check)
{
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    if (!to)
        return json_null();
    config_check_print(check, to);
    fclose(to);
    return json_text(text);
}

static json_t *json_service(const struct config *config, const struct config_service *service)
{
    json_t *listeners = json_array();

    for (char **name = service->listen; name && *name; name++)
        json_array_append_new(
            listeners, json_pack("{s:s, s:o}", "name", *name, "address",
                                 json_text(strdup(config_find_listener(config, *name)->address_text))));
    return json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", service->name, "workers", (int)service->workers,
                     "listeners", listeners, "ready", json_check(&service->ready), "command",
                     json_lines(service->command, config_words_count(service->command)));
}

static int print_json(const struct findings *findings)
{
    const struct source *source = &findings->source;
    const struct preflight *seen = &findings->preflight;
    json_t *errors = json_lines(source->errors.lines, source->errors.count), *services = json_array();

    json_t *more = json_lines(seen->errors, config_words_count(seen->errors));
    json_array_extend(errors, more);
    json_decref(more);
    for (size_t i = 0; source->config && i < source->config->service_count; i++)
        json_array_append_new(services, json_service(source->config, &source->config->services[i]));
    json_t *all = json_pack("{s:i, s:o, s:b, s:o, s:o, s:o}", "version", 1, "file",
                            source->path ? json_text(strdup(source->path)) : json_null(), "ok",
                            count_errors(findings) == 0, "errors", errors, "notes",
                            json_lines(seen->notes, config_words_count(seen->notes)), "services", services);
    int result = all ? json_dumpf(all, stdout, JSON_INDENT(2)) : -1;
    json_decref(all);
    putchar('\n');
    return result;
}

/* --- */

static int report(const struct findings *findings, bool explain, bool json)
{
    int result = count_errors(findings) ? CLI_USAGE : CLI_OK;

    if (json && print_json(findings) < 0) {
        cli_error("%s", strerror(ENOMEM));
        return CLI_FAILURE;
    }
    if (json)
        return result;
    if (explain && result == CLI_OK)
        config_explain(findings->source.config, stdout);
    else
        tell(findings);
    return result;
}

static int check(int argc, char **argv)
{
    bool explain = false, json = false;
    const struct source_flag flags[] = { { "--explain", &explain }, { "--json", &json }, { 0 } };
    struct findings findings = { 0 };
    int result = source_read(&cli_check, argc, argv, flags, &findings.source);

    if (result == CLI_OK && findings.source.config &&
        preflight(findings.source.config, &findings.preflight) < 0) {
        cli_error("%s", strerror(ENOMEM));
        result = CLI_FAILURE;
    }
    if (result == CLI_OK)
        result = report(&findings, explain, json);
    preflight_free(&findings.preflight);
    source_free(&findings.source);
    return result;
}

const struct cli_verb cli_check = {
    .name = "check",
    .synopsis = "check [-c] FILE [--explain] [--json]  |  check [OPTION]... -- COMMAND [ARG]...",
    .summary = "say what is wrong with a configuration; nothing is touched",
    .help =
        "Reads FILE (without one: the only file of /etc/baton, or /etc/baton/NAME.ini) and all it includes,\n"
        "or the options of the one-line form, and looks whether programs, users, directories and "
        "environment\n"
        "files are there. Exits with 0 when all is well, else with 2.\n"
        "\n"
        "  --explain    every key with its value, where it was said, what it means and allows\n"
        "  --json       for programs\n"
        "  --name NAME  of the instance\n",
    .run = check,
};
