/* baton stop: end a running baton and everything it started. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "supervisor/cli/arguments.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/client.h"
#include "supervisor/cli/fields.h"
#include "supervisor/cli/human.h"
#include "supervisor/cli/live.h"

enum { LOOK_AGAIN_MS = 200 };

struct stop {
    struct client client;
    struct live live;
    time_t began;
};

static void show(struct stop *stop)
{
    char time_text[HUMAN_BYTES];

    human_duration((double)(time(NULL) - stop->began), time_text);
    live_show(&stop->live, "stopping: connections are ending", time_text);
}

static void tell(struct stop *stop, const json_t *progress)
{
    const char *service = fields_text(progress, "service");

    live_say(&stop->live, "%s%s%s", service, *service ? ": " : "", fields_text(progress, "text"));
}

/* Until the answer or the end of the connection. 0: the answer was good, or there is none (CLOSED). */
static int receive(struct stop *stop, int *result)
{
    json_t *line;

    for (;;) {
        int outcome = client_receive(&stop->client, live_pause_ms(&stop->live), &line);

        if (outcome && outcome != -ETIMEDOUT)
            return outcome;
        if (fields_known(line, "result"))
            break;
        if (line)
            tell(stop, json_object_get(line, "progress"));
        show(stop);
        json_decref(line);
    }
    live_close(&stop->live);
    *result = (int)fields_count(line, "result");
    if (*result != CLI_OK)
        client_print(line);
    json_decref(line);
    return 0;
}

/* The connection is lost: the baton has ended, or its supervisor was restarted and goes on stopping. False:
 * it does not (the request was lost). */
static bool is_stopping(struct stop *stop)
{
    json_t *answer = NULL;
    bool stopping = false;

    if (client_ask(&stop->client, json_pack("{s:s}", "verb", "status"), &answer) == 0)
        stopping = fields_flag(json_object_get(answer, "status"), "stopping");
    json_decref(answer);
    return stopping;
}

/* Everything was told to end: the keeper goes last. */
static void wait_for_end(struct stop *stop)
{
    while (locate_running(&stop->client.location)) {
        show(stop);
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
    live_close(&stop->live);
}

static int request_stop(struct stop *stop, bool fast)
{
    int result = CLI_OK;

    for (;;) {
        int outcome = client_send(&stop->client, json_pack("{s:s, s:b}", "verb", "stop", "fast", fast));

        if (outcome >= 0)
            outcome = receive(stop, &result);
        if (outcome == 0)
            break;
        if (outcome == CONTROL_CLIENT_CLOSED)
            outcome = client_reconnect(&stop->client);
        if (outcome == CLIENT_ENDED || (outcome == 0 && is_stopping(stop)))
            break;
        if (outcome)
            return client_tell(&stop->client, outcome);
    }
    if (result != CLI_OK)
        return result;
    wait_for_end(stop);
    printf("baton %s has stopped\n", stop->client.location.name);
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    const char *name = NULL;
    bool fast = false;
    const struct arguments_option options[] = { { "--fast", &fast, NULL }, { "--name", NULL, &name }, { 0 } };
    struct stop stop = { .began = time(NULL) };
    int result = arguments_read(&cli_stop, argc, argv, options, NULL, 0);

    if (result != CLI_OK)
        return result;
    result = client_open(name, &stop.client);
    if (result != CLI_OK)
        return result;
    live_open(&stop.live);
    result = request_stop(&stop, fast);
    live_close(&stop.live);
    client_close(&stop.client);
    return result;
}

const struct cli_verb cli_stop = {
    .name = "stop",
    .synopsis = "stop [--fast] [--name NAME]",
    .summary = "end every service and baton itself",
    .help = "Nothing new is accepted, what was begun is finished, at most until drain_timeout. Returns when "
            "baton\n"
            "has ended.\n"
            "\n"
            "  --fast       stop_signal at once, after stop_timeout SIGKILL\n"
            "  --name NAME  of the instance, when several run\n",
    .run = run,
};
