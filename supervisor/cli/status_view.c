#include "supervisor/cli/status_view.h"

#include <string.h>

#include "supervisor/cli/fields.h"
#include "supervisor/cli/human.h"
#include "supervisor/cli/table.h"
#include "supervisor/prose.h"

/* Sums over the workers of a generation; `known`: at least one told its numbers. */
struct totals {
    size_t workers, serving;
    json_int_t active, idle, requests, errors, restarts;
    bool known;
};

static struct totals add_up(const json_t *generation)
{
    struct totals totals = { 0 };
    json_t *worker;
    size_t i;

    json_array_foreach (json_object_get(generation, "workers"), i, worker) {
        totals.workers++;
        totals.serving += !strcmp(fields_text(worker, "state"), "serving");
        totals.active += fields_count(worker, "active");
        totals.idle += fields_count(worker, "idle");
        totals.requests += fields_count(worker, "requests");
        totals.errors += fields_count(worker, "errors");
        totals.restarts += fields_count(worker, "restarts");
        totals.known = totals.known || fields_known(worker, "requests");
    }
    return totals;
}

static void add_count(struct table *table, bool known, json_int_t count)
{
    char text[HUMAN_BYTES];

    human_count(count > 0 ? (uint64_t)count : 0, text);
    table_add(table, "%s", known ? text : "-");
}

static void add_connections(struct table *table, bool known, json_int_t active, json_int_t idle)
{
    char all[HUMAN_BYTES], idle_text[HUMAN_BYTES];

    human_count(active + idle > 0 ? (uint64_t)(active + idle) : 0, all);
    human_count(idle > 0 ? (uint64_t)idle : 0, idle_text);
    table_add(table, known ? "%s (%s)" : "-", all, idle_text);
}

static void add_duration(struct table *table, bool known, double seconds, const char *behind)
{
    char text[HUMAN_BYTES];

    human_duration(seconds, text);
    table_add(table, "%s%s", known ? text : "", known ? behind : "");
}

/* --- the generations of a service --- */

static void add_generation(struct table *table, const json_t *generation, json_int_t wanted, double now)
{
    bool stable = !strcmp(fields_text(generation, "role"), "stable");
    struct totals totals = add_up(generation);

    table_add(table, "%lld", (long long)fields_count(generation, "generation"));
    table_add(table, "%s%s", fields_text(generation, "state"), stable ? ", stable" : "");
    if (stable && (json_int_t)totals.serving != wanted)
        table_add(table, "%zu of %lld", totals.serving, (long long)wanted);
    else
        table_add(table, "%zu", totals.workers);
    add_count(table, totals.known, totals.requests);
    add_count(table, totals.known, totals.errors);
    add_connections(table, totals.known, totals.active, totals.idle);
    add_duration(table, true, now - fields_number(generation, "started"), "");
    table_add(table, "%s", fields_text(generation, "release"));
    add_duration(table, fields_known(generation, "time_left_ms"),
                 fields_number(generation, "time_left_ms") / 1e3, " left");
}

static void print_generations(const json_t *service, double now, FILE *to)
{
    static const struct table_column columns[] = {
        { "GENERATION", TABLE_LEFT }, { "STATE", TABLE_LEFT },   { "WORKERS", TABLE_RIGHT },
        { "REQUESTS", TABLE_RIGHT },  { "ERRORS", TABLE_RIGHT }, { "CONNS (idle)", TABLE_RIGHT },
        { "AGE", TABLE_RIGHT },       { "RELEASE", TABLE_LEFT }, { "", TABLE_LEFT },
    };
    struct table table;
    json_t *generation;
    size_t i;

    table_open(&table, columns, sizeof columns / sizeof *columns);
    json_array_foreach (json_object_get(service, "generations"), i, generation)
        add_generation(&table, generation, fields_count(service, "workers_wanted"), now);
    table_print(&table, 2, to);
    table_close(&table);
}

static void add_worker(struct table *table, const json_t *generation, const json_t *worker)
{
    bool known = fields_known(worker, "requests");

    table_add(table, "%lld.%lld", (long long)fields_count(generation, "generation"),
              (long long)fields_count(worker, "worker"));
    table_add(table, "%lld", (long long)fields_count(worker, "pid"));
    table_add(table, "%s", fields_text(worker, "state"));
    add_count(table, known, fields_count(worker, "requests"));
    add_count(table, known, fields_count(worker, "errors"));
    add_connections(table, known, fields_count(worker, "active"), fields_count(worker, "idle"));
    add_count(table, true, fields_count(worker, "restarts"));
    table_add(table, "%s", fields_text(worker, "status"));
}

