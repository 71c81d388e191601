/* Asking a worker whether it is well: http:/path on a private socket, or exec:COMMAND.
 *
 * Runs on the libev loop, never blocks, gives one answer. Repeats by itself at `interval_ms` until a success
 * or until it is stopped: the caller owns the deadline. */
#ifndef BATON_PROBE_H
#define BATON_PROBE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "supervisor/core/config.h"

struct probe;

/* A private listening socket 127.0.0.1:0 for http: checks; returns the descriptor or -errno. */
int probe_listen(struct sockaddr_storage *address, socklen_t *length);

struct probe_target {
    const struct config_check *check; /* CHECK_HTTP or CHECK_EXEC; must outlive the probe */
    struct sockaddr_storage address;  /* CHECK_HTTP: where to ask */
    socklen_t address_length;
    char *const *envp;             /* CHECK_EXEC: environment (BATON_*); must outlive the probe */
    const char *directory;         /* CHECK_EXEC: or NULL */
    const struct spawn_user *user; /* CHECK_EXEC: run as the worker's user; or NULL */
    uint64_t interval_ms;          /* between the end of one try and the next */
    uint64_t timeout_ms;           /* of one try */
};

/* `answer` is one sentence for people: "/healthz answered 200 in 3 ms", "check-db exited with status 2".
 * Called once with success, and once per failed try with failure (the probe goes on after a failure). May
 * stop the probe. */
typedef void probe_answer_fn(void *arg, bool success, const char *answer);

int probe_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered, void *arg,
                struct probe **out);
void probe_stop(struct probe *probe); /* ends a running command with SIGKILL to its group; NULL is fine */

#endif
