#include "worker/http/lifecycle.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/http/bind.h"

enum {
    STATUS_INTERVAL_MS = 200,
    SIGNAL_DEADLINE_MS = 10 * 1000,
    LAST_WORDS_MS = 1000 /* how long an ending worker waits for room in the channel */
};

static void say(const struct http_lifecycle *lifecycle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct http_lifecycle *lifecycle, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: %s\n", lifecycle->program, text);
}

/* --- baton's side ---------------------------------------------------------------------------- */

static void end(struct http_lifecycle *lifecycle)
{
    lifecycle->exit_status = EXIT_FAILURE;
    ev_break(lifecycle->loop, EVBREAK_ALL);
}

/* All or none: a worker that cannot serve one of them is no use, and its end closes the others. */
static void on_listeners(void *arg, const struct baton_listener *listeners, size_t count)
{
    struct http_lifecycle *lifecycle = arg;
    char reason[128];

    for (size_t i = 0; i < count; i++) {
        int error = http_server_listen(lifecycle->server, listeners[i].fd, false);

        if (error == 0)
            continue;
        snprintf(reason, sizeof reason, "cannot accept on listener %s: %s", listeners[i].name,
                 strerror(-error));
        say(lifecycle, "%s", reason);
        baton_bye(lifecycle->baton, reason);
        end(lifecycle);
        return;
    }
    baton_serving(lifecycle->baton);
}

static void on_drained(void *arg, uint32_t cut)
{
    struct http_lifecycle *lifecycle = arg;

    if (cut)
        say(lifecycle, "the time to drain is over: %u requests were cut", cut);
    ev_break(lifecycle->loop, EVBREAK_ALL);
}

static void on_drain(void *arg, uint32_t deadline_ms)
{
    struct http_lifecycle *lifecycle = arg;

    http_server_drain(lifecycle->server, deadline_ms, on_drained, lifecycle);
}

static void on_lost(void *arg, const char *reason)
{
    struct http_lifecycle *lifecycle = arg;

    if (!LIST_EMPTY(&lifecycle->server->listeners)) {
        say(lifecycle, "the channel to baton ended: %s; still serving", reason);
        return;
    }
    say(lifecycle, "the channel to baton ended before anything was to be served: %s", reason);
    end(lifecycle);
}

static void on_channel(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_lifecycle *lifecycle = watcher->data;

    (void)loop, (void)events;
    baton_dispatch(lifecycle->baton); /* an error was told to on_lost() */
}

static void watch_channel(struct http_lifecycle *lifecycle)
{
    int fd = baton_fd(lifecycle->baton);
    int events = EV_READ | (fd >= 0 && baton_wants_write(lifecycle->baton) ? EV_WRITE : 0);
    bool watched = ev_is_active(&lifecycle->channel);

    if (fd >= 0 && watched && (lifecycle->channel.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(lifecycle->loop, &lifecycle->channel);
    if (fd < 0)
        return;
    ev_io_set(&lifecycle->channel, fd, events);
    ev_io_start(lifecycle->loop, &lifecycle->channel);
}

/* --- status: told when it changed, but not more often than every 200 ms ------------------------ */

/* Returns whether there was something to tell. */
static bool tell_status(struct http_lifecycle *lifecycle)
{
    const struct http_server *server = lifecycle->server;
    const uint32_t *in = server->connections_in;
    const struct baton_status now = {
        .active = in[HTTP_RECEIVING] + in[HTTP_SERVING] + in[HTTP_SENDING],
        .idle = in[HTTP_IDLE],
        .requests = server->requests,
        .errors = server->errors,
    };

    if (!memcmp(&now, &lifecycle->told, sizeof now))
        return false;
    lifecycle->told = now;
    baton_status(lifecycle->baton, &now);
    return true;
}

static void on_status_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events, (void)timer; /* before_wait() follows, and tells what changed */
}

static void before_wait(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct http_lifecycle *lifecycle = watcher->data;

    (void)events;
    if (baton_fd(lifecycle->baton) >= 0 && !ev_is_active(&lifecycle->status_due) && tell_status(lifecycle)) {
        ev_timer_set(&lifecycle->status_due, STATUS_INTERVAL_MS / 1000.0, 0);
        ev_timer_start(loop, &lifecycle->status_due);
    }
    watch_channel(lifecycle);
}

/* --- the process ------------------------------------------------------------------------------ */

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct http_lifecycle *lifecycle = watcher->data;

    (void)loop, (void)events;
    if (lifecycle->signals++ > 0)
        _exit(EXIT_FAILURE);
    on_drain(lifecycle, SIGNAL_DEADLINE_MS);
}

