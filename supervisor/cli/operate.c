/* baton drain, scale: what changes a running service without another release. */
#include <errno.h>
#include <stdlib.h>

#include "supervisor/cli/arguments.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/client.h"

/* Ask (taken) and print the answer. */
static int request(const char *name, json_t *request)
{
    struct client client;
    json_t *answer;
    int result = client_open(name, &client);

    if (result != CLI_OK) {
        json_decref(request);
        return result;
    }
    int outcome = client_ask(&client, request, &answer);
    result = outcome ? client_tell(&client, outcome) : client_print(answer);
    json_decref(answer);
    client_close(&client);
    return result;
}

static int run_drain(int argc, char **argv)
{
    const char *name = NULL, *service = NULL;
    const struct arguments_option options[] = { { "--name", NULL, &name }, { 0 } };
    int result = arguments_read(&cli_drain, argc, argv, options, &service, 1);

    if (result != CLI_OK)
        return result;
    return request(name, json_pack("{s:s, s:s*}", "verb", "drain", "service", service));
}

/* A number of workers; false: it is none. The running baton knows the range. */
static bool read_workers(const char *text, int *workers)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 0 || value > 1000000)
        return false;
    *workers = (int)value;
    return true;
}

static int run_scale(int argc, char **argv)
{
    const char *name = NULL, *words[2] = { NULL, NULL };
    const struct arguments_option options[] = { { "--name", NULL, &name }, { 0 } };
    int workers, result = arguments_read(&cli_scale, argc, argv, options, words, 2);

    if (result != CLI_OK)
        return result;
    if (!words[0])
        return cli_usage(&cli_scale, "the number of workers is missing");
    const char *number = words[1] ? words[1] : words[0], *service = words[1] ? words[0] : NULL;
    if (!read_workers(number, &workers))
        return cli_usage(&cli_scale, "\"%s\" is not a number of workers", number);
    return request(name,
                   json_pack("{s:s, s:i, s:s*}", "verb", "scale", "workers", workers, "service", service));
}

const struct cli_verb cli_drain = {
    .name = "drain",
    .synopsis = "drain [SERVICE] [--name NAME]",
    .summary = "end old generations now instead of at their drain_timeout",
    .help = "Generations that were replaced and still have connections are stopped as if their drain_timeout "
            "had\n"
            "passed: stop_signal, after stop_timeout SIGKILL. What was cut is in baton history.\n"
            "\n"
            "  --name NAME  of the instance, when several run\n",
    .run = run_drain,
};

const struct cli_verb cli_scale = {
    .name = "scale",
    .synopsis = "scale [SERVICE] WORKERS [--name NAME]",
    .summary = "change the number of workers until the next reload",
    .help =
        "Starts more workers of the release that serves, or drains the last ones. SERVICE may be left out\n"
        "when there is only one.\n"
        "\n"
        "  --name NAME  of the instance, when several run\n",
    .run = run_scale,
};
