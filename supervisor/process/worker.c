#include "supervisor/process/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/channel.h"

enum {
    /* A worker that lived this long before it died was well: it is started again at once. */
    HEALTHY_MS = 10000,
    /* A dying process closes its channel before its exit can be seen: how long its exit is waited for. */
    EXIT_GRACE_MS = 250,
    CHECK_INTERVAL_MS = 100,
    CHECK_TIMEOUT_MS = 5000,
    /* Answers of `verify` that must fail in a row. */
    VERIFY_TRIES = 3,
    DATAGRAMS_PER_TURN = 16,
};

static const struct native_handlers native_handlers;

/* --- small helpers --- */

static struct runtime *runtime_of(const struct worker *worker)
{
    return worker->plan->runtime;
}

static void entry_id(const struct worker *worker, char kind, char id[VAULT_ID_BYTES])
{
    snprintf(id, VAULT_ID_BYTES, "w%" PRIu64 ".%c", worker->serial, kind);
}

static void set_reason(struct worker *worker, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_reason(struct worker *worker, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(worker->reason, sizeof worker->reason, format, arguments);
    va_end(arguments);
}

static bool listens_at_exec(const struct worker *worker)
{
    return worker->plan->service->ready.kind != CHECK_NATIVE;
}

static bool needs_probe_socket(const struct config_service *service)
{
    return service->ready.kind == CHECK_HTTP || service->verify.kind == CHECK_HTTP;
}

static void arm(struct worker *worker, uint64_t ms)
{
    ev_timer_stop(runtime_of(worker)->loop, &worker->timer);
    worker->deadline_ms = 0;
    if (ms == CONFIG_INFINITE_MS)
        return;
    worker->deadline_ms = runtime_now_ms() + ms;
    ev_timer_set(&worker->timer, (double)ms / 1000, 0);
    ev_timer_start(runtime_of(worker)->loop, &worker->timer);
}

static void disarm(struct worker *worker)
{
    ev_timer_stop(runtime_of(worker)->loop, &worker->timer);
    worker->deadline_ms = 0;
    probe_stop(worker->probe);
    worker->probe = NULL;
    worker->verifying = false;
}

static double lived_seconds(const struct worker *worker)
{
    return (double)(runtime_now_ms() - worker->started_ms) / 1000;
}

/* --- starting --- */

static void set_listen_environment(struct worker *worker, int *fds, size_t *count)
{
    const struct worker_plan *plan = worker->plan;
    char *names = NULL;
    size_t bytes;
    FILE *text = open_memstream(&names, &bytes);

    *count = 0;
    if (!text) {
        worker->environment->error = -ENOMEM;
        return;
    }
    for (size_t i = 0; listens_at_exec(worker) && i < plan->listener_count; i++) {
        fds[(*count)++] = plan->listeners[i].fd;
        fprintf(text, "%s%s", i ? ":" : "", plan->listeners[i].name);
    }
    if (listens_at_exec(worker) && worker->probe_socket >= 0) {
        fprintf(text, "%sprobe", *count ? ":" : "");
        fds[(*count)++] = worker->probe_socket;
    }
    fclose(text);
    if (*count > 0) {
        environment_set(worker->environment, "LISTEN_FDS", "%zu", *count);
        environment_set(worker->environment, "LISTEN_FDNAMES", "%s", names);
        environment_set(worker->environment, "LISTEN_PID", "%s", "");
    }
    free(names);
}

static void set_environment(struct worker *worker, int *fds, size_t *count)
{
    const struct worker_plan *plan = worker->plan;
    struct environment *environment = worker->environment;

    environment_inherit(environment, environ);
    if (plan->user->change && plan->user->name) {
        environment_set(environment, "USER", "%s", plan->user->name);
        environment_set(environment, "LOGNAME", "%s", plan->user->name);
    }
    if (plan->user->change && plan->user->home)
        environment_set(environment, "HOME", "%s", plan->user->home);
    environment_merge(environment, plan->release->environment);
    set_listen_environment(worker, fds, count);
    environment_set(environment, "NOTIFY_SOCKET", "%s", worker->notify.address);
    environment_set(environment, "BATON_SERVICE", "%s", plan->service->name);
    environment_set(environment, "BATON_GENERATION", "%" PRIu32, plan->generation);
    environment_set(environment, "BATON_WORKER", "%u", worker->number);
    environment_set(environment, "BATON_CHANNEL", "%zu", 3 + *count);
}

static struct spawn_request make_request(const struct worker *worker)
{
    const struct worker_plan *plan = worker->plan;
    const struct config_service *service = plan->service;
    uint64_t limit = service->limit_nofile;

    return (struct spawn_request){
        .executable = plan->release->executable,
        .path = plan->release->files[0].path,
        .argv = plan->release->argv,
        .directory = plan->release->directory,
        .user = plan->user,
        .umask = (mode_t)service->umask,
        .nofile_soft = limit ? limit : plan->runtime->nofile_soft,
        .nofile_hard = limit > plan->runtime->nofile_hard ? limit : plan->runtime->nofile_hard,
        .stdout_fd = plan->output,
        .stderr_fd = plan->output,
    };
}

/* Clone the process; `channel` (the worker's end) and the listeners go to it. */
static int clone_process(struct worker *worker, int channel)
{
    struct spawn_request request = make_request(worker);
    size_t count;
    int *fds = calloc(worker->plan->listener_count + 2, sizeof *fds);

    worker->environment = calloc(1, sizeof *worker->environment);
    if (!fds || !worker->environment) {
        free(fds);
        return -ENOMEM;
    }
    set_environment(worker, fds, &count);
    fds[count++] = channel;
    request.envp = worker->environment->list;
    request.fds = fds;
    request.fd_count = count;
    int error =
        worker->environment->error ? worker->environment->error : spawn_start(&request, &worker->spawn);
    free(fds);
    return error;
}

static int store(struct worker *worker, char kind, pid_t pid, int fd)
{
    char id[VAULT_ID_BYTES];

    if (fd < 0)
        return 0;
    entry_id(worker, kind, id);
    return vault_store(runtime_of(worker)->vault, id, pid, fd);
}

/* Open everything a process needs, clone it, give the keeper copies; the pidfd goes last. 0 or -errno. */
static int open_process(struct worker *worker)
{
    int ends[2], error;

    error = notify_open(&worker->notify);
    if (error)
        return error;
    if (needs_probe_socket(worker->plan->service)) {
        worker->probe_socket = probe_listen(&worker->probe_address, &worker->probe_length);
        if (worker->probe_socket < 0)
            return worker->probe_socket;
    }
    error = channel_pair(ends);
    if (error)
        return error;
    error = clone_process(worker, ends[1]);
    close(ends[1]);
    if (!error)
        error = store(worker, 'c', 0, ends[0]);
    if (error) {
        close(ends[0]);
        return error;
    }
    error = native_open(runtime_of(worker)->loop, ends[0], worker->plan->generation, worker->number, false,
                        &native_handlers, worker, &worker->native);
    if (!error)
        error = store(worker, 'n', 0, worker->notify.fd);
    if (!error)
        error = store(worker, 'q', 0, worker->probe_socket);
    return error ? error : store(worker, 'p', worker->spawn.pid, worker->spawn.pidfd);
}

static void watch_notify(struct worker *worker)
{
    ev_io_set(&worker->notify_io, worker->notify.fd, EV_READ);
    ev_io_start(runtime_of(worker)->loop, &worker->notify_io);
}

void worker_start(struct worker *worker)
{
    char *stale = NULL;

    worker->state = WORKER_SPAWNING;
    worker->serial = runtime_next_serial(runtime_of(worker));
    worker->started_ms = runtime_now_ms();
    worker->reason[0] = worker->said[0] = worker->answer[0] = '\0';
    worker->greeted = worker->probe_given = worker->has_status = worker->enlisted = false;
    worker->status = (struct native_status){ 0 };
    worker->cut = worker->checks_failed = 0;
    runtime_of(worker)->dirty = true;

    int error = release_verify(worker->plan->release, &stale);
    if (error) {
        set_reason(worker, "was not started: %s", stale ? stale : strerror(-error));
        free(stale);
    } else if ((error = open_process(worker)) != 0) {
        set_reason(worker, "could not be started: %s", strerror(-error));
    } else {
        watch_notify(worker);
        return;
    }
    worker->exit_pending = true;
    arm(worker, 0);
}

/* --- ending --- */

static void drop_entries(struct worker *worker)
{
    char id[VAULT_ID_BYTES];

    for (const char *kind = "cnqp"; worker->serial && *kind; kind++) {
        entry_id(worker, *kind, id);
        vault_drop(runtime_of(worker)->vault, id);
    }
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Everything of the process is given up: in this supervisor and in the vault. */
static void close_process(struct worker *worker)
{
    struct ev_loop *loop = runtime_of(worker)->loop;

    disarm(worker);
    ev_timer_stop(loop, &worker->lost_timer);
    ev_io_stop(loop, &worker->gate_io);
    ev_io_stop(loop, &worker->notify_io);
    native_close(worker->native);
    worker->native = NULL;
    notify_close(&worker->notify);
    close_if_open(&worker->probe_socket);
    close_if_open(&worker->spawn.gate);
    close_if_open(&worker->spawn.pidfd);
    worker->spawn.pid = 0;
    if (worker->environment)
        environment_free(worker->environment);
    free(worker->environment);
    worker->environment = NULL;
    drop_entries(worker);
    worker->serial = 0;
    worker->exit_pending = false;
}

static void describe_exit(struct worker *worker, int status)
{
    if (status == -1)
        set_reason(worker, "ended after %.1f s (how is not known)", lived_seconds(worker));
    else if (WIFEXITED(status))
        set_reason(worker, "exited with status %d after %.1f s", WEXITSTATUS(status), lived_seconds(worker));
    else
        set_reason(worker, "was killed by signal %d (%s) after %.1f s", WTERMSIG(status),
                   strsignal(WTERMSIG(status)), lived_seconds(worker));
    size_t length = strlen(worker->reason);
    if (worker->said[0])
        snprintf(worker->reason + length, sizeof worker->reason - length, "; it said: %s", worker->said);
}

bool worker_exited(struct worker *worker, const char *id, int status)
{
    char own[VAULT_ID_BYTES];

    entry_id(worker, 'p', own);
    if (!worker->serial || strcmp(id, own) != 0)
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == SPAWN_EXIT_ORPHANED && worker->state == WORKER_SPAWNING) {
        /* A supervisor before us died between its clone and its go: nothing ran yet, start it again. */
        close_process(worker);
        worker_start(worker);
        return true;
    }
    if (worker->native)
        native_read(worker->native); /* its last words */
    ev_timer_stop(runtime_of(worker)->loop, &worker->lost_timer);
    struct spawn_failure failure;
    if (worker->spawn.gate >= 0 && spawn_result(&worker->spawn, &failure) == SPAWN_FAILED) {
        struct spawn_request request = make_request(worker);
        char *text = spawn_failure_text(&failure, &request);
        set_reason(worker, "could not be started: %s", text ? text : strerror(failure.error));
        free(text);
    } else if (!worker->reason[0]) {
        describe_exit(worker, status);
    }
    worker_event(worker, WORKER_EV_EXITED);
    return true;
}

/* --- signals and messages --- */

static void send_signal(struct worker *worker, int signo, bool group)
{
    if (worker->spawn.pidfd >= 0)
        spawn_signal(&worker->spawn, signo, group);
}

static void tell_drain(struct worker *worker, uint64_t ms)
{
    bool by_channel =
        worker->native && native_greeted(worker->native) && worker->plan->service->drain == DRAIN_AUTO;
    uint32_t deadline = ms >= UINT32_MAX ? UINT32_MAX : (uint32_t)ms; /* as much as infinite */

    if (!by_channel || native_tell_drain(worker->native, deadline) != 0)
        send_signal(worker, worker->plan->service->stop_signal, false);
}

static void give_listeners(struct worker *worker)
{
    const struct worker_plan *plan = worker->plan;

    if (listens_at_exec(worker) || plan->listener_count == 0) {
        worker->enlisted = true;
        worker_event(worker, WORKER_EV_SERVES);
        return;
    }
    if (!worker->native)
        return; /* its channel was lost: the event for that decides */
    arm(worker, plan->service->ready_timeout_ms);
    worker->enlisted = native_give_listeners(worker->native, plan->listeners, plan->listener_count) == 0;
}

/* Listeners the worker holds when it has been given all. */
static uint32_t expected_listeners(const struct worker *worker)
{
    return (uint32_t)worker->plan->listener_count + (worker->probe_given ? 1 : 0);
}

/* --- the native protocol --- */

static void on_hello(void *arg, uint32_t held)
{
    struct worker *worker = arg;

    worker->greeted = true;
    runtime_of(worker)->dirty = true;
    /* After a restart of ours: say again what it may have missed. */
    if (worker->enlisted && !listens_at_exec(worker) && held < expected_listeners(worker) &&
        (worker->state == WORKER_READY || worker->state == WORKER_SERVING))
        worker_event(worker, WORKER_EV_ENLIST);
    if (worker->state == WORKER_DRAINING) {
        uint64_t now = runtime_now_ms();
        tell_drain(worker, !worker->deadline_ms        ? CONFIG_INFINITE_MS
                           : worker->deadline_ms > now ? worker->deadline_ms - now
                                                       : 0);
    }
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

    if (worker->enlisted && (listens_at_exec(worker) || count >= expected_listeners(worker)))
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
        ev_timer_start(runtime_of(worker)->loop, &worker->lost_timer);
        return;
    }
    snprintf(text, sizeof text, "%s; it is no longer spoken to", reason);
    worker->plan->on_notice(worker->plan->arg, worker, text);
    set_reason(worker, "broke the protocol: %s", reason);
    worker_event(worker, WORKER_EV_CHANNEL_LOST);
}