static void watch(struct http_lifecycle *lifecycle)
{
    ev_init(&lifecycle->channel, on_channel);
    ev_prepare_init(&lifecycle->before_wait, before_wait);
    ev_init(&lifecycle->status_due, on_status_due);
    ev_signal_init(&lifecycle->terminate, on_signal, SIGTERM);
    ev_signal_init(&lifecycle->interrupt, on_signal, SIGINT);
    lifecycle->channel.data = lifecycle->before_wait.data = lifecycle->status_due.data = lifecycle;
    lifecycle->terminate.data = lifecycle->interrupt.data = lifecycle;
    ev_signal_start(lifecycle->loop, &lifecycle->terminate);
    ev_signal_start(lifecycle->loop, &lifecycle->interrupt);
    if (lifecycle->baton)
        ev_prepare_start(lifecycle->loop, &lifecycle->before_wait);
}

static void unwatch(struct http_lifecycle *lifecycle)
{
    ev_io_stop(lifecycle->loop, &lifecycle->channel);
    ev_prepare_stop(lifecycle->loop, &lifecycle->before_wait);
    ev_timer_stop(lifecycle->loop, &lifecycle->status_due);
    ev_signal_stop(lifecycle->loop, &lifecycle->terminate);
    ev_signal_stop(lifecycle->loop, &lifecycle->interrupt);
}

/* What was said last must arrive. */
static void flush_channel(struct http_lifecycle *lifecycle)
{
    while (baton_fd(lifecycle->baton) >= 0 && baton_wants_write(lifecycle->baton)) {
        struct pollfd channel = { .fd = baton_fd(lifecycle->baton), .events = POLLOUT };

        if (poll(&channel, 1, LAST_WORDS_MS) <= 0 || baton_dispatch(lifecycle->baton) < 0)
            break;
    }
}

static void close_channel(struct http_lifecycle *lifecycle)
{
    baton_close(lifecycle->baton);
    lifecycle->baton = NULL;
}

int http_lifecycle_open(struct http_lifecycle *lifecycle, struct ev_loop *loop, const char *program)
{
    static const struct baton_handlers handlers = {
        .on_listeners = on_listeners,
        .on_drain = on_drain,
        .on_lost = on_lost,
    };
    struct rlimit limit;

    *lifecycle = (struct http_lifecycle){ .program = program, .loop = loop };
    signal(SIGPIPE, SIG_IGN); /* whoever reads stderr may go away */
    int error = baton_open(&lifecycle->baton, &handlers, lifecycle);
    if (error < 0 && error != -ENOENT) {
        say(lifecycle, "the channel to baton (BATON_CHANNEL) cannot be used: %s", strerror(-error));
        return EXIT_FAILURE;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return 0;
}

uint32_t http_lifecycle_generation(const struct http_lifecycle *lifecycle)
{
    return lifecycle->baton ? baton_generation(lifecycle->baton) : 0;
}

int http_lifecycle_fail(struct http_lifecycle *lifecycle, const char *format, ...)
{
    char reason[201];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    say(lifecycle, "%s", reason);
    if (lifecycle->baton) {
        baton_bye(lifecycle->baton, reason); /* among the first words: there is room for it in the channel */
        close_channel(lifecycle);
    }
    return EXIT_FAILURE;
}

static void leave(struct http_lifecycle *lifecycle)
{
    if (lifecycle->exit_status == 0) {
        tell_status(lifecycle);
        baton_drained(lifecycle->baton);
    }
    flush_channel(lifecycle);
    close_channel(lifecycle);
}

static int listen_on(struct http_lifecycle *lifecycle, const char *text)
{
    char bound[HTTP_BIND_TEXT_BYTES];
    int fd;
    int error = http_bind(text, &fd, bound);

    if (error == -EINVAL)
        return http_lifecycle_fail(lifecycle, "--listen %s: give PORT, IPV4:PORT or [IPV6]:PORT", text);
    if (error == 0)
        error = http_server_listen(lifecycle->server, fd, true);
    if (error < 0)
        return http_lifecycle_fail(lifecycle, "cannot listen on %s: %s", text, strerror(-error));
    say(lifecycle, "listening on %s", bound);
    return 0;
}

int http_lifecycle_run(struct http_lifecycle *lifecycle, struct http_server *server, const char *listen_text)
{
    lifecycle->server = server;
    if (!lifecycle->baton && !listen_text)
        return http_lifecycle_fail(lifecycle,
                                   "nothing to listen on: start it under baton, or give --listen ADDR:PORT");
    if (listen_text && listen_on(lifecycle, listen_text) != 0)
        return EXIT_FAILURE;
    watch(lifecycle);
    if (lifecycle->baton) {
        baton_ready(lifecycle->baton);
        baton_dispatch(lifecycle->baton);
    }
    if (lifecycle->exit_status == 0)
        ev_run(lifecycle->loop, 0);
    unwatch(lifecycle);
    if (lifecycle->baton)
        leave(lifecycle);
    return lifecycle->exit_status;
}
