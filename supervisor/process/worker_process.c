/* The process in a worker's slot: started behind the gate, kept in the vault, found again, given up. */
#include "supervisor/process/fault.h"
#include "supervisor/process/worker_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"

void worker_entry_id(const struct worker *worker, char kind, char id[VAULT_ID_BYTES])
{
    snprintf(id, VAULT_ID_BYTES, "w%" PRIu64 ".%c", worker->serial, kind);
}

bool worker_listens_at_exec(const struct worker *worker)
{
    return worker->plan->service->ready.kind != CHECK_NATIVE;
}

static bool needs_probe_socket(const struct config_service *service)
{
    return service->ready.kind == CHECK_HTTP || service->verify.kind == CHECK_HTTP;
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
    for (size_t i = 0; worker_listens_at_exec(worker) && i < plan->listener_count; i++) {
        fds[(*count)++] = plan->listeners[i].fd;
        fprintf(text, "%s%s", i ? ":" : "", plan->listeners[i].name);
    }
    if (worker_listens_at_exec(worker) && worker->probe_socket >= 0) {
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

void worker_set_environment(struct worker *worker, int *fds, size_t *count)
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
    char **argv = release_argv(worker->plan->release);

    worker->environment = calloc(1, sizeof *worker->environment);
    if (!fds || !argv || !worker->environment) {
        free(fds);
        free(argv);
        return -ENOMEM;
    }
    worker_set_environment(worker, fds, &count);
    fds[count++] = channel;
    request.argv = argv;
    request.envp = worker->environment->list;
    request.fds = fds;
    request.fd_count = count;
    int error =
        worker->environment->error ? worker->environment->error : spawn_start(&request, &worker->spawn);
    free(argv);
    free(fds);
    return error;
}

static int store(struct worker *worker, char kind, pid_t pid, int fd)
{
    char id[VAULT_ID_BYTES];

    if (fd < 0)
        return 0;
    worker_entry_id(worker, kind, id);
    return vault_store(worker_runtime(worker)->vault, id, pid, fd);
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
    fault_point("worker-cloned");
    if (!error)
        error = store(worker, 'c', 0, ends[0]);
    if (error) {
        close(ends[0]);
        return error;
    }
    error = native_open(worker_runtime(worker)->loop, ends[0], worker->plan->generation, worker->number,
                        false, &worker_native_handlers, worker, &worker->native);
    if (!error)
        error = store(worker, 'n', 0, worker->notify.fd);
    if (!error)
        error = store(worker, 'q', 0, worker->probe_socket);
    return error ? error : store(worker, 'p', worker->spawn.pid, worker->spawn.pidfd);
}

void worker_start(struct worker *worker)
{
    char *stale = NULL;

    worker->state = WORKER_SPAWNING;
    worker->serial = runtime_next_serial(worker_runtime(worker));
    worker->started_ms = runtime_now_ms();
    worker->reason[0] = worker->said[0] = worker->answer[0] = '\0';
    worker->greeted = worker->probe_given = worker->has_status = worker->enlisted = false;
    worker->status = (struct native_status){ 0 };
    worker->cut = worker->checks_failed = 0;
    worker_runtime(worker)->dirty = true;

    int error = release_verify(worker->plan->release, &stale);
    if (error) {
        worker_set_reason(worker, "was not started: %s", stale ? stale : strerror(-error));
        free(stale);
    } else if ((error = open_process(worker)) != 0) {
        worker_set_reason(worker, "could not be started: %s", strerror(-error));
    } else {
        worker_watch_notify(worker);
        return;
    }
    worker->exit_pending = true;
    worker_arm(worker, 0);
}

/* --- ending --- */

static void drop_entries(struct worker *worker)
{
    char id[VAULT_ID_BYTES];

    for (const char *kind = "cnqp"; worker->serial && *kind; kind++) {
        worker_entry_id(worker, *kind, id);
        vault_drop(worker_runtime(worker)->vault, id);
    }
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Everything of the process is given up: in this supervisor and in the vault. */
void worker_close_process(struct worker *worker)
{
    struct ev_loop *loop = worker_runtime(worker)->loop;

    worker_disarm(worker);
    ev_timer_stop(loop, &worker->lost_timer);
    ev_io_stop(loop, &worker->gate_io);
    runtime_forget(worker_runtime(worker), &worker->go);
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
    worker->exit_pending = worker->resumed = false;
}

void worker_describe_exit(struct worker *worker, int status)
{
    char lived[32];

    runtime_format_ms(runtime_now_ms() - worker->started_ms, lived);
    if (status == -1)
        worker_set_reason(worker, "ended after %s (how is not known)", lived);
    else if (WIFEXITED(status))
        worker_set_reason(worker, "exited with status %d after %s", WEXITSTATUS(status), lived);
    else
        worker_set_reason(worker, "was killed by signal %d (%s) after %s", WTERMSIG(status),
                          strsignal(WTERMSIG(status)), lived);
    size_t length = strlen(worker->reason);
    if (worker->said[0])
        snprintf(worker->reason + length, sizeof worker->reason - length, "; it said: %s", worker->said);
}

bool worker_start_again(struct worker *worker, int status)
{
    bool waited = worker->state == WORKER_SPAWNING || worker->state == WORKER_STARTING;

    if (!worker->resumed || !waited || !WIFEXITED(status) || WEXITSTATUS(status) != SPAWN_EXIT_ORPHANED)
        return false;
    worker_close_process(worker);
    worker_start(worker);
    return true;
}

bool worker_exited(struct worker *worker, const char *id, int status)
{
    char own[VAULT_ID_BYTES];

    worker_entry_id(worker, 'p', own);
    if (!worker->serial || strcmp(id, own) != 0)
        return false;
    if (worker_start_again(worker, status))
        return true;
    if (worker->native)
        native_read(worker->native); /* its last words */
    ev_timer_stop(worker_runtime(worker)->loop, &worker->lost_timer);
    struct spawn_failure failure;
    if (worker->spawn.gate >= 0 && spawn_result(&worker->spawn, &failure) == SPAWN_FAILED) {
        struct spawn_request request = make_request(worker);
        char *text = spawn_failure_text(&failure, &request);
        worker_set_reason(worker, "could not be started: %s", text ? text : strerror(failure.error));
        free(text);
    } else if (!worker->reason[0]) {
        worker_describe_exit(worker, status);
    }
    worker_event(worker, WORKER_EV_EXITED);
    return true;
}
void worker_on_gate(struct ev_loop *loop, ev_io *io, int events)
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
            worker_begin_readiness(worker);
        return;
    }
    struct spawn_request request = make_request(worker);
    char *text = spawn_failure_text(&failure, &request);
    worker_set_reason(worker, "could not be started: %s", text ? text : strerror(failure.error));
    free(text); /* its exit follows */
}

