/* What is said to a worker and what it says: the native channel, sd_notify datagrams, signals. */
#include "supervisor/process/worker_internal.h"

#include <stdio.h>
#include <unistd.h>

enum { DATAGRAMS_PER_TURN = 16 };

/* --- signals and messages --- */

void worker_send_signal(struct worker *worker, int signo, bool group)
{
    if (worker->spawn.pidfd >= 0)
        spawn_signal(&worker->spawn, signo, group);
}

void worker_tell_drain(struct worker *worker, uint64_t ms)
{
    bool by_channel =
        worker->native && native_greeted(worker->native) && worker->plan->service->drain == DRAIN_AUTO;
    uint32_t deadline = ms >= UINT32_MAX ? UINT32_MAX : (uint32_t)ms; /* as much as infinite */

    if (!by_channel || native_tell_drain(worker->native, deadline) != 0)
        worker_send_signal(worker, worker->plan->service->stop_signal, false);
}

void worker_give_listeners(struct worker *worker)
{
    const struct worker_plan *plan = worker->plan;

    if (worker_listens_at_exec(worker) || plan->listener_count == 0) {
        worker->enlisted = true;
        worker_event(worker, WORKER_EV_SERVES);
        return;
    }
    if (!worker->native)
        return; /* its channel was lost: the event for that decides */
    worker_arm(worker, plan->service->ready_timeout_ms);
    worker->enlisted = native_give_listeners(worker->native, plan->listeners, plan->listener_count) == 0;
}

/* Listeners the worker holds when it has been given all. */
static uint32_t expected_listeners(const struct worker *worker)
{
    return (uint32_t)worker->plan->listener_count + (worker->probe_given ? 1 : 0);
}

/* --- the native protocol --- */

/* After a restart of ours: say again what it may have missed. Only then, because a HELLO may be older than
 * what was sent meanwhile. */
static void repeat_orders(struct worker *worker, uint32_t held)
{
    uint64_t now = runtime_now_ms();

    if (worker->enlisted && !worker_listens_at_exec(worker) && held < expected_listeners(worker) &&
        (worker->state == WORKER_READY || worker->state == WORKER_SERVING))
        worker_event(worker, WORKER_EV_ENLIST);
    if (worker->state != WORKER_DRAINING)
        return;
    if (!worker->deadline_ms)
        worker_tell_drain(worker, CONFIG_INFINITE_MS);
    else
        worker_tell_drain(worker, worker->deadline_ms > now ? worker->deadline_ms - now : 0);
}

static void on_hello(void *arg, uint32_t held)
{
    struct worker *worker = arg;

    worker->greeted = true;
    worker_runtime(worker)->dirty = true;
    if (!worker->resumed)
        return;
    worker->resumed = false;
    repeat_orders(worker, held);
}

static void on_ready(void *arg)
{
    struct worker *worker = arg;
    enum config_check_kind kind = worker->plan->service->ready.kind;

    if (kind == CHECK_NATIVE || kind == CHECK_AUTO)
        worker_event(worker, WORKER_EV_READY);
}

static void on_serving(void *arg, uint32_t count)
{
    struct worker *worker = arg;

    if (worker->enlisted && (worker_listens_at_exec(worker) || count >= expected_listeners(worker)))
        worker_event(worker, WORKER_EV_SERVES);
}

static void on_drained(void *arg)
{
    worker_event(arg, WORKER_EV_DRAINED);
}

static void on_status(void *arg, const struct native_status *status)
{
    struct worker *worker = arg;

    worker->status = *status;
    worker->has_status = true;
}

static void on_bye(void *arg, const char *text)
{
    struct worker *worker = arg;

    snprintf(worker->said, sizeof worker->said, "%s", text);
}

static void on_lost(void *arg, bool broken, const char *reason)
{
    struct worker *worker = arg;
    char text[256];

    if (!worker->greeted && !broken) {
        /* Not a native worker: it closed what it did not know, or is exiting. Nothing is lost. */
        if (worker->plan->service->ready.kind != CHECK_NATIVE)
            return;
    }
    snprintf(worker->answer, sizeof worker->answer, "%s", reason);
    if (!broken) {
        ev_timer_start(worker_runtime(worker)->loop, &worker->lost_timer);
        return;
    }
    snprintf(text, sizeof text, "%s; it is no longer spoken to", reason);
    worker->plan->on_notice(worker->plan->arg, worker, text);
    worker_set_reason(worker, "broke the protocol: %s", reason);
    worker_event(worker, WORKER_EV_CHANNEL_LOST);
}

const struct native_handlers worker_native_handlers = {
    .on_hello = on_hello,
    .on_ready = on_ready,
    .on_serving = on_serving,
    .on_drained = on_drained,
    .on_status = on_status,
    .on_bye = on_bye,
    .on_lost = on_lost,
};

/* The channel was closed and no exit followed: the process lives without it. */
void worker_on_lost_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *worker = timer->data;

    (void)loop;
    (void)events;
    worker->plan->on_notice(worker->plan->arg, worker,
                            "it closed its channel but lives on; it is no longer spoken to");
    worker_set_reason(worker, "closed its channel");
    worker_event(worker, WORKER_EV_CHANNEL_LOST);
}
/* --- sd_notify --- */

static void handle_notify(struct worker *worker, const struct notify_message *message)
{
    enum config_check_kind kind = worker->plan->service->ready.kind;

    if (message->has_status)
        snprintf(worker->said, sizeof worker->said, "%s", message->status);
    if (message->ready && (kind == CHECK_NOTIFY || kind == CHECK_AUTO))
        worker_event(worker, WORKER_EV_READY);
}

void worker_on_notify(struct ev_loop *loop, ev_io *io, int events)
{
    struct worker *worker = io->data;
    struct runtime *runtime = worker_runtime(worker);
    uid_t uid = worker->plan->user->change ? worker->plan->user->uid : geteuid();
    struct notify_message message;

    (void)loop;
    (void)events;
    for (int i = 0; i < DATAGRAMS_PER_TURN && worker->notify.fd >= 0; i++) {
        int result = notify_peek(&worker->notify, worker->spawn.pid, uid, &message);

        if (result == NOTIFY_NOTHING || result < 0)
            return;
        if (result == 0) {
            handle_notify(worker, &message);
            if (runtime->dirty)
                runtime->record(runtime->arg);
        }
        if (worker->notify.fd >= 0)
            notify_take(&worker->notify);
    }
}
void worker_watch_notify(struct worker *worker)
{
    ev_io_set(&worker->notify_io, worker->notify.fd, EV_READ);
    ev_io_start(worker_runtime(worker)->loop, &worker->notify_io);
}
