/* What the rollout's table tells a service to do: start, verify, abandon, commit, and say how it went. */
#include "supervisor/jsonline.h"
#include "supervisor/process/fault.h"
#include "supervisor/service_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_LONGEST_MS = 60000,
};

double service_unix_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void service_seconds(uint64_t since_ms, char text[32])
{
    runtime_format_ms(runtime_now_ms() - since_ms, text);
}

static void tell_outcome(struct service *service, uint32_t generation, enum service_result result,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
static void tell_outcome(struct service *service, uint32_t generation, enum service_result result,
                         const char *format, ...)
{
    va_list arguments;

    service->last =
        (struct service_outcome){ .result = result, .time = service_unix_time(), .generation = generation };
    va_start(arguments, format);
    vsnprintf(service->last.text, sizeof service->last.text, format, arguments);
    va_end(arguments);
    service->settled = true;
    service->runtime->dirty = true;
    service->handlers->on_outcome(service->handlers->arg, service, generation, result, service->last.text);
}

/* Number, definition and release of the generation that is to be started. */
static uint32_t choose_number(struct service *service)
{
    if (service->retrying && service->attempt)
        return service->attempt;
    uint32_t number = events_last_generation(service->events, service->name) + 1;
    events_set_last_generation(service->events, service->name, number);
    return number;
}

static void record_start(struct service *service, struct generation *generation)
{
    json_t *fields = json_object(), *pids = json_array();
    char *label = release_label(generation->kept->release);

    for (unsigned i = 0; i < generation->worker_count; i++)
        json_array_append_new(pids, json_integer(generation->workers[i]->spawn.pid));
    json_object_set_new(fields, "pids", pids);
    json_object_set_new(fields, "release", jsonline_text(label ? label : "?"));
    json_object_set_new(fields, "asked_by", json_string(service->asked_by));
    events_record(service->events, "started", service->name, generation->number, fields,
                  "generation %" PRIu32 " started: %s (pid %d)", generation->number, label ? label : "?",
                  (int)generation->workers[0]->spawn.pid);
    free(label);
}

/* It is recorded that this number is wanted: a successor that finds no candidate starts it under the same
 * one. */
void service_start_generation(void *arg)
{
    struct service *service = arg;
    struct generation *generation;
    char *reason = NULL;

    if (service->state != ROLLOUT_STARTING || service->candidate || !service->retrying)
        return; /* given up before it began */
    fault_point("start-recorded");
    service->retrying = false;
    int error = generation_create(service->runtime, service->lanes, service->attempt,
                                  service->going_back ? service->previous.definition : service->wanted,
                                  service->going_back ? kept_release_ref(service->previous.kept) : NULL,
                                  &service_generation_handlers, service, &generation, &reason);
    if (error) {
        service_set_reason(service, "generation %" PRIu32 " was not started: %s", service->attempt,
                           reason ? reason : strerror(-error));
        free(reason);
        service_post(service, ROLLOUT_EV_CANDIDATE_FAILED, NULL);
        return;
    }
    generation->next = service->generations;
    service->generations = generation;
    service->candidate = generation;
    generation->release_of = service->going_back ? service->previous.number : 0;
    generation_start(generation, service->workers ? service->workers : generation->service->workers);
    record_start(service, generation);
}

static void start(struct service *service)
{
    service->attempt = choose_number(service);
    service->attempt_ms = runtime_now_ms();
    service->reason[0] = '\0';
    service->retrying = true;
    service->runtime->dirty = true;
    runtime_after_record(service->runtime, &service->start);
}

void service_post_candidate_gone(struct service *service)
{
    service_post(service, service->stable ? ROLLOUT_EV_CANDIDATE_GONE : ROLLOUT_EV_NOTHING_LEFT, NULL);
}

static void abandon(struct service *service)
{
    events_record(service->events, "reverting", service->name, service->attempt, NULL, "reverting: %s",
                  service->reason);
    service->retrying = false;
    if (!service->candidate) {
        service_post_candidate_gone(service);
        return;
    }
    generation_event(service->candidate, GENERATION_EV_RETIRE);
    generation_release_lanes(service->candidate);
}

void service_forget_previous(struct service *service)
{
    free(service->previous.definition);
    kept_release_unref(service->previous.kept);
    service->previous = (struct service_previous){ 0 };
}

static void remember_previous(struct service *service, const struct generation *generation)
{
    service_forget_previous(service);
    service->previous = (struct service_previous){
        .definition = strdup(generation->definition),
        .kept = kept_release_ref(generation->kept),
        .number = generation->number,
    };
}

static void arm_overdue(struct service *service, const struct generation *old)
{
    if (old->plan.drain_ms == CONFIG_INFINITE_MS)
        return;
    ev_timer_stop(service->runtime->loop, &service->overdue_timer);
    ev_timer_set(&service->overdue_timer, (double)old->plan.drain_ms / 1000, 0);
    ev_timer_start(service->runtime->loop, &service->overdue_timer);
}

static void commit(struct service *service)
{
    struct generation *old = service->stable;
    char time[32];

    service->stable = service->candidate;
    service->candidate = NULL;
    service->failed_starts = 0;
    generation_set_stable(service->stable, true);
    service_seconds(service->attempt_ms, time);
    events_record(service->events, service->going_back ? "rolled-back" : "committed", service->name,
                  service->stable->number, NULL, "generation %" PRIu32 " serves, %s after it was asked for",
                  service->stable->number, time);
    service->going_back = false;
    if (!old) {
        service->serving_since = service_unix_time();
        tell_outcome(service, service->stable->number, SERVICE_OK, "generation %" PRIu32 " serves after %s",
                     service->stable->number, time);
        return;
    }
    fault_point("committed");
    remember_previous(service, old);
    old->successor = service->stable->number;
    arm_overdue(service, old);
    generation_set_stable(old, false);
    generation_event(old, GENERATION_EV_RETIRE);
    generation_release_lanes(old);
}

static void tell_reverted(struct service *service)
{
    const char *what = service->replaced ? "replaced" : "ROLLED BACK";

    events_record(service->events, "reverted", service->name, service->attempt, NULL, "%s: %s", what,
                  service->reason);
    service->going_back = service->replaced = false;
    tell_outcome(service, service->attempt, SERVICE_ROLLED_BACK, "%s: %s. Generation %" PRIu32 " serves.",
                 what, service->reason, service->stable->number);
}

static void retry_later(struct service *service)
{
    unsigned shift = service->failed_starts < 6 ? service->failed_starts : 6;
    unsigned ms = RETRY_FIRST_MS << shift;

    if (ms > RETRY_LONGEST_MS)
        ms = RETRY_LONGEST_MS;
    service->failed_starts++;
    service->retry_deadline_ms = runtime_now_ms() + ms;
    ev_timer_set(&service->retry_timer, ms / 1000.0, 0);
    ev_timer_start(service->runtime->loop, &service->retry_timer);
}

static void tell_failed(struct service *service)
{
    events_record(service->events, "failed", service->name, service->attempt, NULL, "%s; nothing serves",
                  service->reason);
    service->going_back = service->replaced = false;
    tell_outcome(service, service->attempt, SERVICE_FAILED, "%s", service->reason);
}

void service_stop_timers(struct service *service)
{
    ev_timer_stop(service->runtime->loop, &service->retry_timer);
    ev_timer_stop(service->runtime->loop, &service->overdue_timer);
    service->retry_deadline_ms = 0;
}

static void retire_all(struct service *service)
{
    service_stop_timers(service);
    service->remembered = service->retrying = false;
    if (service->stable)
        generation_set_stable(service->stable, false);
    for (struct generation *g = service->generations; g; g = g->next)
        generation_event(g, GENERATION_EV_RETIRE);
    if (!service->generations)
        service_post(service, ROLLOUT_EV_ALL_GONE, NULL);
}

void service_start_remembered(struct service *service)
{
    char text[SERVICE_TEXT_BYTES];
    uint32_t generation;

    if (!service->remembered || service->removed)
        return;
    service->remembered = false;
    if (service_upgrade(service, service->asked_by, false, &generation, text) != SERVICE_OK)
        service->remembered = true; /* too many old ones: when one of them has gone */
}

void service_act(struct service *service, unsigned actions)
{
    if (actions & ROLLOUT_DO_ABANDON)
        abandon(service);
    if (actions & ROLLOUT_DO_COMMIT)
        commit(service);
    if (actions & ROLLOUT_DO_START)
        start(service);
    if (actions & ROLLOUT_DO_VERIFY)
        generation_verify(service->candidate);
    if (actions & ROLLOUT_DO_ENLIST)
        generation_event(service->candidate, GENERATION_EV_ENLIST);
    if (actions & ROLLOUT_DO_SHIFT)
        service_post(service, ROLLOUT_EV_SHIFTED,
                     NULL); /* generations share their sockets: it has its traffic */
    if (actions & ROLLOUT_DO_SOAK)
        service_post(service, ROLLOUT_EV_SOAKED, NULL);
    if (actions & ROLLOUT_DO_RETIRE_ALL)
        retire_all(service);
    if (actions & ROLLOUT_DO_RETRY_LATER)
        retry_later(service);
    if (actions & ROLLOUT_DO_TELL_REVERTED)
        tell_reverted(service);
    if (actions & ROLLOUT_DO_TELL_FAILED)
        tell_failed(service);
    if (actions & ROLLOUT_DO_TELL_STOPPED)
        events_record(service->events, "stopped", service->name, 0, NULL, "stopped");
    if (actions & ROLLOUT_DO_REMEMBERED)
        service_start_remembered(service);
}

void service_tell_upgraded(struct service *service, struct generation *old)
{
    const struct generation *now = service->stable;
    char time[32], what[64] = "upgraded";

    service_seconds(service->attempt_ms, time);
    if (now && now->number == old->successor && now->release_of)
        snprintf(what, sizeof what, "went back to the release of generation %" PRIu32 ":", now->release_of);
    tell_outcome(service, old->successor, SERVICE_OK,
                 "%s %" PRIu32 " -> %" PRIu32 " in %s, %u connection%s cut", what, old->number,
                 old->successor, time, old->cut, old->cut == 1 ? "" : "s");
    old->successor = 0;
}

/* Draining takes longer than drain_timeout: whoever waits for the upgrade is told that it is done. */
void service_on_overdue(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct service *service = timer->data;

    (void)loop;
    (void)events;
    for (struct generation *g = service->generations; g; g = g->next) {
        if (!g->successor || runtime_now_ms() - service->attempt_ms < g->plan.drain_ms)
            continue;
        tell_outcome(service, g->successor, SERVICE_OK,
                     "upgraded %" PRIu32 " -> %" PRIu32 "; generation %" PRIu32
                     " had connections at the end of its "
                     "drain_timeout and is being stopped",
                     g->number, g->successor, g->number);
        g->successor = 0;
    }
}
