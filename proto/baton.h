/* libbaton: what a server program needs to be a native worker of baton.
 *
 * A native worker gets its listening sockets over a channel, says when it is ready and serving,
 * and is told to drain before it is replaced. It needs no thread and no event loop of ours: poll
 * one descriptor, call baton_dispatch() when it is ready, get callbacks.
 *
 * The same program also runs without the channel: under LISTEN_FDS (systemd, or `ready = notify`)
 * the listeners come from there; bare, baton_open() says -ENOENT and the program binds itself.
 *
 *     struct baton *baton;
 *     int error = baton_open(&baton, &handlers, server);      // before threads are started
 *     ... watch baton_fd() for reading, and for writing while baton_wants_write() ...
 *     baton_ready(baton);                  // able to serve; listeners come after this
 *     on_listeners: accept on each, then   baton_serving(baton);
 *     on_drain:     stop accepting, finish requests, end idle connections; then baton_drained(baton), exit
 *
 * Conventions: 0 is success, negative is -errno. No function blocks. Not thread-safe: one thread
 * owns a struct baton. Nothing is ever written to stderr. SIGPIPE is never raised.
 * A supervisor that is restarted speaks again on the same channel; the library answers it by
 * itself and the program notices nothing (a repeated on_role or on_drain is not delivered twice).
 */
#ifndef BATON_H
#define BATON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_DRAIN_INFINITE UINT32_MAX

struct baton; /* opaque */

/* One listening socket. `name` is the listener's name in the configuration, or "probe": a private
 * 127.0.0.1 socket on which baton asks an http: question; serve it like the others. */
struct baton_listener {
    const char *name; /* valid until the callback returns */
    int fd;           /* non-blocking, close-on-exec, listening; the receiver owns it from now on */
};

/* Any handler may be NULL; descriptors without an on_listeners are closed. */
struct baton_handlers {
    /* All listeners of this worker, once (none: count is 0); more may follow later (a scale or reload
     * adds some). A listener that was already delivered is not delivered again. */
    void (*on_listeners)(void *arg, const struct baton_listener *listeners, size_t count);
    /* Whether this generation is the serving one (1) or a candidate or retired (0). */
    void (*on_role)(void *arg, int serving);
    /* Stop accepting; answer what is in flight; end within deadline_ms (BATON_DRAIN_INFINITE: no limit).
     * Listening sockets may be closed at once: baton keeps its own copies and nobody is refused.
     * Called again only with another deadline, counted from then. */
    void (*on_drain)(void *arg, uint32_t deadline_ms);
    /* The channel ended for good (a protocol error, or baton is gone). Keep serving: connections
     * and listeners are not affected. baton_fd() is -1 afterwards. `reason` is one sentence. */
    void (*on_lost)(void *arg, const char *reason);
};

/* What a worker tells about itself; cheap, send it when it changes (at most a few times a second). */
struct baton_status {
    uint32_t active;   /* connections with a request in flight, or half received */
    uint32_t idle;     /* keep-alive connections that wait */
    uint64_t requests; /* answered since the start */
    uint64_t errors;   /* of these with 5xx */
};

/* Find the channel in the environment (BATON_CHANNEL), take it, remove the variable, greet the supervisor.
 * `handlers` is copied. When LISTEN_FDS names sockets for this process they are delivered through
 * on_listeners by the first baton_dispatch() - with or without a channel.
 * Returns 0; -ENOENT when neither is there (not started by baton; *out is NULL); -EINVAL, -ENOTSOCK when
 * BATON_CHANNEL is not what it should be; -EINVAL when the LISTEN_ variables contradict each other or the
 * open descriptors; -ENOMEM. On failure the environment is as before. */
int baton_open(struct baton **out, const struct baton_handlers *handlers, void *arg);

/* Descriptor to poll; -1 without a channel (baton_dispatch() once is then enough). Belongs to the library. */
int baton_fd(const struct baton *baton);

/* 1 while something could not be written yet: poll for writing too and dispatch when writable. */
int baton_wants_write(const struct baton *baton);

/* Handle everything that has arrived, call the handlers, write what is pending.
 * Handlers may call any function of this header except baton_close(). Returns 0, or -EPIPE after on_lost. */
int baton_dispatch(struct baton *baton);

/* Each of these states a fact; saying it twice is harmless. -EPIPE without a channel (ignore it). */
int baton_ready(struct baton *baton);   /* started, can serve: send me my listeners */
int baton_serving(struct baton *baton); /* accepting on every listener that was delivered */
int baton_drained(struct baton *baton); /* nothing left; about to exit */
int baton_status(struct baton *baton, const struct baton_status *status);

/* Why this worker is about to end, in one sentence of at most 200 bytes; shown to the administrator
 * ("generation 9 said: cannot open /var/lib/blog/blog.db: Permission denied"). */
int baton_bye(struct baton *baton, const char *reason);

/* The number of this worker's generation: BATON_GENERATION; 0 when not under baton. */
uint32_t baton_generation(const struct baton *baton);

/* The version of the library, "0.1.0". */
const char *baton_version(void);

/* Close the channel and free. NULL is fine. */
void baton_close(struct baton *baton);

#ifdef __cplusplus
}
#endif

#endif
