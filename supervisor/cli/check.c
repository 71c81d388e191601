/* baton check: read a configuration as `run` and `reload` would, and say what is wrong with it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/source.h"
#include "supervisor/core/config_value.h"

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

static void print_config(const struct config *config)
{
    for (size_t i = 0; i < config->service_count; i++)
        print_service(config, &config->services[i]);
}

static int check(int argc, char **argv)
{
    bool explain = false, json = false;
    const struct source_flag flags[] = { { "--explain", &explain }, { "--json", &json }, { 0 } };
    struct source source;
    int result = source_read(&cli_check, argc, argv, flags, &source);

    if (result == CLI_OK && !source.config) {
        source_tell_errors(&source);
        result = CLI_USAGE;
    } else if (result == CLI_OK) {
        explain ? config_explain(source.config, stdout) : print_config(source.config);
    }
    source_free(&source);
    return result;
}

const struct cli_verb cli_check = {
    .name = "check",
    .synopsis = "check [-c] FILE [--explain] [--json]  |  check [OPTION]... -- COMMAND [ARG]...",
    .summary = "say what is wrong with a configuration; nothing is touched",
    .help =
        "Reads FILE (without one: the only file of /etc/baton, or /etc/baton/NAME.ini) and all it includes,\n"
        "or the options of the one-line form. Exits with 0 when `baton run` would accept it, else with 2.\n"
        "\n"
        "  --explain    every key with its value, where it was said, what it means and allows\n"
        "  --json       for programs\n"
        "  --name NAME  of the instance\n",
    .run = check,
};