void worker_go(void *arg)
{
    struct worker *worker = arg;

    if (worker->state != WORKER_STARTING || worker->exit_pending)
        return; /* retired meanwhile: the signal reaches it at its gate */
    fault_point("worker-recorded");
    spawn_go(&worker->spawn); /* EPIPE: it was killed at the gate; its exit follows */
    fault_point("worker-going");
    ev_io_set(&worker->gate_io, worker->spawn.gate, EV_READ);
    ev_io_start(worker_runtime(worker)->loop, &worker->gate_io);
}

void worker_open_gate(struct worker *worker)
{
    worker_arm(worker, worker->plan->service->ready_timeout_ms);
    fault_point("worker-stored");
    runtime_after_record(worker_runtime(worker),
                         &worker->go); /* it may serve then: a successor must know it */
}

/* Whether `id` is an entry of this process. */
static bool owns_entry(const struct worker *worker, const char *id)
{
    char own[VAULT_ID_BYTES];

    for (const char *kind = "cnqp"; worker->serial && *kind; kind++) {
        worker_entry_id(worker, *kind, own);
        if (!strcmp(own, id))
            return true;
    }
    return false;
}

bool worker_refused(struct worker *worker, const char *id, int error)
{
    if (!owns_entry(worker, id))
        return false;
    if (worker->state != WORKER_SPAWNING || worker->exit_pending)
        return true; /* the first refusal decided */
    /* What the keeper does not have would be lost with this supervisor: it never gets past its gate. */
    worker_set_reason(worker, "could not be started: the keeper has no room for its descriptors: %s",
                      strerror(error));
    worker_send_signal(worker, SIGKILL, true);
    worker->exit_pending = true;
    worker_arm(worker, 0);
    return true;
}

bool worker_stored(struct worker *worker, const char *id)
{
    char own[VAULT_ID_BYTES];

    worker_entry_id(worker, 'p', own);
    if (!worker->serial || strcmp(id, own) != 0)
        return false;
    if (!worker->exit_pending) /* else a part of it was refused */
        worker_event(worker, WORKER_EV_STORED);
    return true;
}
