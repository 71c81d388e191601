/* baton events, history: what happened. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "supervisor/cli/arguments.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/client.h"
#include "supervisor/cli/event_view.h"
#include "supervisor/cli/fields.h"
#include "supervisor/events.h"
#include "supervisor/jsonline.h"

/* Events that are shown when nothing else is said. */
enum { LISTED = 50, LISTED_BEFORE_FOLLOWING = 10 };

struct listing {
    struct client client;
    const char *service; /* NULL: all */
    json_int_t after, limit;
    bool json, follow, last;
    struct event_view view;
};

static double now(void)
{
    struct timeval time;

    gettimeofday(&time, NULL);
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* A number given as an option; `text` NULL: `*value` stays. */
static int read_number(const struct cli_verb *verb, const char *name, const char *text, json_int_t min,
                       json_int_t max, json_int_t *value)
{
    char *end;

    if (!text)
        return CLI_OK;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < min || number > max)
        return cli_usage(verb, "%s: \"%s\" is not a number from %lld to %lld", name, text, (long long)min,
                         (long long)max);
    *value = number;
    return CLI_OK;
}

static json_t *request_for(const struct listing *listing, const char *verb, bool follow)
{
    return json_pack("{s:s, s:I, s:I, s:b, s:s*}", "verb", verb, "after", listing->after, "limit",
                     listing->limit, "follow", follow, "service", listing->service);
}

/* --- a list --- */

static void print_json(const json_t *events)
{
    json_t *document = json_pack("{s:i, s:O}", "version", 1, "events", events);

    if (document && json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(13)) == 0)
        putchar('\n');
    json_decref(document);
}

static void print_line(const struct listing *listing, const json_t *event)
{
    if (listing->json && json_dumpf(event, stdout, JSONLINE_FLAGS) == 0)
        putchar('\n');
    if (!listing->json)
        event_view_print(&listing->view, event, now(), stdout);
}

static void print_list(struct listing *listing, const json_t *events)
{
    json_t *event;
    size_t i;

    if (listing->json && !listing->follow) {
        print_json(events);
        return;
    }
    event_view_fit(&listing->view, events, now());
    json_array_foreach (events, i, event) {
        if (listing->last)
            event_view_print_details(event, now(), stdout);
        else
            print_line(listing, event);
        listing->after = fields_count(event, "id");
    }
}

static int list(struct listing *listing, const char *verb)
{
    json_t *answer;
    int result = client_read(&listing->client, request_for(listing, verb, false), &answer);

    if (result == CLI_OK)
        print_list(listing, json_object_get(answer, "events"));
    json_decref(answer);
    return result;
}

/* --- and what follows --- */

static void on_interrupt(int signo)
{
    (void)signo;
    _exit(CLI_OK); /* every line was flushed */
}

/* Print events until the connection is lost. */
static int receive_events(struct listing *listing)
{
    json_t *line;
    int outcome;

    while ((outcome = client_receive(&listing->client, -1, &line)) == 0) {
        const json_t *event = json_object_get(line, "event");
        int result = (int)fields_count(line, "result");

        if (event) {
            print_line(listing, event);
            listing->after = fields_count(event, "id");
        } else if (result != CLI_OK) {
            client_print(line);
            json_decref(line);
            return -ECANCELED;
        }
        fflush(stdout);
        json_decref(line);
    }
    return outcome;
}

static int follow(struct listing *listing)
{
    fflush(stdout);
    signal(SIGINT, on_interrupt);
    for (;;) {
        int outcome = client_send(&listing->client, request_for(listing, "events", true));

        if (outcome >= 0)
            outcome = receive_events(listing);
        if (outcome == -ECANCELED)
            return CLI_FAILURE;
        if (outcome == CONTROL_CLIENT_CLOSED)
            outcome = client_reconnect(&listing->client);
        if (outcome == CLIENT_ENDED) {
            cli_error("baton %s has ended", listing->client.location.name);
            return CLI_OK;
        }
        if (outcome)
            return client_tell(&listing->client, outcome);
    }
}

static int run_events(int argc, char **argv)
{
    const char *name = NULL, *after = NULL, *limit = NULL;
    struct listing listing = { .limit = LISTED };
    const struct arguments_option options[] = {
        { "--follow", &listing.follow, NULL }, { "--after", NULL, &after }, { "--limit", NULL, &limit },
        { "--json", &listing.json, NULL },     { "--name", NULL, &name },   { 0 },
    };
    int result = arguments_read(&cli_events, argc, argv, options, &listing.service, 1);

    if (result == CLI_OK)
        result = read_number(&cli_events, "--after", after, 0, INT64_MAX, &listing.after);
    if (listing.follow)
        listing.limit = LISTED_BEFORE_FOLLOWING;
    if (result == CLI_OK)
        result = read_number(&cli_events, "--limit", limit, 1, EVENTS_KEPT, &listing.limit);
    if (result == CLI_OK)
        result = client_open(name, &listing.client);
    if (result != CLI_OK)
        return result;
    result = list(&listing, "events");
    if (result == CLI_OK && listing.follow)
        result = follow(&listing);
    client_close(&listing.client);
    return result;
}

static int run_history(int argc, char **argv)
{
    const char *name = NULL, *limit = NULL;
    struct listing listing = { .limit = 20 };
    const struct arguments_option options[] = {
        { "--last", &listing.last, NULL },
        { "--limit", NULL, &limit },
        { "--json", &listing.json, NULL },
        { "--name", NULL, &name },
        { 0 },
    };
    int result = arguments_read(&cli_history, argc, argv, options, &listing.service, 1);

    if (result == CLI_OK)
        result = read_number(&cli_history, "--limit", limit, 1, EVENTS_KEPT, &listing.limit);
    if (result == CLI_OK)
        result = client_open(name, &listing.client);
    if (result != CLI_OK)
        return result;
    if (listing.last)
        listing.limit = 1;
    result = list(&listing, "history");
    client_close(&listing.client);
    return result;
}

const struct cli_verb cli_events = {
    .name = "events",
    .synopsis = "events [SERVICE] [--follow] [--limit N] [--after ID] [--json] [--name NAME]",
    .summary = "what happened, and what happens",
    .help = "The newest events, oldest first; baton keeps the last 1,000, also while it does not run.\n"
            "\n"
            "  --follow     go on with each event as it happens, until interrupted or baton ends\n"
            "  --limit N    at most N events (50; with --follow at first 10)\n"
            "  --after ID   only those behind the event of this number\n"
            "  --json       {\"version\": 1, \"events\": […]}; with --follow one event per line\n"
            "  --name NAME  of the instance, when several run\n",
    .run = run_events,
};

const struct cli_verb cli_history = {
    .name = "history",
    .synopsis = "history [SERVICE] [--last] [--limit N] [--json] [--name NAME]",
    .summary = "how the rollouts ended",
    .help = "The events that end a rollout: committed, rolled-back, reverted, failed; oldest first.\n"
            "\n"
            "  --last       only the last one, with everything that is known about it\n"
            "  --limit N    at most N (20)\n"
            "  --json       {\"version\": 1, \"events\": […]}\n"
            "  --name NAME  of the instance, when several run\n",
    .run = run_history,
};
