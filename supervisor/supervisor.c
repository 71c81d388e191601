/* The loop of the supervisor: what the keeper, the services and the timers tell it. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/process/fault.h"
#include "supervisor/status.h"

enum {
    DEAD_MAN_S = 10, /* one turn of the loop may take this long; then we are killed and started again */
    LATER_PER_TURN = 8,
    RECORD_PAUSE = 4, /* as many times as a record took */
    CALM_S = 60,      /* alive this long: the safe mode ends */
};

/* --- recording --- */

void supervisor_record(void *arg)
{
    struct supervisor *supervisor = arg;
    json_t *json = state_save(&supervisor->state, &supervisor->runtime);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    supervisor->runtime.dirty = false;
    json_decref(json);
    int error = text ? snapshot_write(&supervisor->snapshot, text, strlen(text)) : -ENOMEM;
    free(text);
    if (error)
        log_error("state=unwritten error=\"%s\" effect=\"a restarted supervisor would know an older state\"",
                  strerror(-error));
}

/* --- told by the services --- */

static void notify_status(struct supervisor *supervisor)
{
    char text[512], line[sizeof text + 16];

    status_line(supervisor->state.services, text, sizeof text);
    if (!strcmp(text, supervisor->status))
        return;
    memcpy(supervisor->status, text, sizeof text);
    snprintf(line, sizeof line, "STATUS=%s", text);
    vault_notify(supervisor->runtime.vault, line);
}

static void on_change(void *arg, struct service *service)
{
    struct supervisor *supervisor = arg;

    if (service->state == ROLLOUT_STOPPED)
        waiting_service_ends(&supervisor->waiting, service, SERVICE_OK, "stopped");
    notify_status(supervisor);
}

/* READY=1 when every service has served or failed once; when all failed there is nothing to stay for. */
static void announce(struct supervisor *supervisor)
{
    bool serves = false;

    if (supervisor->state.announced || supervisor->state.stopping)
        return;
    for (const struct service *s = supervisor->state.services; s; s = s->next) {
        if (!s->settled)
            return;
        serves |= s->stable != NULL;
    }
    if (!serves) {
        for (const struct service *s = supervisor->state.services; s; s = s->next)
            fprintf(stderr, "baton: %s: %s\n", s->name, s->last.text);
        supervisor->exit_code = 1;
        supervisor_stop(supervisor, 0);
        return;
    }
    supervisor->state.announced = true;
    supervisor->runtime.dirty = true;
    vault_notify(supervisor->runtime.vault, "READY=1");
}

static void on_outcome(void *arg, struct service *service, uint32_t generation, enum service_result result,
                       const char *text)
{
    struct supervisor *supervisor = arg;

    waiting_outcome(&supervisor->waiting, service, generation, result, text);
    announce(supervisor);
}

void supervisor_on_event(void *arg, json_t *event)
{
    struct supervisor *supervisor = arg;
    const char *service = json_string_value(json_object_get(event, "service"));
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *text = json_string_value(json_object_get(event, "text"));
    char name[128], sentence[1024];

    log_info("event=%s service=%s text=%s", type ? type : "?",
             log_value(service ? service : "-", name, sizeof name),
             log_value(text ? text : "", sentence, sizeof sentence));
    waiting_event(&supervisor->waiting, event);
    if (supervisor->control)
        control_event(supervisor->control, event);
}

struct service_handlers supervisor_service_handlers = { .on_outcome = on_outcome, .on_change = on_change };

struct service *supervisor_add_service(struct supervisor *supervisor, const char *name,
                                       const char *definition)
{
    struct service **last = &supervisor->state.services;
    struct service *service = service_create(name, definition, &supervisor->runtime, &supervisor->state.lanes,
                                             supervisor->events, &supervisor_service_handlers);

    while (*last)
        last = &(*last)->next;
    *last = service;
    return service;
}

struct service *supervisor_find_service(struct supervisor *supervisor, const char *name)
{
    struct service *service = supervisor->state.services;

    while (service && strcmp(service->name, name) != 0)
        service = service->next;
    return service;
}

