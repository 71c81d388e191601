#include "tests/bench/load_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/load_clock.h"
#include "tests/bench/load_socket.h"

enum {
    CONNECT_REST_MS = 10, /* after a failed connect: a refusing server must not make us spin */
    UNIX_RETRY_MS = 1,    /* the backlog of a UNIX listener is full */
};

static void start(struct load_client *client);

static bool is_slow(const struct load_client *client, enum load_mode mode)
{
    return client->plan->mode == mode && !client->env->hurry;
}

static void pause_for(struct load_client *client, unsigned ms)
{
    ev_timer_set(&client->pace, ms / 1000.0, 0.0);
    ev_timer_start(client->env->loop, &client->pace);
}

static void allow(struct load_client *client, unsigned ms)
{
    client->deadline_ns = load_now_ns() + (uint64_t)ms * LOAD_NS_PER_MS;
}

/* --- how a request ends --- */

static void record(struct load_client *client)
{
    struct load_env *env = client->env;
    bool success = client->outcome == LOAD_SUCCESS;
    uint64_t now_ns = load_now_ns();

    load_stats_record(env->stats, client->mode, client->outcome, client->answered_ns - client->begun_ns,
                      now_ns);
    if (client->complete)
        load_versions_record(env->versions, &client->response, success,
                             client->answered_ns - env->stats->start_ns);
    if (!success)
        load_stats_example(env->stats, client->mode, client->outcome, client->detail, now_ns);
    else if (client->target->read_back)
        load_target_acknowledge(client->target, client->n);
}

static void finish(struct load_client *client)
{
    bool unreachable = client->outcome != LOAD_SUCCESS && !client->connection.connected;
    unsigned rest_ms = unreachable ? CONNECT_REST_MS : client->plan->think_ms;

    record(client);
    client->state = LOAD_CLIENT_IDLE;
    client->env->in_flight--;
    ev_timer_stop(client->env->loop, &client->pace);
    if (!load_connection_suits(&client->connection, client->plan, &client->target->server))
        load_connection_close(&client->connection);
    if (rest_ms && !client->env->hurry)
        pause_for(client, rest_ms);
    else
        client->on_free(client);
}

static void close_and_finish(struct load_client *client)
{
    load_connection_close(&client->connection);
    finish(client);
}

static void fail(struct load_client *client, enum load_outcome outcome, const char *detail)
{
    client->outcome = outcome;
    snprintf(client->detail, sizeof client->detail, "%s", detail);
    close_and_finish(client);
}

/* HTTP lets a client repeat a safe request when a connection it used again turns out to be closed. */
static bool is_race(const struct load_client *client)
{
    return client->reused && !client->repeated && !client->response.begun && !client->target->body;
}

static void repeat(struct load_client *client)
{
    load_stats_race(client->env->stats, client->mode);
    ev_timer_stop(client->env->loop, &client->pace);
    load_connection_close(&client->connection);
    client->repeated = true;
    start(client);
}

/* The connection did not end as it should have. What the answer itself was found guilty of comes first. */
static void fail_closing(struct load_client *client, enum load_outcome outcome, const char *detail)
{
    if (client->outcome == LOAD_SUCCESS)
        fail(client, outcome, detail);
    else
        close_and_finish(client);
}

/* The connection ended while a request was on it. */
static void lost(struct load_client *client, bool reset)
{
    static const char *const how[] = { "an orderly close", "a reset" };

    if (client->state == LOAD_CLIENT_CLOSING && reset)
        fail_closing(client, LOAD_RESET_INSIDE, "a reset after the last byte, in place of a close");
    else if (client->state == LOAD_CLIENT_CLOSING)
        close_and_finish(client);
    else if (is_race(client))
        repeat(client);
    else if (client->response.begun)
        fail(client, reset ? LOAD_RESET_INSIDE : LOAD_EOF_INSIDE, how[reset]);
    else
        fail(client, reset ? LOAD_RESET_BEFORE : LOAD_EOF_BEFORE, how[reset]);
}

static void broken(struct load_client *client, int error)
{
    if (error == ECONNRESET || error == EPIPE)
        lost(client, true);
    else
        fail(client, error == ETIMEDOUT ? LOAD_ANSWER_TIMEOUT : LOAD_LOCAL, strerror(error));
}

/* --- the answer --- */