static const struct native_handlers native_handlers = {
    .on_hello = on_hello,
    .on_ready = on_ready,
    .on_serving = on_serving,
    .on_drained = on_drained,
    .on_status = on_status,
    .on_bye = on_bye,
    .on_lost = on_lost,
};

/* The channel was closed and no exit followed: the process lives without it. */
static void on_lost_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *worker = timer->data;

    (void)loop;
    (void)events;
    worker->plan->on_notice(worker->plan->arg, worker,
                            "it closed its channel but lives on; it is no longer spoken to");
    set_reason(worker, "closed its channel");
    worker_event(worker, WORKER_EV_CHANNEL_LOST);
}

/* --- readiness --- */

static void on_check_answer(void *arg, bool success, const char *answer)
{
    struct worker *worker = arg;

    snprintf(worker->answer, sizeof worker->answer, "%s", answer);
    if (success) {
        probe_stop(worker->probe);
        worker->probe = NULL;
        worker_event(worker, WORKER_EV_READY);
    }
}

/* 0 or -errno. */
static int start_check(struct worker *worker, const struct config_check *check, probe_answer_fn *answered)
{
    const struct config_service *service = worker->plan->service;
    struct probe_target target = {
        .check = check,
        .address = worker->probe_address,
        .address_length = worker->probe_length,
        .envp = worker->environment ? worker->environment->list : environ,
        .directory = worker->plan->release->directory,
        .user = worker->plan->user,
        .interval_ms = CHECK_INTERVAL_MS,
        .timeout_ms =
            service->ready_timeout_ms < CHECK_TIMEOUT_MS ? service->ready_timeout_ms : CHECK_TIMEOUT_MS,
    };

    return probe_start(runtime_of(worker)->loop, &target, answered, worker, &worker->probe);
}

