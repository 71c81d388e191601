/* A worker after a restart of the supervisor: its descriptors come from the vault, its facts from the worker.
 */
#include "supervisor/process/worker_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        worker_entry_id(worker, *kind, id);
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
        worker_set_environment(worker, fds, &count); /* for exec: checks */
    free(fds);
    if (worker->probe_socket >= 0) {
        worker->probe_length = sizeof worker->probe_address;
        getsockname(worker->probe_socket, (struct sockaddr *)&worker->probe_address, &worker->probe_length);
    }
    if (worker->restored_channel >= 0)
        native_open(worker_runtime(worker)->loop, worker->restored_channel, worker->plan->generation,
                    worker->number, worker->greeted ? NATIVE_GREETED : NATIVE_UNKNOWN,
                    &worker_native_handlers, worker, &worker->native);
    worker->restored_channel = -1;
    if (worker->notify.fd >= 0)
        worker_watch_notify(worker);
}

void worker_resume(struct worker *worker)
{
    const struct config_check *ready = &worker->plan->service->ready;
    uint64_t now = runtime_now_ms(), deadline = worker->deadline_ms;

    if (worker->state == WORKER_STARTING && ready->kind == CHECK_ALIVE) /* whether or not its exec was seen */
        deadline = worker->started_ms + ready->time_ms;

    if (worker->serial) {
        worker->resumed = true;
        if (worker->spawn.pidfd < 0) { /* the keeper never had it, so it never got past its gate */
            worker->exit_pending = true;
            worker->exit_status = SPAWN_EXIT_ORPHANED << 8;
        }
        resume_process(worker);
    }
    if (worker->exit_pending)
        worker_arm(worker, 0);
    else if (deadline)
        worker_arm(worker, deadline > now ? deadline - now : 0);
    if (worker->state == WORKER_STARTING && !worker->exit_pending &&
        worker->plan->service->ready.kind != CHECK_ALIVE)
        worker_begin_readiness(worker); /* begin the readiness check again */
}
