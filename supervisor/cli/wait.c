#include "supervisor/cli/wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/fields.h"
#include "supervisor/cli/human.h"
#include "supervisor/cli/live.h"
#include "supervisor/prose.h"

enum { LOOK_AGAIN_MS = 500, EXIT_INTERRUPTED = 130 };

struct wait {
    struct client *client;
    const char *service; /* NULL: all */
    struct live live;
    struct timespec began;
    char now[512];      /* the last change, for the living line */
    json_t *before;     /* status before the request */
    json_int_t told_id; /* newest event that is known or was told */
};

static void on_interrupt(int signo)
{
    static const char text[] = "\nbaton: no longer waiting; it goes on: baton status\n";

    (void)signo;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(CLI_FAILURE);
    _exit(EXIT_INTERRUPTED);
}

static double seconds_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static void show(struct wait *wait)
{
    char time[HUMAN_BYTES];

    human_duration(seconds_since(&wait->began), time);
    live_show(&wait->live, wait->now[0] ? wait->now : "waiting", time);
}

/* A progress or an event: both have a service and a sentence. */
static void tell(struct wait *wait, const json_t *news)
{
    const char *service = fields_text(news, "service");
    json_int_t id = fields_count(news, "id");

    if (id > wait->told_id)
        wait->told_id = id;
    live_say(&wait->live, "%s%s%s", service, *service ? ": " : "", fields_text(news, "text"));
    snprintf(wait->now, sizeof wait->now, "%s%s%s", service, *service ? ": " : "", fields_text(news, "text"));
    prose_clean(wait->now);
    wait->now[strcspn(wait->now, "\n")] = '\0';
}

/* --- when the connection is lost --- */

static json_t *status_request(void)
{
    return json_pack("{s:s}", "verb", "status");
}

static json_t *events_request(const struct wait *wait, int limit)
{
    return json_pack("{s:s, s:I, s:i, s:s*}", "verb", "events", "after", wait->told_id, "limit", limit,
                     "service", wait->service);
}

/* One part of an answer (new); NULL: the connection is lost. */
static json_t *ask(struct wait *wait, json_t *request, const char *part)
{
    json_t *answer = NULL, *value = NULL;

    if (client_ask(wait->client, request, &answer) == 0)
        value = json_incref(json_object_get(answer, part));
    json_decref(answer);
    return value;
}

static void tell_events(struct wait *wait, const json_t *events, bool silently)
{
    json_t *event;
    size_t i;

    json_array_foreach (events, i, event) {
        if (silently)
            wait->told_id = fields_count(event, "id");
        else
            tell(wait, event);
    }
}

static bool is_busy(const json_t *service)
{
    static const char *const quiet[] = { "steady", "failed", "empty", "stopped" };
    const json_t *rollout = json_object_get(service, "rollout");
    json_t *generation;
    size_t i;
    bool busy = true;

    for (i = 0; i < sizeof quiet / sizeof *quiet; i++)
        busy = busy && strcmp(fields_text(rollout, "state"), quiet[i]) != 0;
    json_array_foreach (json_object_get(service, "generations"), i, generation)
        busy = busy || !strcmp(fields_text(generation, "role"), "retired");
    return busy || fields_flag(rollout, "upgrade_remembered");
}

/* Whether the service has an outcome that it did not have before. */
static bool has_outcome(const struct wait *wait, const json_t *service)
{
    const json_t *before = fields_service(wait->before, fields_text(service, "name"));
    double time = fields_number(json_object_get(service, "last"), "time");

    return time > 0 && time != fields_number(json_object_get(before, "last"), "time");
}

/* A failure over a roll-back over the others. */
static int worse(int a, int b)
{
    static const int rank[] = { [CLI_OK] = 0,          [CLI_FAILURE] = 5, [CLI_USAGE] = 2,
                                [CLI_ROLLED_BACK] = 4, [CLI_REFUSED] = 1, [CLI_HELD] = 3 };

    if (b < 0 || b > CLI_HELD)
        return CLI_FAILURE;
    return rank[b] > rank[a] ? b : a;
}