static void on_executed(struct worker *worker)
{
    const struct config_check *ready = &worker->plan->service->ready;

    if (ready->kind == CHECK_ALIVE)
        arm(worker, ready->time_ms);
    if (ready->kind != CHECK_HTTP && ready->kind != CHECK_EXEC)
        return;
    int error = start_check(worker, ready, on_check_answer);
    if (error)
        snprintf(worker->answer, sizeof worker->answer, "the check could not be started: %s",
                 strerror(-error));
}

static void on_gate(struct ev_loop *loop, ev_io *io, int events)
{
    struct worker *worker = io->data;
    struct spawn_failure failure;
    int result = spawn_result(&worker->spawn, &failure);

    (void)events;
    if (result == SPAWN_PENDING)
        return;
    ev_io_stop(loop, io);
    if (result == SPAWN_EXECUTED) {
        if (worker->state == WORKER_STARTING)
            on_executed(worker);
        return;
    }
    struct spawn_request request = make_request(worker);
    char *text = spawn_failure_text(&failure, &request);
    set_reason(worker, "could not be started: %s", text ? text : strerror(failure.error));
    free(text); /* its exit follows */
}

static void open_gate(struct worker *worker)
{
    struct runtime *runtime = runtime_of(worker);

    arm(worker, worker->plan->service->ready_timeout_ms);
    runtime->record(runtime->arg); /* from here on it may serve: a successor must know it */
    spawn_go(&worker->spawn);      /* EPIPE: it was killed at the gate; its exit follows */
    ev_io_set(&worker->gate_io, worker->spawn.gate, EV_READ);
    ev_io_start(runtime->loop, &worker->gate_io);
}