const char *supervisor_refusal(const struct supervisor *supervisor)
{
    if (supervisor->state.stopping)
        return "baton is being stopped";
    if (supervisor->safe_mode)
        return "safe mode: the supervisor died several times in a row; it serves and changes nothing for a "
               "minute";
    return NULL;
}

/* --- stopping --- */

void supervisor_stop(struct supervisor *supervisor, uint64_t drain_ms)
{
    struct state *state = &supervisor->state;
    bool again = state->stopping;

    if (!again) {
        events_record(supervisor->events, "stopping", NULL, 0, NULL, "baton is being stopped");
        vault_notify(supervisor->runtime.vault, "STOPPING=1");
    }
    state->stopping = true;
    state->stop_drain_ms = drain_ms;
    supervisor->runtime.dirty = true;
    for (struct service *s = state->services; s; s = s->next) {
        if (again)
            service_hurry(s);
        else
            service_stop(s, drain_ms);
    }
}

/* Services that a reload removed are forgotten when they have ended. */
static void forget_removed(struct supervisor *supervisor)
{
    struct service **link = &supervisor->state.services;

    while (*link) {
        struct service *service = *link;
        if (!service->removed || service->state != ROLLOUT_STOPPED) {
            link = &service->next;
            continue;
        }
        *link = service->next;
        service_free(service);
        supervisor->runtime.dirty = true;
    }
}

static bool all_stopped(const struct supervisor *supervisor)
{
    for (const struct service *s = supervisor->state.services; s; s = s->next) {
        if (s->state != ROLLOUT_STOPPED)
            return false;
    }
    return true;
}

static void finish(struct supervisor *supervisor)
{
    supervisor->finished = true;
    events_record(supervisor->events, "ended", NULL, 0, NULL, "baton has ended");
    supervisor_record(supervisor);
    control_close(supervisor->control, true);
    supervisor->control = NULL;
    vault_finish(supervisor->runtime.vault, supervisor->exit_code);
    ev_break(supervisor->runtime.loop, EVBREAK_ALL);
}

/* --- the keeper --- */

static void on_stored(void *arg, const char *id)
{
    struct supervisor *supervisor = arg;

    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (service_stored(s, id))
            return;
    }
}

static void on_refused(void *arg, const char *id, int error)
{
    struct supervisor *supervisor = arg;

    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (service_refused(s, id, error))
            return;
    }
    log_error("vault=refused id=%s error=\"%s\" effect=\"it would not outlive this supervisor\"", id,
              strerror(error));
}

static void on_exit_reported(void *arg, const char *id, pid_t pid, int status)
{
    struct supervisor *supervisor = arg;

    (void)pid;
    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (service_exited(s, id, status))
            break;
    }
}

static void on_closed(void *arg)
{
    struct supervisor *supervisor = arg;

    log_error("keeper=gone effect=\"the supervisor ends, workers go on\"");
    ev_break(supervisor->runtime.loop, EVBREAK_ALL);
}

const struct vault_handlers supervisor_vault_handlers = {
    .on_stored = on_stored,
    .on_refused = on_refused,
    .on_exit = on_exit_reported,
    .on_signal = supervisor_on_signal,
    .on_closed = on_closed,
};

static void on_vault(struct ev_loop *loop, ev_io *io, int events)
{
    struct supervisor *supervisor = io->data;

    (void)loop;
    (void)events;
    vault_dispatch(supervisor->runtime.vault);
}

/* --- the loop --- */

static void set_dead_man(struct supervisor *supervisor, int seconds)
{
    struct itimerspec limit = { .it_value.tv_sec = seconds };

    timer_settime(supervisor->dead_man, 0, &limit, NULL);
}

static double monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A record costs as much as there are services. What nothing waits for is written when the last record is
 * long enough ago that recording stays a small part of the work: a successor that knows a little less asks
 * workers and keeper. */
