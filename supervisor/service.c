#include "supervisor/service_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/log.h"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_LONGEST_MS = 60000,
};

/* What waits in the queue: an event of the rollout, or (generation set) the end of a generation. */
struct service_item {
    enum rollout_event event;
    struct generation *gone;
};

static const struct generation_handlers generation_handlers;

/* --- small helpers --- */

static double unix_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void service_post(struct service *service, enum rollout_event event, struct generation *gone)
{
    if (service->post_count == service->post_capacity) {
        size_t capacity = service->post_capacity ? 2 * service->post_capacity : 16;
        struct service_item *posts = realloc(service->posts, capacity * sizeof *posts);
        if (!posts)
            abort(); /* a lost event would leave the rollout in a state nobody ends; the keeper starts us
                        again */
        service->posts = posts;
        service->post_capacity = capacity;
    }
    service->posts[service->post_count++] = (struct service_item){ .event = event, .gone = gone };
}

static void seconds_text(uint64_t since_ms, char text[32])
{
    uint64_t ms = runtime_now_ms() - since_ms;

    if (ms < 1000)
        snprintf(text, 32, "%" PRIu64 " ms", ms);
    else
        snprintf(text, 32, "%.1f s", (double)ms / 1000);
}

static void tell_outcome(struct service *service, uint32_t generation, enum service_result result,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
static void tell_outcome(struct service *service, uint32_t generation, enum service_result result,
                         const char *format, ...)
{
    va_list arguments;

    service->last =
        (struct service_outcome){ .result = result, .time = unix_time(), .generation = generation };
    va_start(arguments, format);
    vsnprintf(service->last.text, sizeof service->last.text, format, arguments);
    va_end(arguments);
    service->settled = true;
    service->runtime->dirty = true;
    service->handlers->on_outcome(service->handlers->arg, service, generation, result, service->last.text);
}

void service_set_reason(struct service *service, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(service->reason, sizeof service->reason, format, arguments);
    va_end(arguments);
}

bool service_differs(const struct service *service)
{
    return service->stable && strcmp(service->stable->definition, service->wanted) != 0;
}

unsigned service_retired(const struct service *service)
{
    unsigned count = 0;

    for (const struct generation *g = service->generations; g; g = g->next)
        count += g != service->stable && g != service->candidate;
    return count;
}

/* --- told by the generations --- */

static void on_ready(void *arg, struct generation *generation)
{
    struct service *service = arg;
    char time[32];

    if (generation != service->candidate)
        return;
    seconds_text(generation->started_ms, time);
    events_record(service->events, "ready", service->name, generation->number, NULL,
                  "generation %" PRIu32 " ready in %s", generation->number, time);
    service_post(service, ROLLOUT_EV_READY, NULL);
}

static void on_verified(void *arg, struct generation *generation, bool success)
{
    struct service *service = arg;

    if (generation != service->candidate)
        return;
    if (!success)
        service_set_reason(service, "generation %" PRIu32 " %s", generation->number, generation->reason);
    service_post(service, success ? ROLLOUT_EV_VERIFIED : ROLLOUT_EV_CANDIDATE_FAILED, NULL);
}

static void on_serving(void *arg, struct generation *generation)
{
    struct service *service = arg;

    if (generation == service->candidate)
        service_post(service, ROLLOUT_EV_SERVING, NULL);
}

static void on_failed(void *arg, struct generation *generation)
{
    struct service *service = arg;

    if (generation != service->candidate)
        return;
    if (!service->reason[0])
        service_set_reason(service, "generation %" PRIu32 " %s", generation->number, generation->reason);
    service_post(service, ROLLOUT_EV_CANDIDATE_FAILED, NULL);
}

static void on_gone(void *arg, struct generation *generation)
{
    service_post(arg, 0, generation);
}

static void on_notice(void *arg, struct generation *generation, const struct worker *worker, const char *text)
{
    struct service *service = arg;
    json_t *fields =
        worker ? json_pack("{s:i, s:i}", "worker", (int)worker->number, "pid", (int)worker->spawn.pid) : NULL;

    events_record(service->events, "notice", service->name, generation->number, fields,
                  "generation %" PRIu32 ": %s", generation->number, text);
    if (generation == service->stable && generation_crash_loops(generation))
        service_post(service, ROLLOUT_EV_STABLE_LOST, NULL);
}

static const struct generation_handlers generation_handlers = {
    .on_ready = on_ready,
    .on_verified = on_verified,
    .on_serving = on_serving,
    .on_failed = on_failed,
    .on_gone = on_gone,
    .on_notice = on_notice,
};

/* --- actions --- */

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
    json_object_set_new(fields, "release", json_string(label ? label : "?"));
    json_object_set_new(fields, "asked_by", json_string(service->asked_by));
    events_record(service->events, "started", service->name, generation->number, fields,
                  "generation %" PRIu32 " started: %s (pid %d)", generation->number, label ? label : "?",
                  (int)generation->workers[0]->spawn.pid);
    free(label);
}