/* The services that have an outcome (new array); NULL: one is still on its way. */
static json_t *ended_services(const struct wait *wait, const json_t *status)
{
    json_t *ended = json_array(), *service;
    size_t i;

    json_array_foreach (json_object_get(status, "services"), i, service) {
        if (wait->service && strcmp(wait->service, fields_text(service, "name")) != 0)
            continue;
        if (has_outcome(wait, service)) {
            json_array_append(ended, service);
        } else if (is_busy(service)) {
            json_decref(ended);
            return NULL;
        }
    }
    return ended;
}

/* The answer that the lost connection would have brought. */
static json_t *summary(json_t *services)
{
    json_t *service, *text = json_string("");
    int result = CLI_OK;
    size_t i;

    if (json_array_size(services) == 0) {
        json_decref(text);
        return json_pack(
            "{s:i, s:s}", "result", CLI_FAILURE, "text",
            "nothing has begun: the request was lost when the supervisor was restarted; ask again");
    }
    json_array_foreach (services, i, service) {
        const json_t *last = json_object_get(service, "last");
        json_t *longer = json_sprintf("%s%s%s: %s", json_string_value(text), i ? "\n" : "",
                                      fields_text(service, "name"), fields_text(last, "text"));

        json_decref(text);
        text = longer;
        result = worse(result, (int)fields_count(last, "result"));
    }
    return json_pack("{s:i, s:o, s:O}", "result", result, "text", text, "services", services);
}

/* Look once. The answer (new); NULL: not yet, or the connection is lost (again). */
static json_t *look(struct wait *wait)
{
    json_t *events = ask(wait, events_request(wait, 1000), "events");
    json_t *status = events ? ask(wait, status_request(), "status") : NULL;
    json_t *ended = status ? ended_services(wait, status) : NULL;
    json_t *answer = ended ? summary(ended) : NULL;

    tell_events(wait, events, false);
    if (!status)
        client_disconnect(wait->client);
    json_decref(events);
    json_decref(status);
    json_decref(ended);
    return answer;
}

/* Look at events and status until everything has come to its end. Returns the exit code. */
static int wait_without_connection(struct wait *wait)
{
    json_t *answer = NULL;

    client_disconnect(wait->client);
    live_say(&wait->live, "baton: the connection was lost; the rollout goes on, and so does the waiting");
    while (!answer) {
        int outcome = wait->client->connection ? 0 : client_reconnect(wait->client);

        if (outcome)
            return client_tell(wait->client, outcome);
        answer = look(wait);
        show(wait);
        if (!answer)
            poll(NULL, 0, LOOK_AGAIN_MS);
    }
    live_close(&wait->live);
    int result = client_print(answer);
    json_decref(answer);
    return result;
}

/* --- with it --- */

static int wait_with_connection(struct wait *wait)
{
    json_t *line;

    for (;;) {
        int outcome = client_receive(wait->client, live_pause_ms(&wait->live), &line);

        if (outcome == CONTROL_CLIENT_CLOSED)
            return wait_without_connection(wait);
        if (outcome && outcome != -ETIMEDOUT)
            return client_tell(wait->client, outcome);
        if (fields_known(line, "result"))
            break;
        if (line)
            tell(wait, json_object_get(line, "progress"));
        show(wait);
        json_decref(line);
    }
    live_close(&wait->live);
    int result = client_print(line);
    json_decref(line);
    return result;
}

/* What there is before anything is asked for. CLI_OK or the exit code of what was told. */
static int look_before(struct wait *wait)
{
    json_t *status, *events = NULL;
    int result = client_read(wait->client, status_request(), &status);

    if (result == CLI_OK) {
        wait->before = json_incref(json_object_get(status, "status"));
        result = client_read(wait->client, events_request(wait, 1), &events);
    }
    tell_events(wait, json_object_get(events, "events"), true);
    json_decref(status);
    json_decref(events);
    return result;
}

int wait_for_rollout(struct client *client, json_t *request, const char *service)
{
    struct wait wait = { .client = client, .service = service };
    int result = look_before(&wait);

    if (result == CLI_OK) {
        clock_gettime(CLOCK_MONOTONIC, &wait.began);
        live_open(&wait.live);
        signal(SIGINT, on_interrupt);
        int outcome = client_send(client, json_incref(request));
        result = outcome < 0 ? client_tell(client, outcome) : wait_with_connection(&wait);
        live_close(&wait.live);
    }
    json_decref(request);
    json_decref(wait.before);
    return result;
}