static void check(struct load_client *client)
{
    char version[LOAD_VERSION_BYTES];

    load_versions_key(client->env->versions, &client->response, version);
    client->outcome = load_target_check(client->target, &client->response, version, client->n,
                                        client->env->options->run, client->detail);
}

/* `extra` bytes came after the answer; `ended`: so did the end of the connection. */
static void answered(struct load_client *client, size_t extra, bool ended)
{
    bool partly_sent = client->state == LOAD_CLIENT_SENDING;

    client->complete = true;
    client->answered_ns = load_now_ns();
    client->connection.answered++;
    if (extra) {
        fail(client, LOAD_MALFORMED, "bytes after the end of the answer");
        return;
    }
    check(client);
    if (ended || partly_sent) /* answered early: the rest of the body stays unsent, nothing else may follow */
        load_connection_close(&client->connection);
    if (client->connection.fd < 0 || !(client->response.close || client->plan->requests == 1)) {
        finish(client);
        return;
    }
    client->state = LOAD_CLIENT_CLOSING;
    allow(client, client->env->options->timeout_ms);
    load_connection_watch(&client->connection, EV_READ);
}

static void received(struct load_client *client, const char *bytes, size_t length)
{
    size_t used;

    if (client->state == LOAD_CLIENT_CLOSING) {
        fail_closing(client, LOAD_MALFORMED, "bytes after the end of the answer");
        return;
    }
    int result = load_response_feed(&client->response, bytes, length, &used);
    if (result < 0) {
        fail(client, LOAD_MALFORMED, client->response.wrong);
    } else if (result == LOAD_RESPONSE_COMPLETE) {
        answered(client, length - used, false);
    } else {
        allow(client, client->env->options->timeout_ms);
        if (client->state == LOAD_CLIENT_RECEIVING && is_slow(client, LOAD_SLOW_RESPONSE)) {
            load_connection_watch(&client->connection, 0);
            pause_for(client, client->plan->pause_ms);
        }
    }
}

static void ended(struct load_client *client)
{
    if (client->state == LOAD_CLIENT_RECEIVING &&
        load_response_end(&client->response) == LOAD_RESPONSE_COMPLETE)
        answered(client, 0, true);
    else
        lost(client, client->send_error != 0);
}

/* Nothing was asked: the server may close when it likes, but it may not speak. */
static void idle_event(struct load_client *client, ssize_t length)
{
    load_connection_close(&client->connection);
    if (length <= 0) {
        client->env->stats->idle_closes++;
        return;
    }
    client->env->stats->begun++;
    client->outcome = LOAD_MALFORMED;
    client->complete = false;
    snprintf(client->detail, sizeof client->detail, "bytes that nobody asked for");
    record(client);
}

static void receive(struct load_client *client)
{
    static char bytes[65536];
    bool slow = client->state == LOAD_CLIENT_RECEIVING && is_slow(client, LOAD_SLOW_RESPONSE);
    size_t limit =
        slow && client->plan->chunk_bytes < sizeof bytes ? client->plan->chunk_bytes : sizeof bytes;
    ssize_t length = recv(client->connection.fd, bytes, limit, 0);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (client->state == LOAD_CLIENT_IDLE)
        idle_event(client, length);
    else if (length < 0)
        broken(client, errno);
    else if (length == 0)
        ended(client);
    else
        received(client, bytes, (size_t)length);
}

/* --- the request --- */

static void send_failed(struct load_client *client, int error)
{
    bool connected = client->connection.connected;

    if (error == EAGAIN || error == EINTR) {
        load_connection_watch(&client->connection, connected ? EV_READ | EV_WRITE : EV_WRITE);
    } else if (!connected) {
        fail(client, load_socket_connect_outcome(error), strerror(error));
    } else { /* the server may have answered before it closed: read that first */
        client->send_error = error;
        client->state = LOAD_CLIENT_RECEIVING;
        load_connection_watch(&client->connection, EV_READ);
    }
}

/* A slow upload sends the head, then piece after piece. */
static size_t next_piece(const struct load_client *client)
{
    size_t left = client->request.length - client->sent;

    if (!is_slow(client, LOAD_SLOW_UPLOAD))
        return left;
    if (client->sent < client->head_bytes)
        return client->head_bytes - client->sent;
    return left < client->plan->chunk_bytes ? left : client->plan->chunk_bytes;
}

