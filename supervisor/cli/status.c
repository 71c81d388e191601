/* baton status: what serves, what is on its way, what is leaving. */
#include <stdlib.h>
#include <sys/time.h>

#include "supervisor/cli/arguments.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/client.h"
#include "supervisor/cli/status_view.h"

static double now(void)
{
    struct timeval time;

    gettimeofday(&time, NULL);
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int print(const json_t *answer, bool json, bool workers)
{
    const json_t *status = json_object_get(answer, "status");

    if (json && json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(13)) == 0)
        putchar('\n');
    if (!json)
        status_view_print(status, now(), workers, stdout);
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    const char *name = NULL, *service = NULL;
    bool json = false;
    const struct arguments_option options[] = { { "--name", NULL, &name }, { "--json", &json, NULL }, { 0 } };
    struct client client;
    json_t *answer;
    int result = arguments_read(&cli_status, argc, argv, options, &service, 1);

    if (result != CLI_OK)
        return result;
    result = client_open(name, &client);
    if (result != CLI_OK)
        return result;
    result = client_read(&client, json_pack("{s:s, s:s*}", "verb", "status", "service", service), &answer);
    if (result == CLI_OK)
        result = print(answer, json, service != NULL);
    json_decref(answer);
    client_close(&client);
    return result;
}

const struct cli_verb cli_status = {
    .name = "status",
    .synopsis = "status [SERVICE] [--json] [--name NAME]",
    .summary = "what serves, what is on its way, what is leaving",
    .help = "Each service with its generations; a named SERVICE also with its workers. Exits with 0 when a "
            "baton\n"
            "answered, whatever it said.\n"
            "\n"
            "  --json       the object \"status\" of the control protocol (PROTOCOL.md), version 1\n"
            "  --name NAME  of the instance, when several run\n",
    .run = run,
};
