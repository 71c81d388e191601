#include "supervisor/cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/fields.h"
#include "supervisor/jsonline.h"
#include "supervisor/prose.h"

void client_disconnect(struct client *client)
{
    control_client_close(client->connection);
    client->connection = NULL;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* What passes while a supervisor is started anew, or a baton is just beginning. */
static bool may_pass(int outcome)
{
    return outcome == -ENOENT || outcome == -ECONNREFUSED || outcome == CONTROL_CLIENT_CLOSED;
}

static int connect_within(struct client *client, int timeout_ms)
{
    long deadline = now_ms() + timeout_ms;

    client_disconnect(client);
    for (;;) {
        long left = deadline - now_ms();
        int outcome =
            control_client_open(&client->connection, client->location.socket, left > 0 ? (int)left : 0);

        if (!may_pass(outcome) || left <= 0)
            return outcome;
        if (!locate_running(&client->location))
            return CLIENT_ENDED;
        poll(NULL, 0, 50);
    }
}

int client_open(const char *name, struct client *client)
{
    *client = (struct client){ 0 };
    int result = locate(name, &client->location);
    if (result != CLI_OK)
        return result;
    int outcome = connect_within(client, CLIENT_CONNECT_MS);
    if (outcome == 0)
        return CLI_OK;
    client_tell(client, outcome);
    client_close(client);
    return CLI_FAILURE;
}

int client_reconnect(struct client *client)
{
    return connect_within(client, CLIENT_RECONNECT_MS);
}

int client_send(struct client *client, json_t *request)
{
    char *text = request ? json_dumps(request, JSONLINE_FLAGS) : NULL;
    int outcome =
        text ? control_client_send(client->connection, text, strlen(text), CLIENT_ANSWER_MS) : -ENOMEM;

    free(text);
    json_decref(request);
    return outcome;
}

int client_receive(struct client *client, int timeout_ms, json_t **line)
{
    size_t length;
    char *text;

    *line = NULL;
    int outcome = control_client_receive(client->connection, &text, &length, timeout_ms);
    if (outcome)
        return outcome;
    *line = json_loadb(text, length, 0, NULL);
    if (json_is_object(*line))
        return 0;
    json_decref(*line);
    *line = NULL;
    return -EPROTO;
}

int client_ask(struct client *client, json_t *request, json_t **answer)
{
    long deadline = now_ms() + CLIENT_ANSWER_MS;
    int outcome = client_send(client, request);

    *answer = NULL;
    if (outcome == CONTROL_CLIENT_CLOSED)
        outcome = 0; /* it may have said why */
    while (outcome == 0) {
        long left = deadline - now_ms();

        outcome = client_receive(client, left > 0 ? (int)left : 0, answer);
        if (outcome || fields_known(*answer, "result"))
            break;
        json_decref(*answer);
        *answer = NULL;
    }
    return outcome;
}

int client_read(struct client *client, json_t *request, json_t **answer)
{
    int outcome = client_ask(client, json_incref(request), answer);

    if (outcome == CONTROL_CLIENT_CLOSED) {
        outcome = client_reconnect(client);
        if (outcome == 0)
            outcome = client_ask(client, json_incref(request), answer);
    }
    json_decref(request);
    if (outcome)
        return client_tell(client, outcome);
    if (fields_count(*answer, "result") == CLI_OK)
        return CLI_OK;
    int result = client_print(*answer);
    json_decref(*answer);
    *answer = NULL;
    return result;
}

int client_tell(const struct client *client, int outcome)
{
    const struct location *at = &client->location;
    int pid = locate_running(at);

    switch (outcome) {
    case CLIENT_ENDED:
        cli_error("baton %s does not run (%s)", at->name, at->socket);
        break;
    case CONTROL_CLIENT_CLOSED:
        cli_error("baton %s (pid %d) closed the connection; what it does now: baton status", at->name, pid);
        break;
    case -ETIMEDOUT:
        cli_error("baton %s (pid %d) does not answer; its log may say why", at->name, pid);
        break;
    case -EACCES:
        cli_error("permission denied: %s may be used by its owner and group only", at->socket);
        break;
    case -EPROTONOSUPPORT:
        cli_error("baton %s (pid %d) speaks another version of the control protocol: use the baton it was "
                  "started with",
                  at->name, pid);
        break;
    case -ENOENT:
    case -ECONNREFUSED:
        cli_error("baton %s (pid %d) runs, but nobody listens at %s", at->name, pid, at->socket);
        break;
    default:
        cli_error("%s: %s", at->socket, strerror(-outcome));
    }
    return CLI_FAILURE;
}

/* Sentences about services begin with their names, others with ours. */
int client_print(const json_t *answer)
{
    int result = (int)fields_count(answer, "result");
    char *text = strdup(fields_text(answer, "text"));

    if (text && *text) {
        prose_clean(text);
        fflush(stdout);
        if (result == CLI_OK)
            puts(text);
        else
            fprintf(stderr, "%s%s\n", fields_known(answer, "services") ? "" : "baton: ", text);
    }
    free(text);
    return result;
}

void client_close(struct client *client)
{
    client_disconnect(client);
    location_free(&client->location);
}
