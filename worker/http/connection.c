#include "worker/http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    DISCARD_BYTES = 16 * 1024,
    DISCARD_ROUNDS = 16, /* per wakeup */
    PHASE_FACTOR = 15
};

static void advance(struct http_connection *connection, size_t received);

static void set_state(struct http_connection *connection, enum http_state state)
{
    connection->server->connections_in[connection->state]--;
    connection->server->connections_in[state]++;
    connection->state = state;
}

static void start_timer(struct http_connection *connection, uint32_t timeout_ms)
{
    connection->timer.repeat = timeout_ms / 1000.0;
    ev_timer_again(connection->server->loop, &connection->timer);
}

/* What is waited for must come within timeout_ms; what comes in pieces may take longer, but not for ever:
 * PHASE_FACTOR times as long as one piece may. */
static void start_phase(struct http_connection *connection, uint32_t timeout_ms, uint32_t piece_ms)
{
    connection->phase_end = ev_now(connection->server->loop) + piece_ms * PHASE_FACTOR / 1000.0;
    start_timer(connection, timeout_ms);
}

static void prolong_phase(struct http_connection *connection, uint32_t timeout_ms)
{
    if (ev_now(connection->server->loop) < connection->phase_end)
        start_timer(connection, timeout_ms);
}

static bool lend_exchange(struct http_connection *connection)
{
    if (!connection->exchange) {
        connection->exchange = http_exchange_pool_take(&connection->server->pool);
        if (!connection->exchange)
            return false;
        connection->exchange->connection = connection;
    }
    return true;
}

static void return_exchange(struct http_connection *connection)
{
    if (connection->exchange)
        http_exchange_pool_give(&connection->server->pool, connection->exchange);
    connection->exchange = NULL;
}

static void become_idle(struct http_connection *connection)
{
    const struct http_server *server = connection->server;

    return_exchange(connection);
    set_state(connection, HTTP_IDLE);
    start_timer(connection, server->draining ? server->settings.linger_ms : server->settings.idle_ms);
    ev_io_start(server->loop, &connection->readable);
}

/* Our direction is done: shut it, and read until the client has closed its own. */
static void begin_linger(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    return_exchange(connection);
    if (shutdown(connection->fd, SHUT_WR) < 0) {
        http_connection_cut(connection);
        return;
    }
    set_state(connection, HTTP_LINGERING);
    start_phase(connection, server->settings.close_ms, server->settings.close_ms);
    ev_io_start(server->loop, &connection->readable);
}

static void discard(struct http_connection *connection)
{
    char sink[DISCARD_BYTES];

    for (int round = 0; round < DISCARD_ROUNDS; round++) {
        ssize_t received = recv(connection->fd, sink, sizeof sink, 0);

        if (received < 0 && errno == EAGAIN)
            return;
        if (received <= 0) {
            http_connection_cut(connection);
            return;
        }
        prolong_phase(connection, connection->server->settings.close_ms);
    }
}

/* Send some of what is left of head and body, in one piece. */
static ssize_t send_some(const struct http_connection *connection)
{
    const struct http_response *response = &connection->exchange->response;
    size_t sent = connection->sent_bytes, head_bytes = response->head.length;
    struct iovec pieces[2];
    struct msghdr message = { .msg_iov = pieces };

    if (sent < head_bytes)
        pieces[message.msg_iovlen++] = (struct iovec){ response->head.data + sent, head_bytes - sent };
    size_t body_sent = sent > head_bytes ? sent - head_bytes : 0;
    if (body_sent < response->body.length)
        pieces[message.msg_iovlen++] =
            (struct iovec){ response->body.data + body_sent, response->body.length - body_sent };
    return sendmsg(connection->fd, &message, MSG_NOSIGNAL);
}

/* Send what is left of the answer. Returns true when all of it was taken; false when the rest must wait, or
 * the connection is gone. */
static bool flush(struct http_connection *connection)
{
    const struct http_server *server = connection->server;
    const struct http_response *response = &connection->exchange->response;
    size_t total_bytes = response->head.length + response->body.length;

    while (connection->sent_bytes < total_bytes) {
        ssize_t taken = send_some(connection);

        if (taken < 0 && errno == EAGAIN) {
            ev_io_start(server->loop, &connection->writable);
            start_timer(connection, server->settings.send_ms);
            return false;
        }
        if (taken < 0 && errno != EINTR) {
            http_connection_cut(connection);
            return false;
        }
        connection->sent_bytes += taken > 0 ? (size_t)taken : 0;
    }
    ev_io_stop(server->loop, &connection->writable);
    return true;
}

/* Send the answer and get ready for the next request. Returns true when bytes of it are here already. */
static bool finish_answer(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->exchange->request;

    if (!flush(connection))
        return false;
    server->requests++;
    if (connection->exchange->response.status >= 500)
        server->errors++;
    if (!connection->keep_alive) {
        bool client_closes = !request->keep_alive && !request->refusal;

        if (client_closes && request->parsed == request->input.length)
            http_connection_cut(connection); /* it sends no more: nothing unread can be left */
        else
            begin_linger(connection);
        return false;
    }
    http_response_reset(&connection->exchange->response);
    if (http_request_next(request) > 0)
        return true;
    become_idle(connection);
    return false;
}

/* Whether the client has sent more than the request that is being answered: while the server drains such a
 * connection is not told to close, because that would leave the next request unanswered. */
