/* A native worker (ready = native) that does everything right, or one thing wrong. Beyond the options in
 * worker.h:
 *
 *     --never-serving         takes its listeners and never says SERVING, nor accepts
 *     --ignore-drain          goes on as if DRAIN had not been said
 *     --close-channel WHEN    closes the channel: at the start, when it is ready, or serving; then goes on
 *     --garbage               sends frames of random bytes first
 *     --status-flood          says another STATUS 20,000 times as soon as it serves
 *     --bye TEXT              says BYE with this text and exits with status 1
 */
#include "proto/baton.h"
#include <err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "tests/workers/worker.h"

enum {
    GARBAGE_FRAMES = 20,
    GARBAGE_BYTES_MAX = 4096,
    FLOOD = 20000,
    TERM_DEADLINE_MS = 10000,
    FLUSH_MS = 5000
};

static struct native {
    struct worker worker;
    struct baton *baton;
    ev_io channel;
    ev_prepare before_wait;
    struct baton_status told;
    uint64_t flooded;
    bool never_serving, ignore_drain, garbage, status_flood, serving;
    const char *close_channel, *bye;
} native;

/* Write everything that was said. */
static void flush(void)
{
    while (baton_fd(native.baton) >= 0 && baton_wants_write(native.baton)) {
        struct pollfd channel = { .fd = baton_fd(native.baton), .events = POLLOUT };

        if (poll(&channel, 1, FLUSH_MS) <= 0 || baton_dispatch(native.baton))
            return;
    }
}

static void close_channel_if(const char *when)
{
    if (!native.close_channel || strcmp(native.close_channel, when))
        return;
    flush();
    ev_io_stop(native.worker.loop, &native.channel);
    ev_prepare_stop(native.worker.loop, &native.before_wait);
    baton_close(native.baton);
    native.baton = NULL;
}

static void on_listeners(void *arg, const struct baton_listener *listeners, size_t count)
{
    (void)arg;
    if (native.never_serving)
        return;
    for (size_t i = 0; i < count; i++) {
        int error = http_server_listen(native.worker.server, listeners[i].fd, false);
        if (error)
            errx(2, "listener %s: %s", listeners[i].name, strerror(-error));
    }
    baton_serving(native.baton);
    native.serving = true;
}

static void on_drain(void *arg, uint32_t deadline_ms)
{
    (void)arg;
    if (!native.ignore_drain)
        worker_drain(&native.worker, deadline_ms);
}

static void on_lost(void *arg, const char *reason)
{
    (void)arg;
    warnx("the channel ended: %s", reason);
}

static void on_channel(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)io, (void)events;
    baton_dispatch(native.baton);
    if (native.serving)
        close_channel_if("serving");
}

static void tell_status(void)
{
    const uint32_t *in = native.worker.server->connections_in;
    struct baton_status now = {
        .active = in[HTTP_RECEIVING] + in[HTTP_SERVING] + in[HTTP_SENDING],
        .idle = in[HTTP_IDLE],
        .requests = native.worker.server->requests,
        .errors = native.worker.server->errors,
    };

    if (native.status_flood && native.serving && native.flooded < FLOOD)
        now.requests += ++native.flooded;
    if (!memcmp(&now, &native.told, sizeof now))
        return;
    native.told = now;
    baton_status(native.baton, &now);
}

static void watch_channel(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    (void)prepare, (void)events;
    do
        tell_status();
    while (native.status_flood && native.serving && native.flooded < FLOOD);
    ev_io_stop(loop, &native.channel);
    if (baton_fd(native.baton) < 0)
        return;
    ev_io_set(&native.channel, baton_fd(native.baton),
              EV_READ | (baton_wants_write(native.baton) ? EV_WRITE : 0));
    ev_io_start(loop, &native.channel);
}

static void on_ready(struct worker *worker)
{
    if (!native.baton) /* closed at the start */
        return;
    baton_ready(native.baton);
    flush();
    worker_was_ready(worker);
    close_channel_if("ready");
}

static void on_terminate(struct worker *worker)
{
    worker_drain(worker, TERM_DEADLINE_MS);
}

static void send_garbage(void)
{
    unsigned char bytes[GARBAGE_BYTES_MAX];
    uint16_t length;

    for (int i = 0; i < GARBAGE_FRAMES; i++) {
        if (getrandom(bytes, sizeof bytes, 0) < 0 || getrandom(&length, sizeof length, 0) < 0)
            err(2, "getrandom");
        send(baton_fd(native.baton), bytes, 1 + length % GARBAGE_BYTES_MAX, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

int main(int argc, char **argv)
{
    static const struct baton_handlers handlers = { .on_listeners = on_listeners,
                                                    .on_drain = on_drain,
                                                    .on_lost = on_lost };
    static const struct worker_option options[] = {
        { "never-serving", &native.never_serving, NULL },
        { "ignore-drain", &native.ignore_drain, NULL },
        { "close-channel", NULL, &native.close_channel },
        { "garbage", &native.garbage, NULL },
        { "status-flood", &native.status_flood, NULL },
        { "bye", NULL, &native.bye },
        { 0 },
    };

    worker_open(&native.worker, argc, argv, options);
    int error = baton_open(&native.baton, &handlers, NULL);
    if (error)
        errx(2, "not started by baton: %s", strerror(-error));
    ev_init(&native.channel, on_channel);
    ev_prepare_init(&native.before_wait, watch_channel);
    ev_prepare_start(native.worker.loop, &native.before_wait);
    if (native.garbage)
        send_garbage();
    if (native.bye) {
        baton_bye(native.baton, native.bye);
        flush();
        return 1;
    }
    close_channel_if("start");
    worker_start(&native.worker, on_ready, on_terminate);
    ev_run(native.worker.loop, 0);
    if (native.baton) {
        baton_drained(native.baton);
        flush();
        baton_close(native.baton);
    }
    http_server_free(native.worker.server);
    return 0;
}