static void start(struct service *service)
{
    const char *definition = service->going_back ? service->previous.definition : service->wanted;
    struct kept_release *kept = service->going_back ? kept_release_ref(service->previous.kept) : NULL;
    struct generation *generation;
    char *reason = NULL;

    service->attempt = choose_number(service);
    service->attempt_ms = runtime_now_ms();
    service->retrying = false;
    service->reason[0] = '\0';
    int error = generation_create(service->runtime, service->lanes, service->attempt, definition, kept,
                                  &generation_handlers, service, &generation, &reason);
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
    generation_start(generation, service->workers ? service->workers : generation->service->workers);
    record_start(service, generation);
}

static void post_candidate_gone(struct service *service)
{
    service_post(service, service->stable ? ROLLOUT_EV_CANDIDATE_GONE : ROLLOUT_EV_NOTHING_LEFT, NULL);
}

static void abandon(struct service *service)
{
    events_record(service->events, "reverting", service->name, service->attempt, NULL, "reverting: %s",
                  service->reason);
    if (!service->candidate) {
        post_candidate_gone(service);
        return;
    }
    generation_event(service->candidate, GENERATION_EV_RETIRE);
    generation_release_lanes(service->candidate);
}

static void forget_previous(struct service *service)
{
    free(service->previous.definition);
    kept_release_unref(service->previous.kept);
    service->previous = (struct service_previous){ 0 };
}

static void remember_previous(struct service *service, const struct generation *generation)
{
    forget_previous(service);
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
    seconds_text(service->attempt_ms, time);
    events_record(service->events, service->going_back ? "rolled-back" : "committed", service->name,
                  service->stable->number, NULL, "generation %" PRIu32 " serves, %s after it was asked for",
                  service->stable->number, time);
    service->going_back = false;
    if (!old) {
        tell_outcome(service, service->stable->number, SERVICE_OK, "generation %" PRIu32 " serves after %s",
                     service->stable->number, time);
        return;
    }
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
    service->remembered = false;
    if (service->stable)
        generation_set_stable(service->stable, false);
    for (struct generation *g = service->generations; g; g = g->next)
        generation_event(g, GENERATION_EV_RETIRE);
    if (!service->generations)
        service_post(service, ROLLOUT_EV_ALL_GONE, NULL);
}

static void start_remembered(struct service *service)
{
    char text[SERVICE_TEXT_BYTES];
    uint32_t generation;

    if (!service->remembered || service->removed)
        return;
    service->remembered = false;
    if (service_upgrade(service, service->asked_by, false, &generation, text) != SERVICE_OK)
        service->remembered = true; /* too many old ones: when one of them has gone */
}

static void act(struct service *service, unsigned actions)
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
        start_remembered(service);
}

/* --- the queue --- */

static void handle_event(struct service *service, enum rollout_event event)
{
    struct rollout_step step = rollout_step(service->state, event);

    if (!step.listed) {
        log_warn("service=%s state=%s refused=%s", service->name, rollout_state_name(service->state),
                 rollout_event_name(event));
        return;
    }
    if (step.next != service->state) {
        log_debug("service=%s state=%s event=%s next=%s", service->name, rollout_state_name(service->state),
                  rollout_event_name(event), rollout_state_name(step.next));
        service->state = step.next;
        service->state_since = unix_time();
    }
    service->runtime->dirty = true;
    act(service, step.actions);
    service->handlers->on_change(service->handlers->arg, service);
}

static void unlink_generation(struct service *service, struct generation *generation)
{
    for (struct generation **link = &service->generations; *link; link = &(*link)->next) {
        if (*link == generation) {
            *link = generation->next;
            return;
        }
    }
}

static void tell_upgraded(struct service *service, struct generation *old)
{
    char time[32];

    seconds_text(service->attempt_ms, time);
    tell_outcome(service, old->successor, SERVICE_OK,
                 "upgraded %" PRIu32 " -> %" PRIu32 " in %s, %u connection%s cut", old->number,
                 old->successor, time, old->cut, old->cut == 1 ? "" : "s");
    old->successor = 0;
}

static void handle_gone(struct service *service, struct generation *generation)
{
    bool candidate = generation == service->candidate;

    unlink_generation(service, generation);
    if (generation == service->stable)
        service->stable = NULL;
    if (candidate)
        service->candidate = NULL;
    events_record(service->events, "gone", service->name, generation->number,
                  json_pack("{s:i}", "cut", (int)generation->cut),
                  "generation %" PRIu32 " has ended, %u connection%s cut", generation->number,
                  generation->cut, generation->cut == 1 ? "" : "s");
    if (generation->successor)
        tell_upgraded(service, generation);
    generation_free(generation);
    service->runtime->dirty = true;
    if (service->state == ROLLOUT_STOPPING) {
        if (!service->generations)
            service_post(service, ROLLOUT_EV_ALL_GONE, NULL);
    } else if (candidate) {
        post_candidate_gone(service);
    } else if (service->state == ROLLOUT_STEADY) {
        start_remembered(service);
    }
    service->handlers->on_change(service->handlers->arg, service);
}

void service_run(struct service *service)
{
    if (service->running)
        return;
    service->running = true;
    for (size_t i = 0; i < service->post_count; i++) {
        struct service_item item = service->posts[i];
        if (item.gone)
            handle_gone(service, item.gone);
        else
            handle_event(service, item.event);
    }
    service->post_count = 0;
    service->running = false;
}

