/* The channel to one native worker: messages out, facts in.
 *
 * Everything is idempotent: a restarted supervisor attaches to the same channel, says WELCOME again and
 * is answered with what the worker holds. A peer that breaks the protocol is dropped: on_lost, once. */
#ifndef BATON_NATIVE_H
#define BATON_NATIVE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the worker reported about itself last. */
struct native_status {
    uint32_t active, idle;
    uint64_t requests, errors;
};

struct native_handlers {
    /* The worker spoke: it is native. `held` listeners were delivered to it; the facts it holds follow as
     * calls of their own. */
    void (*on_hello)(void *arg, uint32_t held);
    void (*on_ready)(void *arg);
    void (*on_serving)(void *arg, uint32_t count); /* accepts on `count` listeners */
    void (*on_drained)(void *arg);
    void (*on_status)(void *arg, const struct native_status *status);
    void (*on_bye)(void *arg, const char *text); /* why it is about to end */
    /* The channel is closed. `broken`: the worker sent what makes no sense; else it just closed its end (it
     * may be dying). */
    void (*on_lost)(void *arg, bool broken, const char *reason);
};

/* A listener to give: peeked, it stays the caller's. */
struct native_listener {
    const char *name;
    int fd;
};

struct native;

/* What a supervisor before us knew of this worker. */
enum native_past {
    NATIVE_NEW,     /* there was none: HELLO comes first */
    NATIVE_UNKNOWN, /* it may have read the HELLO without recording it: anything may come first */
    NATIVE_GREETED, /* it had the HELLO */
};

/* Speak on `fd`, which is taken (on failure too). Says WELCOME. `handlers` must outlive the object. 0,
 * -ENOMEM. */
int native_open(struct ev_loop *loop, int fd, uint32_t generation, uint32_t worker, enum native_past past,
                const struct native_handlers *handlers, void *arg, struct native **out);

/* Whether the worker has spoken: only such a one can be told anything. */
bool native_greeted(const struct native *native);

/* Queue a message; what the worker does not read is kept (bounded: a worker that lets more than 256 messages
 * lie is lost). 0, -EPIPE when the channel is lost, -ENOMEM, or what dup gave. */
int native_give_listeners(struct native *native, const struct native_listener *listeners, size_t count);
int native_tell_role(struct native *native, bool serving);
int native_tell_drain(struct native *native, uint32_t deadline_ms);

/* Handle everything that has arrived, now: what a worker said before it died, for one. */
void native_read(struct native *native);

void native_close(struct native *native); /* NULL is fine */

#endif