static void send_request(struct load_client *client)
{
    while (client->sent < client->request.length) {
        size_t piece = next_piece(client);
        ssize_t length =
            send(client->connection.fd, client->request.data + client->sent, piece, MSG_NOSIGNAL);

        if (length < 0) {
            send_failed(client, errno);
            return;
        }
        client->connection.connected = true;
        client->sent += (size_t)length;
        allow(client, client->env->options->timeout_ms);
        if (is_slow(client, LOAD_SLOW_UPLOAD) && client->sent < client->request.length) {
            load_connection_watch(&client->connection, EV_READ);
            pause_for(client, client->plan->pause_ms);
            return;
        }
    }
    client->state = LOAD_CLIENT_RECEIVING;
    load_connection_watch(&client->connection, EV_READ);
}

static void open_and_send(struct load_client *client)
{
    int error = load_connection_open(&client->connection, &client->target->server, client->plan);

    if (error == -EAGAIN)
        pause_for(client, UNIX_RETRY_MS);
    else if (error)
        fail(client, load_socket_connect_outcome(-error), strerror(-error));
    else
        send_request(client);
}

static void start(struct load_client *client)
{
    client->reused = client->connection.fd >= 0;
    client->state = LOAD_CLIENT_SENDING;
    client->sent = 0;
    client->send_error = 0;
    load_response_init(&client->response, load_target_needs_body(client->target));
    if (client->reused) {
        allow(client, client->env->options->timeout_ms);
        send_request(client);
    } else {
        allow(client, client->env->options->connect_timeout_ms);
        open_and_send(client);
    }
}

void load_client_request(struct load_client *client, struct load_target *target, uint64_t n,
                         uint64_t begun_ns)
{
    struct load_request request = { .target = target,
                                    .n = n,
                                    .close = client->plan->requests == 1,
                                    .filler_bytes = client->plan->body_bytes };

    if (!load_connection_suits(&client->connection, client->plan, &target->server))
        load_connection_close(&client->connection);
    client->target = target;
    client->n = n;
    client->begun_ns = client->answered_ns = begun_ns;
    client->repeated = client->complete = false;
    client->head_bytes = load_request_render(&client->request, &request, client->env->options);
    client->env->stats->begun++;
    client->env->in_flight++;
    start(client);
}

/* --- events --- */

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
    struct load_client *client = io->data;

    (void)loop;
    if (client->state == LOAD_CLIENT_SENDING && (events & EV_WRITE))
        send_request(client);
    else
        receive(client);
}

static void on_pace(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct load_client *client = timer->data;

    (void)loop;
    (void)events;
    if (client->state == LOAD_CLIENT_IDLE)
        client->on_free(client);
    else if (client->connection.fd < 0)
        open_and_send(client);
    else if (client->state == LOAD_CLIENT_SENDING)
        send_request(client);
    else
        load_connection_watch(&client->connection, EV_READ);
}

void load_client_hurry(struct load_client *client)
{
    if (!ev_is_active(&client->pace))
        return;
    ev_timer_stop(client->env->loop, &client->pace);
    on_pace(client->env->loop, &client->pace, 0);
}

void load_client_expire(struct load_client *client, uint64_t now_ns, bool force)
{
    if (client->state == LOAD_CLIENT_IDLE || (!force && now_ns < client->deadline_ns))
        return;
    if (!client->connection.connected)
        fail(client, LOAD_CONNECT_TIMEOUT, "no connection");
    else if (client->state == LOAD_CLIENT_CLOSING)
        fail_closing(client, LOAD_ANSWER_TIMEOUT, "the connection was not closed after the answer");
    else
        fail(client, LOAD_ANSWER_TIMEOUT,
             client->response.begun ? "inside the answer" : "no byte of the answer");
}

void load_client_init(struct load_client *client, struct load_env *env, const struct load_plan *plan,
                      unsigned mode, void (*on_free)(struct load_client *client), void *owner)
{
    *client =
        (struct load_client){ .env = env, .plan = plan, .mode = mode, .on_free = on_free, .owner = owner };
    load_connection_init(&client->connection, env, on_event, client);
    ev_init(&client->pace, on_pace);
    client->pace.data = client;
}

void load_client_free(struct load_client *client)
{
    ev_timer_stop(client->env->loop, &client->pace);
    load_connection_close(&client->connection);
    load_buffer_free(&client->request);
    load_response_free(&client->response);
}
