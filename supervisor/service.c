#include "supervisor/service_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"
#include "supervisor/process/fault.h"

/* What waits in the queue: an event of the rollout, or (generation set) the end of a generation. */
struct service_item {
    enum rollout_event event;
    struct generation *gone;
};

/* --- small helpers --- */

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
    service_seconds(generation->started_ms, time);
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

const struct generation_handlers service_generation_handlers = {
    .on_ready = on_ready,
    .on_verified = on_verified,
    .on_serving = on_serving,
    .on_failed = on_failed,
    .on_gone = on_gone,
    .on_notice = on_notice,
};

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
        service->state_since = service_unix_time();
    }
    service->runtime->dirty = true;
    fault_point("rollout-event");
    service_act(service, step.actions);
    fault_point("rollout-acted");
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

static void handle_gone(struct service *service, struct generation *generation)
{
    bool candidate = generation == service->candidate;

    unlink_generation(service, generation);
    if (generation == service->stable) {
        service->stable = NULL;
        service->serving_since = 0;
    }
    if (candidate)
        service->candidate = NULL;
    events_record(service->events, "gone", service->name, generation->number,
                  json_pack("{s:i}", "cut", (int)generation->cut),
                  "generation %" PRIu32 " has ended, %u connection%s cut", generation->number,
                  generation->cut, generation->cut == 1 ? "" : "s");
    if (generation->successor)
        service_tell_upgraded(service, generation);
    generation_free(generation);
    service->runtime->dirty = true;
    if (service->state == ROLLOUT_STOPPING) {
        if (!service->generations)
            service_post(service, ROLLOUT_EV_ALL_GONE, NULL);
    } else if (candidate) {
        service_post_candidate_gone(service);
    } else if (service->state == ROLLOUT_STEADY) {
        service_start_remembered(service);
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

/* --- the keeper --- */

bool service_stored(struct service *service, const char *id)
{
    for (struct generation *g = service->generations; g; g = g->next) {
        if (generation_stored(g, id))
            return true;
    }
    return false;
}

bool service_refused(struct service *service, const char *id, int error)
{
    for (struct generation *g = service->generations; g; g = g->next) {
        if (generation_refused(g, id, error))
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
    service->state_since = service_unix_time();
    service->name = strdup(name);
    service->start = (struct runtime_later){ .run = service_start_generation, .arg = service };
    ev_timer_init(&service->retry_timer, on_retry, 0, 0);
    ev_timer_init(&service->overdue_timer, service_on_overdue, 0, 0);
    service->retry_timer.data = service->overdue_timer.data = service;
    if (!service->name || service_want(service, definition) != 0) {
        service_free(service);
        return NULL;
    }
    return service;
}

int service_attach(struct service *service, struct generation *generation)
{
    return generation_attach(generation, service->runtime, service->lanes, &service_generation_handlers,
                             service);
}

/* Do again what the rollout was doing when the supervisor before us died. What it had not got round to is
 * told again by the state of the candidate. */
static void resume_rollout(struct service *service)
{
    struct generation *candidate = service->candidate;

    if (!candidate && service->state == ROLLOUT_REVERTING) {
        service_post_candidate_gone(service);
    } else if (service->state == ROLLOUT_EMPTY && !service->removed) {
        service_post(service, ROLLOUT_EV_START, NULL);
    } else if (!candidate && service->state == ROLLOUT_STARTING && service->retrying) {
        service_act(service, ROLLOUT_DO_START);
    } else if (!candidate && rollout_running(service->state)) {
        if (!service->reason[0])
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
    if (service->runtime) {
        service_stop_timers(service);
        runtime_forget(service->runtime, &service->start);
    }
    while (service->generations) {
        struct generation *generation = service->generations;
        service->generations = generation->next;
        generation_free(generation);
    }
    service_forget_previous(service);
    free(service->wanted);
    free(service->name);
    free(service->posts);
    free(service);
}
