#include "supervisor/process/fault.h"
#include "supervisor/process/worker_internal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    /* A worker that lived this long before it died was well: it is started again at once. */
    HEALTHY_MS = 10000,
    /* A dying process closes its channel before its exit can be seen: how long its exit is waited for. */
    EXIT_GRACE_MS = 250,
};

struct runtime *worker_runtime(const struct worker *worker)
{
    return worker->plan->runtime;
}

void worker_set_reason(struct worker *worker, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(worker->reason, sizeof worker->reason, format, arguments);
    va_end(arguments);
}

void worker_arm(struct worker *worker, uint64_t ms)
{
    ev_timer_stop(worker_runtime(worker)->loop, &worker->timer);
    worker->deadline_ms = 0;
    if (ms == CONFIG_INFINITE_MS)
        return;
    worker->deadline_ms = runtime_now_ms() + ms;
    ev_timer_set(&worker->timer, (double)ms / 1000, 0);
    ev_timer_start(worker_runtime(worker)->loop, &worker->timer);
}

void worker_disarm(struct worker *worker)
{
    ev_timer_stop(worker_runtime(worker)->loop, &worker->timer);
    worker->deadline_ms = 0;
    probe_stop(worker->probe);
    worker->probe = NULL;
    worker->verifying = false;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *worker = timer->data;

    (void)loop;
    (void)events;
    worker->deadline_ms = 0;
    if (worker->exit_pending) {
        if (worker_start_again(worker, worker->exit_status))
            return;
        if (!worker->reason[0])
            worker_describe_exit(worker, worker->exit_status);
        worker_event(worker, WORKER_EV_EXITED);
        return;
    }
    if (worker->state == WORKER_STARTING && worker->plan->service->ready.kind == CHECK_ALIVE) {
        worker_event(worker, WORKER_EV_READY);
        return;
    }
    if (worker->state == WORKER_STARTING || worker->state == WORKER_READY)
        worker_describe_timeout(worker);
    worker_event(worker, WORKER_EV_TIMEOUT);
}
/* --- the table --- */

static void count_failure(struct worker *worker)
{
    bool quick = runtime_now_ms() - worker->started_ms < HEALTHY_MS;

    worker->failures = quick ? worker->failures + 1 : 0;
}

static void tell_gone(struct worker *worker)
{
    worker_close_process(worker);
    worker->plan->on_gone(worker->plan->arg, worker);
}

static void act(struct worker *worker, unsigned actions)
{
    const struct worker_plan *plan = worker->plan;

    if (actions & WORKER_DO_DISARM)
        worker_disarm(worker);
    if (actions & WORKER_DO_GO)
        worker_open_gate(worker);
    if (actions & WORKER_DO_COUNT_CUT)
        worker->cut = worker->has_status ? worker->status.active + worker->status.idle : 0;
    if (actions & WORKER_DO_DRAIN) {
        worker_arm(worker, plan->drain_ms);
        worker_tell_drain(worker, plan->drain_ms);
    }
    if (actions & WORKER_DO_STOP)
        worker_arm(worker, plan->service->stop_timeout_ms);
    if (actions & (WORKER_DO_STOP | WORKER_DO_SIGNAL))
        worker_send_signal(worker, plan->service->stop_signal, false);
    if (actions & WORKER_DO_KILL)
        worker_send_signal(worker, SIGKILL, true);
    if (actions & WORKER_DO_PAUSE)
        worker_arm(worker, worker_backoff_ms(worker->failures));
    if (actions & WORKER_DO_SPAWN) {
        worker->restarts++;
        worker_start(worker);
    }
    if (actions & WORKER_DO_TELL_READY)
        plan->on_ready(plan->arg, worker);
    if (actions & WORKER_DO_TELL_SERVING)
        plan->on_serving(plan->arg, worker);
    if (actions & WORKER_DO_TELL_FAILED) {
        count_failure(worker);
        plan->on_failed(plan->arg, worker);
    }
    if (actions & WORKER_DO_TELL_GONE)
        tell_gone(worker);
    if (actions & WORKER_DO_LISTENERS)
        worker_give_listeners(worker); /* last: it may be the next event at once */
}

void worker_event(struct worker *worker, enum worker_event event)
{
    struct worker_step step = worker_step(worker->state, event);
    char text[128];

    if (!step.listed) {
        snprintf(text, sizeof text, "unexpected: %s while %s", worker_event_name(event),
                 worker_state_name(worker->state));
        worker->plan->on_notice(worker->plan->arg, worker, text);
        return;
    }
    worker->state = step.next;
    worker_runtime(worker)->dirty = true;
    fault_point("worker-event");
    act(worker, step.actions);
}

/* --- life of the object --- */

void worker_init(struct worker *worker, const struct worker_plan *plan, unsigned number)
{
    *worker = (struct worker){
        .plan = plan,
        .number = number,
        .state = WORKER_GONE,
        .wanted = true,
        .spawn = { .pidfd = -1, .gate = -1 },
        .notify = { .fd = -1 },
        .probe_socket = -1,
        .restored_channel = -1,
    };
    worker->go = (struct runtime_later){ .run = worker_go, .arg = worker };
    ev_init(&worker->gate_io, worker_on_gate);
    ev_init(&worker->notify_io, worker_on_notify);
    ev_timer_init(&worker->timer, on_timer, 0, 0);
    ev_timer_init(&worker->lost_timer, worker_on_lost_timer, EXIT_GRACE_MS / 1000.0, 0);
    worker->gate_io.data = worker->notify_io.data = worker;
    worker->timer.data = worker->lost_timer.data = worker;
}

void worker_tell_role(struct worker *worker, bool serving)
{
    if (worker->native && native_greeted(worker->native))
        native_tell_role(worker->native, serving);
}

bool worker_alive(const struct worker *worker)
{
    return worker->state != WORKER_GONE && worker->state != WORKER_BACKOFF;
}

void worker_free(struct worker *worker)
{
    worker_close_process(worker);
}
