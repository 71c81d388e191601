/* Asking a worker whether it is well: http:/path on a private socket, or exec:COMMAND.
 *
 * Runs on the libev loop, never blocks. The first try begins with the next round of the loop; the next one
 * `interval_ms` after a failure, until a success or until the probe is stopped: the caller owns the deadline.
 * The loop must not be libev's default one with its SIGCHLD handler, which reaps every child. */
#ifndef BATON_PROBE_H
#define BATON_PROBE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "supervisor/core/config.h"

struct probe;
struct spawn_user;

/* A private listening socket 127.0.0.1:0 for http: checks (CLOEXEC, non-blocking) and where it is; returns
 * the descriptor or -errno. */
int probe_listen(struct sockaddr_storage *address, socklen_t *length);

struct probe_target {
    const struct config_check *check; /* CHECK_HTTP or CHECK_EXEC; must outlive the probe */
    struct sockaddr_storage address;  /* CHECK_HTTP: where to ask */
    socklen_t address_length;
    char *const *envp;     /* CHECK_EXEC: as the worker's; what names descriptors and sockets of the worker
                            * (LISTEN_*, BATON_CHANNEL, NOTIFY_SOCKET) is left out. Must outlive the probe */
    const char *directory; /* CHECK_EXEC: or NULL; must outlive the probe */
    const struct spawn_user *user; /* CHECK_EXEC: run as the worker's user; or NULL; must outlive the probe */
    uint64_t interval_ms;          /* between the end of one try and the next */
    uint64_t timeout_ms;           /* of one try */
};

/* `answer` is one sentence for people, borrowed: "/healthz answered 200 in 3 ms", "check-db exited with
 * status 2". Called once with success, after which the probe rests until it is stopped, and once per failed
 * try with failure (the probe goes on after a failure). May stop the probe. */
typedef void probe_answer_fn(void *arg, bool success, const char *answer);

/* `target` is copied. 0 or -ENOMEM; what goes wrong later is a failed try. */
int probe_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered, void *arg,
                struct probe **out);
/* Ends a running command with SIGKILL to its group; it is reaped by the loop, later. NULL is fine. */
void probe_stop(struct probe *probe);

#endif