/* --- timers --- */

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct service *service = timer->data;

    (void)loop;
    (void)events;
    service->retry_deadline_ms = 0;
    service->retrying = true;
    service_post(service, ROLLOUT_EV_RETRY, NULL);
}

/* Draining takes longer than drain_timeout: whoever waits for the upgrade is told that it is done. */
static void on_overdue(struct ev_loop *loop, ev_timer *timer, int events)
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

/* --- the keeper --- */

bool service_stored(struct service *service, const char *id)
{
    for (struct generation *g = service->generations; g; g = g->next) {
        if (generation_stored(g, id))
            return true;
    }
    return false;
}

bool service_exited(struct service *service, const char *id, int status)
{
    for (struct generation *g = service->generations; g; g = g->next) {
        if (generation_exited(g, id, status))
            return true;
    }
    return false;
}

/* --- life of the object --- */

int service_want(struct service *service, const char *definition)
{
    struct config_errors errors = { 0 };
    struct config *config;
    int error = config_parse_text(definition, &config, &errors);

    config_errors_free(&errors);
    if (error)
        return error;
    char *copy = strdup(definition);
    if (!copy) {
        config_free(config);
        return -ENOMEM;
    }
    free(service->wanted);
    service->wanted = copy;
    service->max_old = config->services[0].max_old;
    service->workers = config->services[0].workers;
    service->runtime->dirty = true;
    config_free(config);
    return 0;
}

struct service *service_create(const char *name, const char *definition, struct runtime *runtime,
                               struct lanes *lanes, struct events *events,
                               const struct service_handlers *handlers)
{
    struct service *service = calloc(1, sizeof *service);

    if (!service)
        return NULL;
    service->runtime = runtime;
    service->lanes = lanes;
    service->events = events;
    service->handlers = handlers;
    service->state_since = unix_time();
    service->name = strdup(name);
    ev_timer_init(&service->retry_timer, on_retry, 0, 0);
    ev_timer_init(&service->overdue_timer, on_overdue, 0, 0);
    service->retry_timer.data = service->overdue_timer.data = service;
    if (!service->name || service_want(service, definition) != 0) {
        service_free(service);
        return NULL;
    }
    return service;
}

int service_attach(struct service *service, struct generation *generation)
{
    return generation_attach(generation, service->runtime, service->lanes, &generation_handlers, service);
}

/* Do again what the rollout was doing when the supervisor before us died. What it had not got round to is
 * told again by the state of the candidate. */
static void resume_rollout(struct service *service)
{
    struct generation *candidate = service->candidate;

    if (!candidate && service->state == ROLLOUT_REVERTING) {
        post_candidate_gone(service);
    } else if (!candidate && rollout_running(service->state)) {
        service_set_reason(service, "generation %" PRIu32 " was not started: the supervisor died before",
                           service->attempt);
        service_post(service, ROLLOUT_EV_CANDIDATE_FAILED, NULL);
    } else if (candidate && candidate->failed && service->state != ROLLOUT_REVERTING) {
        on_failed(service, candidate);
    } else if (service->state == ROLLOUT_STARTING && candidate->state != GENERATION_STARTING) {
        service_post(service, ROLLOUT_EV_READY, NULL);
    } else if (service->state == ROLLOUT_VERIFYING) {
        generation_verify(candidate);
    } else if (service->state == ROLLOUT_HANDOFF && candidate->state == GENERATION_SERVING) {
        service_post(service, ROLLOUT_EV_SERVING, NULL);
    } else if (service->state == ROLLOUT_HANDOFF) {
        generation_event(candidate, GENERATION_EV_ENLIST);
    } else if (service->state == ROLLOUT_SHIFTING) {
        service_post(service, ROLLOUT_EV_SHIFTED, NULL);
    } else if (service->state == ROLLOUT_SOAKING) {
        service_post(service, ROLLOUT_EV_SOAKED, NULL);
    }
}

void service_resume(struct service *service)
{
    uint64_t now = runtime_now_ms();

    for (struct generation *g = service->generations; g; g = g->next) {
        generation_resume(g);
        if (g->state == GENERATION_GONE)
            service_post(service, 0, g);
    }
    if (service->retry_deadline_ms) {
        double after =
            service->retry_deadline_ms > now ? (double)(service->retry_deadline_ms - now) / 1000 : 0;
        ev_timer_set(&service->retry_timer, after, 0);
        ev_timer_start(service->runtime->loop, &service->retry_timer);
    }
    if (service->state == ROLLOUT_STOPPING && !service->generations)
        service_post(service, ROLLOUT_EV_ALL_GONE, NULL);
    resume_rollout(service);
}

void service_free(struct service *service)
{
    if (!service)
        return;
    if (service->runtime)
        service_stop_timers(service);
    while (service->generations) {
        struct generation *generation = service->generations;
        service->generations = generation->next;
        generation_free(generation);
    }
    forget_previous(service);
    free(service->wanted);
    free(service->name);
    free(service->posts);
    free(service);
}