bool worker_stored(struct worker *worker, const char *id)
{
    char own[VAULT_ID_BYTES];

    entry_id(worker, 'p', own);
    if (!worker->serial || strcmp(id, own) != 0)
        return false;
    worker_event(worker, WORKER_EV_STORED);
    return true;
}

static void describe_timeout(struct worker *worker)
{
    const struct config_service *service = worker->plan->service;
    char time[32];

    config_format_duration(service->ready_timeout_ms, time);
    if (worker->state == WORKER_READY) {
        set_reason(worker, "did not accept on its listeners within %s (no SERVING)", time);
        return;
    }
    switch (service->ready.kind) {
    case CHECK_NATIVE:
        set_reason(worker, "was not ready after %s: it did not say READY over its channel (ready = native)",
                   time);
        break;
    case CHECK_NOTIFY:
        set_reason(worker,
                   "was not ready after %s: it did not send READY=1 to NOTIFY_SOCKET (ready = notify)", time);
        break;
    case CHECK_AUTO:
        set_reason(
            worker,
            "was not ready after %s: it said neither READY (libbaton) nor READY=1 (sd_notify); if it does "
            "neither, set ready = http:/path, exec:COMMAND or alive:TIME",
            time);
        break;
    default:
        set_reason(worker, "was not ready after %s: %s", time,
                   worker->answer[0] ? worker->answer : "no answer");
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *worker = timer->data;

    (void)loop;
    (void)events;
    worker->deadline_ms = 0;
    if (worker->exit_pending) {
        if (!worker->reason[0])
            describe_exit(worker, worker->exit_status);
        worker_event(worker, WORKER_EV_EXITED);
        return;
    }
    if (worker->state == WORKER_STARTING && worker->plan->service->ready.kind == CHECK_ALIVE) {
        worker_event(worker, WORKER_EV_READY);
        return;
    }
    if (worker->state == WORKER_STARTING || worker->state == WORKER_READY)
        describe_timeout(worker);
    worker_event(worker, WORKER_EV_TIMEOUT);
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

static void on_notify(struct ev_loop *loop, ev_io *io, int events)
{
    struct worker *worker = io->data;
    struct runtime *runtime = runtime_of(worker);
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

/* --- verification --- */

static void finish_verify(struct worker *worker, bool success)
{
    disarm(worker);
    worker->on_verified(worker->plan->arg, worker, success);
}

static void on_verify_answer(void *arg, bool success, const char *answer)
{
    struct worker *worker = arg;

    snprintf(worker->answer, sizeof worker->answer, "%s", answer);
    if (success) {
        finish_verify(worker, true);
    } else if (++worker->checks_failed >= VERIFY_TRIES) {
        set_reason(worker, "failed its verification: %s", answer);
        finish_verify(worker, false);
    }
}

void worker_verify(struct worker *worker, void (*answered)(void *arg, struct worker *worker, bool success))
{
    const struct config_check *check = &worker->plan->service->verify;

    worker->on_verified = answered;
    worker->checks_failed = 0;
    if (check->kind == CHECK_NONE) {
        answered(worker->plan->arg, worker, true);
        return;
    }
    worker->verifying = true;
    if (check->kind == CHECK_HTTP && !listens_at_exec(worker) && worker->native) {
        /* It answers on the private socket before it gets a public one. */
        struct native_listener probe = { .name = "probe", .fd = worker->probe_socket };
        worker->probe_given = native_give_listeners(worker->native, &probe, 1) == 0;
    }
    int error = start_check(worker, check, on_verify_answer);
    if (error) {
        set_reason(worker, "could not be verified: %s", strerror(-error));
        finish_verify(worker, false);
    }
}

/* --- the table --- */

static void count_failure(struct worker *worker)
{
    bool quick = runtime_now_ms() - worker->started_ms < HEALTHY_MS;

    worker->failures = quick ? worker->failures + 1 : 0;
}

static void tell_gone(struct worker *worker)
{
    close_process(worker);
    worker->plan->on_gone(worker->plan->arg, worker);
}

static void act(struct worker *worker, unsigned actions)
{
    const struct worker_plan *plan = worker->plan;

    if (actions & WORKER_DO_DISARM)
        disarm(worker);
    if (actions & WORKER_DO_GO)
        open_gate(worker);
    if (actions & WORKER_DO_COUNT_CUT)
        worker->cut = worker->has_status ? worker->status.active + worker->status.idle : 0;
    if (actions & WORKER_DO_DRAIN) {
        arm(worker, plan->drain_ms);
        tell_drain(worker, plan->drain_ms);
    }
    if (actions & WORKER_DO_STOP)
        arm(worker, plan->service->stop_timeout_ms);
    if (actions & (WORKER_DO_STOP | WORKER_DO_SIGNAL))
        send_signal(worker, plan->service->stop_signal, false);
    if (actions & WORKER_DO_KILL)
        send_signal(worker, SIGKILL, true);
    if (actions & WORKER_DO_PAUSE)
        arm(worker, worker_backoff_ms(worker->failures));
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
        give_listeners(worker); /* last: it may be the next event at once */
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
    runtime_of(worker)->dirty = true;
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
    ev_init(&worker->gate_io, on_gate);
    ev_init(&worker->notify_io, on_notify);
    ev_timer_init(&worker->timer, on_timer, 0, 0);
    ev_timer_init(&worker->lost_timer, on_lost_timer, EXIT_GRACE_MS / 1000.0, 0);
    worker->gate_io.data = worker->notify_io.data = worker;
    worker->timer.data = worker->lost_timer.data = worker;
}

void worker_tell_role(struct worker *worker, bool serving)
{
    if (worker->native && native_greeted(worker->native))
        native_tell_role(worker->native, serving);
}

/* --- after a restart of the supervisor --- */

static void take_pidfd(struct worker *worker, const struct vault_entry *entry)
{
    worker->spawn.pidfd = entry->fd;
    worker->spawn.pid = entry->pid;
    worker->exit_pending = entry->exited;
    worker->exit_status = entry->status;
}

bool worker_take_entry(struct worker *worker, const struct vault_entry *entry)
{
    char id[VAULT_ID_BYTES];

    for (const char *kind = "cnqp"; worker->serial && *kind; kind++) {
        entry_id(worker, *kind, id);
        if (strcmp(id, entry->id) != 0)
            continue;
        if (*kind == 'c')
            worker->restored_channel = entry->fd;
        else if (*kind == 'n')
            notify_attach(&worker->notify, entry->fd);
        else if (*kind == 'q')
            worker->probe_socket = entry->fd;
        else
            take_pidfd(worker, entry);
        return true;
    }
    return false;
}

static void resume_process(struct worker *worker)
{
    size_t count;
    int *fds = calloc(worker->plan->listener_count + 2, sizeof *fds);

    worker->environment = calloc(1, sizeof *worker->environment);
    if (fds && worker->environment)
        set_environment(worker, fds, &count); /* for exec: checks */
    free(fds);
    if (worker->probe_socket >= 0) {
        worker->probe_length = sizeof worker->probe_address;
        getsockname(worker->probe_socket, (struct sockaddr *)&worker->probe_address, &worker->probe_length);
    }
    if (worker->restored_channel >= 0)
        native_open(runtime_of(worker)->loop, worker->restored_channel, worker->plan->generation,
                    worker->number, worker->greeted, &native_handlers, worker, &worker->native);
    worker->restored_channel = -1;
    if (worker->notify.fd >= 0)
        watch_notify(worker);
}

void worker_resume(struct worker *worker)
{
    uint64_t now = runtime_now_ms(), deadline = worker->deadline_ms;

    if (worker->serial) {
        if (worker->spawn.pidfd < 0) { /* the keeper never had it, so it never ran */
            worker->exit_pending = true;
            set_reason(worker, "was not started: the supervisor died before");
        }
        resume_process(worker);
    }
    if (worker->exit_pending)
        arm(worker, 0);
    else if (deadline)
        arm(worker, deadline > now ? deadline - now : 0);
    if (worker->state == WORKER_STARTING && !worker->exit_pending &&
        worker->plan->service->ready.kind != CHECK_ALIVE)
        on_executed(worker); /* begin the readiness check again */
}

bool worker_alive(const struct worker *worker)
{
    return worker->state != WORKER_GONE && worker->state != WORKER_BACKOFF;
}

void worker_free(struct worker *worker)
{
    close_process(worker);
}