static bool input_waits(const struct http_connection *connection)
{
    const struct http_request *request = &connection->exchange->request;
    char byte;

    if (request->parsed < request->input.length)
        return true;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void http_connection_answer(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;

    connection->keep_alive = request->keep_alive && !request->refusal;
    if (connection->keep_alive && server->draining)
        connection->keep_alive = input_waits(connection);
    const struct http_framing framing = {
        .date = http_server_date(server),
        .common = server->settings.fields,
        .is_head = request->head_done && request->method == HTTP_HEAD,
        .is_http10 = request->is_http10,
        .keep_alive = connection->keep_alive,
    };
    if (!http_response_seal(&exchange->response, &framing)) {
        connection->keep_alive = false; /* no memory even for a head: say nothing, close */
        http_response_reset(&exchange->response);
    }
    connection->sent_bytes = 0;
    set_state(connection, HTTP_SENDING);
    if (!connection->advancing && finish_answer(connection))
        advance(connection, 0);
}

static void refuse(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    set_state(connection, HTTP_SERVING);
    if (exchange->request.refusal == 405)
        http_response_field(&exchange->response, "Allow", "GET, HEAD, POST");
    http_exchange_refuse(exchange, exchange->request.refusal, NULL, exchange->request.reason);
}

static void await_more(struct http_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_settings *settings = &connection->server->settings;
    struct http_request *request = &connection->exchange->request;

    ev_io_start(connection->server->loop, &connection->readable);
    if (!request->begun) { /* nothing but blank lines */
        if (connection->state == HTTP_IDLE)
            return_exchange(connection);
        else
            become_idle(connection);
        return;
    }
    if (request->wants_continue && request->body_length == 0)
        send(connection->fd, go_on, strlen(go_on), MSG_NOSIGNAL); /* cut short: a time-out, no harm */
    request->wants_continue = false;
    if (connection->state != HTTP_RECEIVING)
        start_phase(connection, request->head_done ? settings->body_ms : settings->head_ms,
                    settings->body_ms);
    else if (request->head_done)
        prolong_phase(connection, settings->body_ms);
    set_state(connection, HTTP_RECEIVING);
}

static void serve_next(struct http_connection *connection, size_t received)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;

    switch (http_request_feed(&exchange->request, received, &server->settings.limits)) {
    case HTTP_PARTIAL:
        await_more(connection);
        break;
    case HTTP_COMPLETE:
        set_state(connection, HTTP_SERVING);
        server->handle(server->arg, exchange);
        break;
    case HTTP_REFUSED:
        refuse(connection);
        break;
    }
}

/* Serve what has arrived until more is needed, an answer is still due, or the connection is gone. Answers
 * given inside the handler are sent here, so that pipelined requests do not pile up on the stack. */
static void advance(struct http_connection *connection, size_t received)
{
    do {
        connection->advancing = true;
        serve_next(connection, received);
        connection->advancing = false;
        received = 0;
    } while (connection->state == HTTP_SENDING && finish_answer(connection));
}

/* Returns false when nothing was there to receive. */
static bool receive(struct http_connection *connection)
{
    size_t room_bytes;
    char *room =
        lend_exchange(connection) ? http_request_room(&connection->exchange->request, &room_bytes) : NULL;
    ssize_t received = room ? recv(connection->fd, room, room_bytes, 0) : 0;

    if (received > 0) {
        advance(connection, (size_t)received);
        return true;
    }
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (connection->state == HTTP_IDLE)
            return_exchange(connection);
        return false;
    }
    http_connection_cut(connection); /* the client has closed, or there is no memory */
    return true;
}

static void expire(struct http_connection *connection)
{
    switch (connection->state) {
    case HTTP_IDLE:
        if (!receive(connection)) /* a request that came this very moment is served */
            begin_linger(connection);
        break;
    case HTTP_RECEIVING:
        connection->exchange->request.refusal = 408;
        connection->exchange->request.reason = "the request did not arrive in time";
        refuse(connection);
        break;
    case HTTP_SENDING:
    case HTTP_LINGERING:
        http_connection_cut(connection);
        break;
    default: /* SERVING takes as long as it takes */
        start_timer(connection, 0);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_connection *connection = watcher->data;

    (void)events;
    switch (connection->state) {
    case HTTP_IDLE:
    case HTTP_RECEIVING:
        receive(connection);
        break;
    case HTTP_LINGERING:
        discard(connection);
        break;
    default: /* one request at a time: the next one waits in the socket, and its sender with it */
        ev_io_stop(loop, watcher);
    }
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_connection *connection = watcher->data;

    (void)loop, (void)events;
    if (finish_answer(connection))
        advance(connection, 0);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    expire(timer->data);
}

int http_connection_open(struct http_server *server, int fd)
{
    struct http_connection *connection = calloc(1, sizeof *connection);

    if (!connection) {
        close(fd);
        return -ENOMEM;
    }
    connection->server = server;
    connection->fd = fd;
    ev_io_init(&connection->readable, on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
    ev_init(&connection->timer, on_timer);
    connection->readable.data = connection->writable.data = connection->timer.data = connection;
    LIST_INSERT_HEAD(&server->connections, connection, link);
    server->connections_in[HTTP_IDLE]++;
    become_idle(connection);
    receive(connection);
    return 0;
}

void http_connection_drain(struct http_connection *connection)
{
    if (connection->state == HTTP_IDLE)
        start_timer(connection, connection->server->settings.linger_ms);
}

void http_connection_cut(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    ev_io_stop(server->loop, &connection->readable);
    ev_io_stop(server->loop, &connection->writable);
    ev_timer_stop(server->loop, &connection->timer);
    close(connection->fd);
    if (connection->state == HTTP_SERVING)
        connection->exchange->connection = NULL; /* freed when the handler answers */
    else
        return_exchange(connection);
    LIST_REMOVE(connection, link);
    server->connections_in[connection->state]--;
    free(connection);
    http_server_connection_gone(server);
}
