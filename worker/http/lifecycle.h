/* The life of a native worker that speaks HTTP, from baton_open() to exit:
 *
 *     open ──> (the program opens what it needs: fail, or go on) ──> run: READY, listeners, SERVING,
 *     requests, DRAIN or SIGTERM, DRAINED ──> exit status
 *
 * Says on stderr, in one line each, what a person running it wants to know. */
#ifndef BATON_HTTP_LIFECYCLE_H
#define BATON_HTTP_LIFECYCLE_H

#include <ev.h>
#include <stdint.h>

#include "proto/baton.h"
#include "worker/http/server.h"

struct http_lifecycle {
    const char *program;
    struct ev_loop *loop;
    struct baton *baton;        /* NULL: not started by baton */
    struct http_server *server; /* the caller's */

    /* Private. */
    ev_io channel;
    ev_prepare before_wait;
    ev_timer status_due;
    ev_signal terminate;
    ev_signal interrupt;
    struct baton_status told;
    uint32_t signals; /* to end, so far */
    int exit_status;
};

/* Greet baton if it is there. `program` is the name in messages, static. Also lets the process use as many
 * descriptors as its hard limit allows, and ignore SIGPIPE. Returns 0, or the exit status after saying why.
 */
int http_lifecycle_open(struct http_lifecycle *lifecycle, struct ev_loop *loop, const char *program);

/* The number for X-Baton-Generation; 0 when not under baton. */
uint32_t http_lifecycle_generation(const struct http_lifecycle *lifecycle);

/* The program cannot start: tell it on stderr and to baton. Returns the exit status. */
int http_lifecycle_fail(struct http_lifecycle *lifecycle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Serve with `server` until drained. `listen_text` (see http_bind()) or NULL: a socket of its own.
 * Returns the exit status: 0 once drained, also when the deadline cut something (which is told). */
int http_lifecycle_run(struct http_lifecycle *lifecycle, struct http_server *server, const char *listen_text);

#endif
