#include "supervisor/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/jsonline.h"

static json_t *count_or_null(const struct worker *worker, uint64_t value)
{
    return worker->has_status ? json_integer((json_int_t)value) : json_null();
}

static json_t *worker_status(const struct worker *worker)
{
    return json_pack("{s:i, s:i, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o}", "worker", (int)worker->number,
                     "pid", (int)worker->spawn.pid, "state", worker_state_name(worker->state), "native",
                     worker->greeted, "restarts", (int)worker->restarts, "active",
                     count_or_null(worker, worker->status.active), "idle",
                     count_or_null(worker, worker->status.idle), "requests",
                     count_or_null(worker, worker->status.requests), "errors",
                     count_or_null(worker, worker->status.errors), "status",
                     jsonline_text(worker->said[0] ? worker->said : NULL));
}

/* How a generation ends is told by what its workers do. */
static const char *state_for_people(const struct generation *generation)
{
    enum worker_state state = WORKER_GONE;

    if (generation->state != GENERATION_RETIRING)
        return generation_state_name(generation->state);
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (generation->workers[i]->state < state)
            state = generation->workers[i]->state;
    }
    return worker_state_name(state);
}

/* Until the first worker's time is up; null without a limit. */
static json_t *time_left(const struct generation *generation)
{
    uint64_t now = runtime_now_ms(), first = 0;

    for (unsigned i = 0; i < generation->worker_count; i++) {
        uint64_t deadline = generation->workers[i]->deadline_ms;
        if (deadline && (!first || deadline < first))
            first = deadline;
    }
    return first ? json_integer(first > now ? (json_int_t)(first - now) : 0) : json_null();
}

static const char *role_of(const struct service *service, const struct generation *generation)
{
    if (generation == service->stable)
        return "stable";
    return generation == service->candidate ? "candidate" : "retired";
}

static json_t *generation_status(const struct service *service, const struct generation *generation)
{
    json_t *workers = json_array();
    char *label = release_label(generation->kept->release);

    for (unsigned i = 0; i < generation->worker_count; i++)
        json_array_append_new(workers, worker_status(generation->workers[i]));
    json_t *json = json_pack("{s:i, s:s, s:s, s:o, s:f, s:o, s:o}", "generation", (int)generation->number,
                             "role", role_of(service, generation), "state", state_for_people(generation),
                             "release", jsonline_text(label ? label : "?"), "started", generation->started,
                             "time_left_ms", time_left(generation), "workers", workers);
    free(label);
    return json;
}

static json_t *listeners_status(const struct service *service)
{
    const struct generation *generation = service->stable ? service->stable : service->candidate;
    json_t *listeners = json_array();

    for (size_t i = 0; generation && i < generation->listener_count; i++) {
        if (generation->lanes[i])
            json_array_append_new(listeners,
                                  json_pack("{s:s, s:o}", "name", generation->listeners[i].name, "address",
                                            jsonline_text(generation->lanes[i]->listener->address_text)));
    }
    return listeners;
}

/* The state of the service, which is not that of its rollout: with a stable generation it serves. */
static const char *service_state(const struct service *service)
{
    switch (service->state) {
    case ROLLOUT_STOPPING:
        return "stopping";
    case ROLLOUT_EMPTY:
    case ROLLOUT_STOPPED:
        return "stopped";
    case ROLLOUT_FAILED:
        return "failed";
    default:
        return !service->stable ? "starting" : generation_serving(service->stable) == 0 ? "down" : "serving";
    }
}

static json_t *rollout_status(const struct service *service)
{
    return json_pack("{s:s, s:o, s:f, s:o, s:b}", "state", rollout_state_name(service->state), "candidate",
                     service->candidate ? json_integer(service->candidate->number) : json_null(), "since",
                     service->state_since, "asked_by",
                     jsonline_text(service->asked_by[0] ? service->asked_by : NULL), "upgrade_remembered",
                     service->remembered);
}

static json_t *last_status(const struct service *service)
{
    if (!service->last.time)
        return json_null();
    return json_pack("{s:i, s:i, s:o, s:f}", "result", (int)service->last.result, "generation",
                     (int)service->last.generation, "text", jsonline_text(service->last.text), "time",
                     service->last.time);
}

json_t *status_service(const struct service *service)
{
    json_t *generations = json_array();

    for (const struct generation *g = service->generations; g; g = g->next)
        json_array_append_new(generations, generation_status(service, g));
    return json_pack("{s:s, s:s, s:f, s:o, s:o, s:i, s:b, s:o, s:o}", "name", service->name, "state",
                     service_state(service), "state_since",
                     service->serving_since ? service->serving_since : service->state_since, "rollout",
                     rollout_status(service), "listeners", listeners_status(service), "workers_wanted",
                     (int)service->workers, "wanted_differs", service_differs(service), "last",
                     last_status(service), "generations", generations);
}

void status_line(const struct service *services, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (const struct service *s = services; s && used < bytes; s = s->next) {
        const char *separator = used ? "; " : "";
        int written;

        if (s->candidate && s->stable)
            written =
                snprintf(text + used, bytes - used, "%s%s %" PRIu32 " %s, %" PRIu32 " stable", separator,
                         s->name, s->candidate->number, rollout_state_name(s->state), s->stable->number);
        else if (s->stable)
            written = snprintf(text + used, bytes - used, "%s%s %" PRIu32 " %s%s", separator, s->name,
                               s->stable->number, service_state(s),
                               s->remembered ? ", another upgrade is to follow" : "");
        else
            written = snprintf(text + used, bytes - used, "%s%s %s", separator, s->name, service_state(s));
        used += (size_t)written;
    }
}