static bool record_can_wait(struct supervisor *supervisor)
{
    double left = supervisor->record_after - monotonic_seconds();

    if (supervisor->runtime.first_later || left <= 0)
        return false;
    if (!ev_is_active(&supervisor->record_timer)) {
        ev_timer_set(&supervisor->record_timer, left, 0);
        ev_timer_start(supervisor->runtime.loop, &supervisor->record_timer);
    }
    return true;
}

static void record_measured(struct supervisor *supervisor)
{
    double before = monotonic_seconds();

    supervisor_record(supervisor);
    double now = monotonic_seconds();
    supervisor->record_after = now + RECORD_PAUSE * (now - before);
}

static void on_record_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events; /* on_prepare does it */
}

/* Work off what was raised, record what changed. */
static void settle(struct supervisor *supervisor)
{
    for (struct service *s = supervisor->state.services; s; s = s->next)
        service_run(s);
    forget_removed(supervisor);
    if (!supervisor->runtime.dirty || record_can_wait(supervisor))
        return;
    fault_point("state-unrecorded");
    record_measured(supervisor);
    fault_point("state-recorded");
}

static void on_more(struct ev_loop *loop, ev_idle *idle, int events)
{
    (void)loop;
    (void)idle;
    (void)events; /* on_prepare does it */
}

/* Before the loop sleeps. Of what waited for the record only so much is done in one turn that the loop stays
 * awake to everything else: two hundred services may be upgraded at once. */
static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    struct supervisor *supervisor = prepare->data;

    (void)events;
    settle(supervisor);
    if (runtime_run_later(&supervisor->runtime, LATER_PER_TURN) > 0)
        settle(supervisor);
    if (supervisor->runtime.first_later) {
        ev_idle_start(loop, &supervisor->more);
    } else {
        ev_idle_stop(loop, &supervisor->more);
        supervisor_drop_spares(supervisor);
    }
    if (supervisor->state.stopping && !supervisor->finished && all_stopped(supervisor))
        finish(supervisor);
    if (vault_wants_write(supervisor->runtime.vault))
        ev_io_start(loop, &supervisor->vault_writable);
    else
        ev_io_stop(loop, &supervisor->vault_writable);
    set_dead_man(supervisor, 0);
}

static void on_check(struct ev_loop *loop, ev_check *check, int events)
{
    (void)loop;
    (void)events;
    set_dead_man(check->data, DEAD_MAN_S);
}

static void on_calm(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct supervisor *supervisor = timer->data;

    (void)loop;
    (void)events;
    supervisor->safe_mode = false;
    events_record(supervisor->events, "notice", NULL, 0, NULL, "the safe mode has ended");
}

void supervisor_watch(struct supervisor *supervisor)
{
    struct ev_loop *loop = supervisor->runtime.loop;
    struct sigevent abort_us = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGABRT };

    timer_create(CLOCK_MONOTONIC, &abort_us, &supervisor->dead_man);
    ev_io_init(&supervisor->vault_readable, on_vault, vault_fd(supervisor->runtime.vault), EV_READ);
    ev_io_init(&supervisor->vault_writable, on_vault, vault_fd(supervisor->runtime.vault), EV_WRITE);
    ev_prepare_init(&supervisor->prepare, on_prepare);
    ev_idle_init(&supervisor->more, on_more);
    ev_timer_init(&supervisor->record_timer, on_record_timer, 0, 0);
    ev_check_init(&supervisor->check, on_check);
    ev_timer_init(&supervisor->calm, on_calm, CALM_S, 0);
    ev_set_priority(&supervisor->prepare, EV_MINPRI); /* the last before the sleep */
    ev_set_priority(&supervisor->check, EV_MAXPRI);   /* the first after it */
    supervisor->vault_readable.data = supervisor->vault_writable.data = supervisor;
    supervisor->prepare.data = supervisor->check.data = supervisor->calm.data = supervisor;
    ev_io_start(loop, &supervisor->vault_readable);
    ev_prepare_start(loop, &supervisor->prepare);
    ev_check_start(loop, &supervisor->check);
    if (supervisor->safe_mode)
        ev_timer_start(loop, &supervisor->calm);
}