static void print_workers(const json_t *service, FILE *to)
{
    static const struct table_column columns[] = {
        { "WORKER", TABLE_LEFT },    { "PID", TABLE_RIGHT },    { "STATE", TABLE_LEFT },
        { "REQUESTS", TABLE_RIGHT }, { "ERRORS", TABLE_RIGHT }, { "CONNS (idle)", TABLE_RIGHT },
        { "RESTARTS", TABLE_RIGHT }, { "SAYS", TABLE_LEFT },
    };
    struct table table;
    json_t *generation, *worker;
    size_t i, k;

    table_open(&table, columns, sizeof columns / sizeof *columns);
    json_array_foreach (json_object_get(service, "generations"), i, generation) {
        json_array_foreach (json_object_get(generation, "workers"), k, worker)
            add_worker(&table, generation, worker);
    }
    table_print(&table, 2, to);
    table_close(&table);
}

/* --- what is said below them --- */

static bool rollout_runs(const json_t *rollout)
{
    static const char *const running[] = { "starting", "verifying", "handoff",
                                           "shifting", "soaking",   "reverting" };

    for (size_t i = 0; i < sizeof running / sizeof *running; i++) {
        if (!strcmp(fields_text(rollout, "state"), running[i]))
            return true;
    }
    return false;
}

static void print_rollout(const json_t *service, double now, FILE *to)
{
    const json_t *rollout = json_object_get(service, "rollout");
    char time[HUMAN_BYTES];

    if (rollout_runs(rollout)) {
        human_duration(now - fields_number(rollout, "since"), time);
        fputs("  rollout: ", to);
        if (fields_known(rollout, "candidate"))
            fprintf(to, "generation %lld ", (long long)fields_count(rollout, "candidate"));
        fprintf(to, "%s for %s", fields_text(rollout, "state"), time);
        if (fields_known(rollout, "asked_by"))
            fprintf(to, ", asked for by %s", fields_text(rollout, "asked_by"));
        fputc('\n', to);
    }
    if (fields_flag(rollout, "upgrade_remembered"))
        fputs("  another upgrade was asked for and starts when this one has ended\n", to);
}

static void print_last(const json_t *service, double now, FILE *to)
{
    const json_t *last = json_object_get(service, "last");
    char moment[HUMAN_BYTES];

    if (!fields_known(service, "last"))
        return;
    human_moment(fields_number(last, "time"), now, moment);
    fprintf(to, "  last rollout (%s): ", moment);
    prose_print(fields_text(last, "text"), 4, to);
}

static void print_next(const json_t *service, FILE *to)
{
    const char *name = fields_text(service, "name"), *state = fields_text(service, "state");
    const json_t *rollout = json_object_get(service, "rollout");

    if (fields_flag(service, "wanted_differs"))
        fprintf(to, "  what serves is not what is wanted: baton upgrade %s\n", name);
    if (rollout_runs(rollout) && strcmp(state, "starting") != 0)
        fprintf(to, "  next: baton events --follow %s | baton rollback %s\n", name, name);
    else if (!strcmp(state, "failed") || !strcmp(state, "down"))
        fprintf(to, "  next: baton history %s --last | baton events %s\n", name, name);
}

/* --- the services --- */

static void add_listeners(struct table *table, const json_t *service)
{
    char text[256] = "";
    size_t used = 0, i;
    json_t *listener;

    json_array_foreach (json_object_get(service, "listeners"), i, listener) {
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                                     fields_text(listener, "address"));
    }
    table_add(table, "%s", text);
}

static void add_service(struct table *table, const json_t *service, double now)
{
    char time[HUMAN_BYTES];

    human_duration(now - fields_number(service, "state_since"), time);
    table_add(table, "%s", fields_text(service, "name"));
    table_add(table, "%s", fields_text(service, "state"));
    table_add(table, "for %s", time);
    add_listeners(table, service);
}

static void print_instance(const json_t *status, double now, FILE *to)
{
    json_int_t restarts = fields_count(status, "supervisor_restarts");
    char time[HUMAN_BYTES];

    human_duration(now - fields_number(status, "started"), time);
    fprintf(to, "baton %s: pid %lld, up %s", fields_text(status, "name"),
            (long long)fields_count(status, "pid"), time);
    if (fields_known(status, "config"))
        fprintf(to, ", %s", fields_text(status, "config"));
    if (restarts > 0)
        fprintf(to, ", supervisor restarted %lld time%s", (long long)restarts, restarts == 1 ? "" : "s");
    fputc('\n', to);
    if (fields_flag(status, "stopping"))
        fputs("it is being stopped\n", to);
    if (fields_flag(status, "safe_mode"))
        fputs("SAFE MODE: the supervisor died several times in a row; everything serves, nothing is changed: "
              "baton events\n",
              to);
}

void status_view_print(const json_t *status, double now, bool workers, FILE *to)
{
    static const struct table_column columns[4]; /* left, without titles */
    const json_t *services = json_object_get(status, "services");
    struct table table;
    json_t *service;
    size_t i;

    table_open(&table, columns, 4);
    json_array_foreach (services, i, service)
        add_service(&table, service, now);
    json_array_foreach (services, i, service) {
        table_print_row(&table, i, 0, to);
        print_generations(service, now, to);
        if (workers)
            print_workers(service, to);
        print_rollout(service, now, to);
        print_last(service, now, to);
        print_next(service, to);
    }
    table_close(&table);
    print_instance(status, now, to);
}
