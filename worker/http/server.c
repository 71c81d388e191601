#include "worker/http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "worker/http/connection.h"

enum {
    SPARE_DESCRIPTORS = 64, /* never used for connections: files of the worker must open at any time */
    CONNECTIONS_LIMIT = 100000
};

const struct http_settings http_default_settings = {
    .limits = { .head_bytes = 32 * 1024, .body_bytes = 1024 * 1024 },
    .head_ms = 10 * 1000,
    .body_ms = 20 * 1000,
    .idle_ms = 75 * 1000,
    .send_ms = 30 * 1000,
    .linger_ms = 2 * 1000,
    .close_ms = 2 * 1000,
    .fields = "",
};

static uint32_t connections_allowed(void)
{
    struct rlimit limit = { .rlim_cur = 1024 };

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur <= SPARE_DESCRIPTORS)
        return 1;
    rlim_t allowed = limit.rlim_cur - SPARE_DESCRIPTORS;
    return allowed < CONNECTIONS_LIMIT ? (uint32_t)allowed : CONNECTIONS_LIMIT;
}

static uint32_t connections_open(const struct http_server *server)
{
    uint32_t open = 0;

    for (int state = 0; state < HTTP_STATES; state++)
        open += server->connections_in[state];
    return open;
}

bool http_server_is_full(const struct http_server *server)
{
    return connections_open(server) >= server->settings.connections_max;
}

static void resume(struct http_server *server)
{
    struct http_listener *listener;

    ev_timer_stop(server->loop, &server->accept_again);
    if (server->draining)
        return;
    server->accepting = true;
    LIST_FOREACH(listener, &server->listeners, link)
    http_listener_resume(listener);
}

void http_server_pause(struct http_server *server, uint32_t retry_ms)
{
    struct http_listener *listener;

    server->accepting = false;
    LIST_FOREACH(listener, &server->listeners, link)
    http_listener_pause(listener);
    if (retry_ms && !server->draining) {
        ev_timer_set(&server->accept_again, retry_ms / 1000.0, 0);
        ev_timer_start(server->loop, &server->accept_again);
    }
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    resume(timer->data);
}

static void on_drain_end(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_server *server = timer->data;
    const uint32_t *in = server->connections_in;
    uint32_t cut = in[HTTP_RECEIVING] + in[HTTP_SERVING] + in[HTTP_SENDING];

    (void)loop, (void)events;
    while (!LIST_EMPTY(&server->connections))
        http_connection_cut(LIST_FIRST(&server->connections));
    ev_timer_stop(server->loop, &server->drain_end);
    server->on_drained(server->drained_arg, cut);
}

int http_server_create(struct http_server **out, struct ev_loop *loop, const struct http_settings *settings,
                       http_handler *handle, void *arg)
{
    struct http_server *server = calloc(1, sizeof *server);

    if (!server)
        return -ENOMEM;
    server->loop = loop;
    server->settings = *settings;
    if (server->settings.connections_max == 0)
        server->settings.connections_max = connections_allowed();
    server->handle = handle;
    server->arg = arg;
    server->accepting = true;
    LIST_INIT(&server->connections);
    LIST_INIT(&server->listeners);
    ev_init(&server->accept_again, on_accept_again);
    ev_init(&server->drain_end, on_drain_end);
    server->accept_again.data = server->drain_end.data = server;
    *out = server;
    return 0;
}

/* Anything else would be reported as readable for ever, and nothing could be accepted. */
static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t length = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

int http_server_listen(struct http_server *server, int fd, bool sole)
{
    if (!is_listening(fd)) {
        close(fd);
        return -EINVAL;
    }
    struct http_listener *listener = http_listener_create(server, fd, sole);
    if (!listener)
        return -ENOMEM;
    LIST_INSERT_HEAD(&server->listeners, listener, link);
    if (server->accepting)
        http_listener_resume(listener);
    return 0;
}

int http_server_adopt(struct http_server *server, int fd, bool is_tcp)
{
    int on = 1;

    if (is_tcp) /* an answer leaves in one piece: waiting for more never helps */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return http_connection_open(server, fd);
}

static void stop_accepting(struct http_server *server)
{
    struct http_listener *listener, *next;

    ev_timer_stop(server->loop, &server->accept_again);
    server->accepting = false;
    for (listener = LIST_FIRST(&server->listeners); listener; listener = next) {
        next = LIST_NEXT(listener, link);
        http_listener_pause(listener);
        if (!listener->sole)
            continue;
        http_listener_empty(listener);
        LIST_REMOVE(listener, link);
        http_listener_free(listener);
    }
}

static void set_drain_end(struct http_server *server, uint32_t deadline_ms)
{
    double after = deadline_ms / 1000.0;
    bool sooner =
        !ev_is_active(&server->drain_end) || after < ev_timer_remaining(server->loop, &server->drain_end);

    if (!sooner)
        return;
    ev_timer_stop(server->loop, &server->drain_end);
    ev_timer_set(&server->drain_end, after, 0);
    ev_timer_start(server->loop, &server->drain_end);
}

/* Half of the deadline is left for answers. Never 0: that is how a timer is told to be off. */
static uint32_t linger_within(uint32_t linger_ms, uint32_t deadline_ms)
{
    uint32_t longest_ms = deadline_ms / 2;

    linger_ms = linger_ms < longest_ms ? linger_ms : longest_ms;
    return linger_ms ? linger_ms : 1;
}

void http_server_drain(struct http_server *server, uint32_t deadline_ms,
                       void (*on_drained)(void *arg, uint32_t cut), void *arg)
{
    struct http_connection *connection;

    if (!server->draining) {
        server->draining = true;
        server->on_drained = on_drained;
        server->drained_arg = arg;
        ev_now_update(server->loop);
        server->settings.linger_ms = linger_within(server->settings.linger_ms, deadline_ms);
        LIST_FOREACH(connection, &server->connections, link)
        http_connection_drain(connection);
        stop_accepting(server);
    }
    if (LIST_EMPTY(&server->connections))
        deadline_ms = 0;
    if (deadline_ms != UINT32_MAX)
        set_drain_end(server, deadline_ms);
}

void http_server_free(struct http_server *server)
{
    struct http_listener *listener;

    if (!server)
        return;
    while (!LIST_EMPTY(&server->connections))
        http_connection_cut(LIST_FIRST(&server->connections));
    while ((listener = LIST_FIRST(&server->listeners))) {
        LIST_REMOVE(listener, link);
        http_listener_free(listener);
    }
    ev_timer_stop(server->loop, &server->accept_again);
    ev_timer_stop(server->loop, &server->drain_end);
    http_exchange_pool_empty(&server->pool);
    free(server);
}

const char *http_server_date(struct http_server *server)
{
    time_t now = (time_t)ev_now(server->loop);
    struct tm utc;

    if (now != server->date_second) {
        server->date_second = now;
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    }
    return server->date;
}

void http_server_connection_gone(struct http_server *server)
{
    if (server->draining) {
        if (LIST_EMPTY(&server->connections) && server->on_drained)
            set_drain_end(server, 0); /* not from here: whoever closed the connection is not done yet */
    } else if (!server->accepting) {
        resume(server);
    }
}
