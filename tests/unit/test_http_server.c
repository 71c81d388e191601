#include "worker/http/server.h"

#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>

#include "tests/unit/guard.h"
#include "tests/unit/http_peer.h"
#include "worker/http/bind.h"
#include "worker/http/connection.h"

#define HOST "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

/* What the handler below works on. "/later": answered when the test says so. "/big": an answer that fits no
 * socket buffer. "/fail": 500. Anything else: its path and body come back. */
static struct world {
    struct ev_loop *loop;
    struct http_server *server;
    struct http_exchange *later;
    bool drained;
    uint32_t cut;
} world;

static struct peer peer, other;

enum { BIG_BYTES = 200 * 1024 };

static void handle(void *arg, struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    struct http_buffer *body = &exchange->response.body;

    assert_ptr_equal(arg, &world);
    if (!strcmp(request->path, "/later")) {
        assert_null(world.later);
        world.later = exchange;
        return;
    }
    if (!strcmp(request->path, "/fail")) {
        http_exchange_refuse(exchange, 500, NULL, "it \"fails\"");
        return;
    }
    if (!strcmp(request->path, "/big")) {
        for (size_t i = 0; i < BIG_BYTES; i++)
            http_buffer_append(body, &"abcdefg"[i % 7], 1);
    } else {
        http_buffer_printf(body, "<%s ", request->path);
        http_buffer_append(body, request->body, request->body_length);
        http_buffer_text(body, ">");
    }
    http_exchange_answer(exchange, 200, "text/plain");
}

static void answer_later(const char *text)
{
    struct http_exchange *exchange = world.later;

    world.later = NULL;
    http_buffer_text(&exchange->response.body, text);
    http_exchange_answer(exchange, 200, "text/plain");
}

static void await_later(void)
{
    while (!world.later)
        ev_run(world.loop, EVRUN_ONCE);
}

static void on_drained(void *arg, uint32_t cut)
{
    assert_ptr_equal(arg, &world);
    assert_false(world.drained);
    world.drained = true;
    world.cut = cut;
}

static void await_drained(void)
{
    while (!world.drained)
        ev_run(world.loop, EVRUN_ONCE);
}

static void drain(uint32_t deadline_ms)
{
    http_server_drain(world.server, deadline_ms, on_drained, &world);
}

/* Times so long that a test which waits for one of them fails by its alarm. */
static struct http_settings patient(void)
{
    struct http_settings settings = http_default_settings;

    settings.head_ms = settings.body_ms = settings.idle_ms = settings.send_ms = 600 * 1000;
    settings.linger_ms = settings.close_ms = 600 * 1000;
    settings.fields = "X-Common: yes\r\n";
    return settings;
}

static void start(struct http_settings settings)
{
    world = (struct world){ .loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV) };
    assert_int_equal(http_server_create(&world.server, world.loop, &settings, handle, &world), 0);
}

static void stop(void)
{
    http_server_free(world.server);
    ev_loop_destroy(world.loop);
}

static int listen_here(void)
{
    char bound[HTTP_BIND_TEXT_BYTES];
    int fd;

    assert_int_equal(http_bind("127.0.0.1:0", &fd, bound), 0);
    return fd;
}

static uint32_t connections(enum http_state state)
{
    return world.server->connections_in[state];
}

static void an_answer_has_everything_it_needs(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/a"));
    peer_await(&peer, "</a >");
    assert_memory_equal(peer.text, "HTTP/1.1 200 OK\r\nDate: ", 23);
    assert_non_null(
        strstr(peer.text, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Common: yes\r\n\r\n"));
    assert_int_equal(world.server->requests, 1);
    assert_int_equal(world.server->errors, 0);
    assert_int_equal(connections(HTTP_IDLE), 1);
    peer_close(&peer);
    stop();
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char text[] =
        "POST /b HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";

    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    for (const char *at = text; *at; at++) {
        char one[] = { *at, '\0' };

        peer_send(&peer, one);
        ev_run(world.loop, EVRUN_NOWAIT);
        assert_int_equal(connections(HTTP_RECEIVING), at[1] != '\0');
    }
    peer_await(&peer, "</b hi>");
    peer_close(&peer);
    stop();
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/1") GET("/2") "POST /3 HTTP/1.1\r\n" HOST
                                         "Content-Length: 1\r\n\r\nx" GET("/later") GET("/5"));
    await_later();
    peer_await(&peer, "</3 x>");
    assert_true(strstr(peer.text, "</1 >") < strstr(peer.text, "</2 >"));
    assert_true(strstr(peer.text, "</2 >") < strstr(peer.text, "</3 x>"));
    assert_null(strstr(peer.text, "</5 >"));
    answer_later("</later>");
    peer_await(&peer, "</5 >");
    assert_true(strstr(peer.text, "</later>") < strstr(peer.text, "</5 >"));
    assert_int_equal(world.server->requests, 5);
    peer_close(&peer);
    stop();
}

/* More requests than a stack that grew with each of them could take. */
static void a_flood_of_pipelined_requests_is_answered(void **state)
{
    enum { REQUESTS = 1000 };
    static char flood[REQUESTS * 64];

    (void)state;
    start(patient());
    flood[0] = '\0';
    for (int i = 0; i < REQUESTS; i++)
        strcat(flood, GET("/x"));
    peer_pair(&peer, world.server);
    peer_send(&peer, flood);
    peer_send(&peer, GET("/last"));
    peer_await(&peer, "</last >");
    assert_int_equal(world.server->requests, REQUESTS + 1);
    peer_close(&peer);
    stop();
}

static void while_a_request_is_served_the_next_one_waits_in_the_socket(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/later"));
    await_later();
    peer_send(&peer, GET("/next"));
    while (ev_is_active(&LIST_FIRST(&world.server->connections)->readable))
        ev_run(world.loop, EVRUN_ONCE); /* seen once, it is not looked at again */
    assert_int_equal(connections(HTTP_SERVING), 1);
    answer_later("done");
    peer_await(&peer, "</next >");
    peer_close(&peer);
    stop();
}

static void a_client_that_half_closes_is_answered(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/later"));
    shutdown(peer.fd, SHUT_WR);
    await_later();
    answer_later("late");
    peer_await(&peer, "late");
    peer_await_end(&peer);
    peer_close(&peer);
    stop();
}

static void head_is_answered_without_a_body(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, "HEAD /abc HTTP/1.1\r\n" HOST "\r\n" GET("/end"));
    peer_await(&peer, "</end >");
    assert_non_null(strstr(peer.text, "Content-Length: 7\r\n"));
    assert_null(strstr(peer.text, "</abc"));
    peer_close(&peer);
    stop();
}

static void http_10_is_closed_unless_it_asks_otherwise(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    peer_await(&peer, "</1 >");
    assert_non_null(strstr(peer.text, "Connection: keep-alive\r\n"));
    peer_send(&peer, "GET /2 HTTP/1.0\r\n\r\n");
    peer_await(&peer, "</2 >");
    assert_non_null(strstr(peer.text, "Connection: close\r\n"));
    peer_await_end(&peer);
    peer_close(&peer);
    stop();
}

static void a_client_that_waits_for_100_gets_it(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, "POST /p HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    peer_await(&peer, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_forget(&peer);
    peer_send(&peer, "hi");
    peer_await(&peer, "</p hi>");
    assert_null(strstr(peer.text, "100 Continue"));
    peer_close(&peer);
    stop();
}

static void an_error_is_json_and_is_counted(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/fail"));
    peer_await(&peer, "{\"error\":\"internal server error\",\"reason\":\"it \\\"fails\\\"\"}\n");
    assert_int_equal(world.server->errors, 1);
    peer_send(&peer, "FOO / HTTP/1.1\r\n");
    peer_await(&peer, "HTTP/1.1 405 Method Not Allowed\r\n");
    peer_await(&peer, "Allow: GET, HEAD, POST\r\n");
    peer_await(&peer, "Connection: close\r\n");
    peer_await_end(&peer);
    assert_int_equal(world.server->errors, 1);
    assert_int_equal(world.server->requests, 2);
    peer_close(&peer);
    stop();
}

/* Over TCP, where closing with unread bytes would reset the connection and could destroy the answer. */
static void a_body_that_is_too_large_is_refused_without_a_reset(void **state)
{
    static char flood[64 * 1024];
    int listening = listen_here();
    size_t sent_bytes = 0;

    (void)state;
    start(patient());
    assert_int_equal(http_server_listen(world.server, listening, true), 0);
    peer_connect(&peer, world.loop, listening);
    while (connections(HTTP_IDLE) == 0)
        ev_run(world.loop, EVRUN_ONCE);
    peer_send(&peer, "POST / HTTP/1.1\r\n" HOST "Content-Length: 8000000\r\n\r\n");
    memset(flood, 'x', sizeof flood);
    while (sent_bytes < 8000000) {
        ssize_t sent = send(peer.fd, flood, sizeof flood, MSG_NOSIGNAL);

        if (sent < 0)
            assert_int_equal(errno, EAGAIN);
        sent_bytes += sent > 0 ? (size_t)sent : 0;
        ev_run(world.loop, EVRUN_NOWAIT);
    }
    peer_await_end(&peer);
    assert_non_null(strstr(peer.text, "HTTP/1.1 413 "));
    assert_non_null(strstr(peer.text, "{\"error\":\"payload too large\","));
    assert_int_equal(connections(HTTP_LINGERING), 1);
    peer_close(&peer);
    stop();
}

static void a_slow_reader_gets_every_byte(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/big"));
    ev_io_stop(world.loop, &peer.readable);
    while (connections(HTTP_SENDING) == 0)
        ev_run(world.loop, EVRUN_ONCE);
    peer_send(&peer, GET("/next"));
    ev_io_start(world.loop, &peer.readable);
    peer_await(&peer, "</next >");
    const char *body = strstr(peer.text, "\r\n\r\n") + 4;
    for (size_t i = 0; i < BIG_BYTES; i++)
        assert_int_equal(body[i], "abcdefg"[i % 7]);
    assert_memory_equal(body + BIG_BYTES, "HTTP/1.1 200", 12);
    peer_close(&peer);
    stop();
}

static void a_client_that_takes_nothing_is_cut(void **state)
{
    struct http_settings settings = patient();

    (void)state;
    settings.send_ms = 20;
    start(settings);
    peer_pair(&peer, world.server);
    ev_io_stop(world.loop, &peer.readable);
    peer_send(&peer, GET("/big"));
    while (connections(HTTP_SENDING) == 0)
        ev_run(world.loop, EVRUN_ONCE);
    while (connections(HTTP_SENDING) > 0)
        ev_run(world.loop, EVRUN_ONCE);
    assert_int_equal(world.server->requests, 0);
    peer_close(&peer);
    stop();
}

static void a_request_that_stalls_is_answered_with_408(void **state)
{
    static const char *const stalls[] = {
        "GET / HT",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc",
    };
    struct http_settings settings = patient();

    (void)state;
    settings.head_ms = settings.body_ms = 20;
    for (size_t i = 0; i < sizeof stalls / sizeof *stalls; i++) {
        start(settings);
        peer_pair(&peer, world.server);
        peer_send(&peer, stalls[i]);
        peer_await(&peer, "HTTP/1.1 408 Request Timeout\r\n");
        peer_await_end(&peer);
        assert_non_null(strstr(peer.text, "Connection: close\r\n"));
        peer_close(&peer);
        stop();
    }
}

static void a_body_that_trickles_is_not_waited_for_for_ever(void **state)
{
    struct http_settings settings = patient();

    (void)state;
    settings.body_ms = 5;
    start(settings);
    peer_pair(&peer, world.server);
    peer_send(&peer, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
    while (!strstr(peer.text, "\r\n\r\n")) {
        peer_send(&peer, "x");
        ev_run(world.loop, EVRUN_NOWAIT);
    }
    assert_non_null(strstr(peer.text, "HTTP/1.1 408 "));
    peer_close(&peer);
    stop();
}

static void an_idle_connection_ends_without_a_word(void **state)
{
    struct http_settings settings = patient();

    (void)state;
    settings.idle_ms = 20;
    start(settings);
    peer_pair(&peer, world.server);
    peer_await_end(&peer);
    assert_int_equal(peer.length, 0);
    peer_close(&peer);
    while (connections(HTTP_LINGERING) > 0)
        ev_run(world.loop, EVRUN_ONCE);
    stop();
}

/* The loop is late: when it looks again, the time is over and a request is there. */
static void a_request_that_races_with_the_end_of_idleness_is_answered(void **state)
{
    struct http_settings settings = patient();
    const struct timespec longer_than_idle = { .tv_nsec = 5 * 1000 * 1000 };

    (void)state;
    settings.idle_ms = 1;
    start(settings);
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/raced"));
    nanosleep(&longer_than_idle, NULL);
    peer_await(&peer, "</raced >");
    peer_close(&peer);
    stop();
}

static void a_client_that_never_closes_is_closed(void **state)
{
    struct http_settings settings = patient();

    (void)state;
    settings.close_ms = 20;
    start(settings);
    peer_pair(&peer, world.server);
    peer_send(&peer, "FOO / HTTP/1.1\r\n");
    peer_await_end(&peer);
    while (connections(HTTP_LINGERING) > 0)
        ev_run(world.loop, EVRUN_ONCE);
    assert_int_equal(send(peer.fd, "x", 1, MSG_NOSIGNAL), -1);
    peer_close(&peer);
    stop();
}

static void an_answer_to_a_connection_that_is_gone_is_dropped(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/later"));
    await_later();
    http_server_free(world.server);
    world.server = NULL;
    answer_later("nobody listens");
    peer_await_end(&peer);
    peer_close(&peer);
    stop();
}

/* --- drain --------------------------------------------------------------------------------------- */

static void drain_answers_what_is_in_flight(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_pair(&other, world.server);
    peer_send(&peer, GET("/later"));
    peer_send(&other, "GET /half HT");
    await_later();
    drain(UINT32_MAX);
    peer_send(&other, "TP/1.1\r\n" HOST "\r\n");
    peer_await(&other, "</half >");
    peer_await_end(&other);
    assert_non_null(strstr(other.text, "Connection: close\r\n"));
    assert_false(world.drained);
    answer_later("late");
    peer_await(&peer, "late");
    peer_await_end(&peer);
    assert_non_null(strstr(peer.text, "Connection: close\r\n"));
    peer_close(&peer);
    peer_close(&other);
    await_drained();
    assert_int_equal(world.cut, 0);
    stop();
}

static void drain_answers_a_request_that_an_idle_connection_still_sends(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/before"));
    peer_await(&peer, "</before >");
    drain(UINT32_MAX);
    ev_run(world.loop, EVRUN_NOWAIT);
    assert_false(world.drained);
    peer_forget(&peer);
    peer_send(&peer, GET("/during"));
    peer_await(&peer, "</during >");
    assert_non_null(strstr(peer.text, "Connection: close\r\n"));
    peer_await_end(&peer);
    peer_close(&peer);
    await_drained();
    stop();
}

static void drain_answers_every_pipelined_request(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_send(&peer, GET("/later"));
    await_later();
    peer_send(&peer, GET("/2") GET("/3"));
    drain(UINT32_MAX);
    answer_later("first");
    peer_await(&peer, "</3 >");
    peer_await_end(&peer);
    const char *close_line = strstr(peer.text, "Connection: close\r\n");
    assert_non_null(close_line);
    assert_true(close_line > strstr(peer.text, "</2 >"));
    peer_close(&peer);
    await_drained();
    assert_int_equal(world.server->requests, 3);
    stop();
}

static void drain_closes_idle_connections_after_the_linger(void **state)
{
    struct http_settings settings = patient();

    (void)state;
    settings.linger_ms = 20;
    start(settings);
    peer_pair(&peer, world.server);
    drain(UINT32_MAX);
    peer_await_end(&peer);
    assert_int_equal(peer.length, 0);
    assert_false(world.drained);
    peer_close(&peer);
    await_drained();
    stop();
}

static void drain_ends_at_its_deadline_and_counts_what_it_cut(void **state)
{
    (void)state;
    start(patient());
    peer_pair(&peer, world.server);
    peer_pair(&other, world.server);
    peer_send(&peer, GET("/later"));
    await_later();
    drain(UINT32_MAX);
    drain(20);
    await_drained();
    assert_int_equal(world.cut, 1);
    peer_await_end(&peer);
    assert_int_equal(peer.length, 0);
    answer_later("too late");
    peer_close(&peer);
    peer_close(&other);
    stop();
}

static void drain_of_an_idle_server_ends_at_once(void **state)
{
    (void)state;
    start(patient());
    drain(UINT32_MAX);
    assert_false(world.drained); /* never from inside the call */
    await_drained();
    stop();
}

/* --- listening ----------------------------------------------------------------------------------- */

/* The queue of a shared socket belongs to the others; what they do not take must not be lost here. */
static void drain_leaves_the_queue_of_a_shared_socket_to_the_others(void **state)
{
    struct http_server *successor;
    struct http_settings settings = patient();
    int listening = listen_here();

    (void)state;
    start(settings);
    assert_int_equal(http_server_listen(world.server, dup(listening), false), 0);
    peer_connect(&peer, world.loop, listening);
    peer_send(&peer, GET("/1"));
    peer_await(&peer, "</1 >");
    drain(UINT32_MAX);
    peer_connect(&other, world.loop, listening);
    peer_send(&other, GET("/2"));
    for (int i = 0; i < 3; i++)
        ev_run(world.loop, EVRUN_NOWAIT);
    assert_int_equal(other.length, 0);
    assert_int_equal(http_server_create(&successor, world.loop, &settings, handle, &world), 0);
    assert_int_equal(http_server_listen(successor, listening, false), 0);
    peer_await(&other, "</2 >");
    assert_int_equal(successor->requests, 1);
    peer_close(&peer);
    await_drained();
    peer_close(&other);
    http_server_free(successor);
    stop();
}

static void drain_serves_the_queue_of_a_socket_of_its_own(void **state)
{
    int listening = listen_here();

    (void)state;
    start(patient());
    assert_int_equal(http_server_listen(world.server, listening, true), 0);
    peer_connect(&peer, world.loop, listening);
    peer_send(&peer, GET("/queued"));
    drain(UINT32_MAX);
    peer_await(&peer, "</queued >");
    assert_non_null(strstr(peer.text, "Connection: close\r\n"));
    peer_await_end(&peer);
    peer_close(&peer);
    await_drained();
    stop();
}

static void a_full_server_lets_new_connections_wait(void **state)
{
    struct http_settings settings = patient();
    int listening = listen_here();

    (void)state;
    settings.connections_max = 1;
    start(settings);
    assert_int_equal(http_server_listen(world.server, listening, true), 0);
    peer_connect(&peer, world.loop, listening);
    peer_send(&peer, GET("/1"));
    peer_await(&peer, "</1 >");
    peer_connect(&other, world.loop, listening);
    peer_send(&other, GET("/2"));
    for (int i = 0; i < 5; i++)
        ev_run(world.loop, EVRUN_NOWAIT);
    assert_int_equal(other.length, 0);
    peer_close(&peer);
    peer_await(&other, "</2 >");
    peer_close(&other);
    stop();
}

static void without_descriptors_the_server_waits_and_does_not_spin(void **state)
{
    struct rlimit limit, none;
    int listening = listen_here();

    (void)state;
    start(patient());
    assert_int_equal(http_server_listen(world.server, listening, true), 0);
    peer_connect(&peer, world.loop, listening);
    peer_send(&peer, GET("/"));
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = (rlim_t)peer.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    while (world.server->accepting)
        ev_run(world.loop, EVRUN_ONCE);
    assert_true(ev_is_active(&world.server->accept_again));
    assert_false(ev_is_active(&LIST_FIRST(&world.server->listeners)->acceptable));
    setrlimit(RLIMIT_NOFILE, &limit);
    peer_await(&peer, "</ >");
    peer_close(&peer);
    stop();
}

static void a_unix_socket_is_served_too(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    start(patient());
    bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)); /* the kernel finds an abstract name */
    assert_int_equal(listen(listening, 10), 0);
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(http_server_listen(world.server, listening, false), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    peer_init(&peer, world.loop, fd);
    peer_send(&peer, GET("/unix"));
    peer_await(&peer, "</unix >");
    peer_close(&peer);
    stop();
}

static void an_idle_server_has_no_timer(void **state)
{
    int listening = listen_here();

    (void)state;
    start(patient());
    assert_int_equal(http_server_listen(world.server, listening, true), 0);
    peer_connect(&peer, world.loop, listening);
    peer_send(&peer, GET("/"));
    peer_await(&peer, "</ >");
    peer_close(&peer);
    while (connections(HTTP_IDLE) > 0)
        ev_run(world.loop, EVRUN_ONCE);
    assert_false(ev_is_active(&world.server->accept_again));
    assert_false(ev_is_active(&world.server->drain_end));
    ev_io_stop(world.loop, &LIST_FIRST(&world.server->listeners)->acceptable);
    assert_false(ev_run(world.loop, EVRUN_NOWAIT)); /* 0: not one watcher is active */
    stop();
}

static void addresses_that_cannot_be_bound_are_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "x",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       ":80",
                                       "[::1]",
                                       "[::1:80",
                                       "1.2.3.4:65536",
                                       "1.2.3.4:-1",
                                       "localhost:80",
                                       "127.0.0.1:80x" };
    char bound[HTTP_BIND_TEXT_BYTES];
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(http_bind(bad[i], &fd, bound), -EINVAL);
    assert_int_equal(http_bind("192.0.2.1:0", &fd, bound), -EADDRNOTAVAIL);
    assert_int_equal(http_bind("0", &fd, bound), 0);
    assert_memory_equal(bound, "0.0.0.0:", 8);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(an_answer_has_everything_it_needs),
        GUARDED(a_request_may_come_byte_by_byte),
        GUARDED(pipelined_requests_are_answered_in_order),
        GUARDED(a_flood_of_pipelined_requests_is_answered),
        GUARDED(while_a_request_is_served_the_next_one_waits_in_the_socket),
        GUARDED(a_client_that_half_closes_is_answered),
        GUARDED(head_is_answered_without_a_body),
        GUARDED(http_10_is_closed_unless_it_asks_otherwise),
        GUARDED(a_client_that_waits_for_100_gets_it),
        GUARDED(an_error_is_json_and_is_counted),
        GUARDED(a_body_that_is_too_large_is_refused_without_a_reset),
        GUARDED(a_slow_reader_gets_every_byte),
        GUARDED(a_client_that_takes_nothing_is_cut),
        GUARDED(a_request_that_stalls_is_answered_with_408),
        GUARDED(a_body_that_trickles_is_not_waited_for_for_ever),
        GUARDED(an_idle_connection_ends_without_a_word),
        GUARDED(a_request_that_races_with_the_end_of_idleness_is_answered),
        GUARDED(a_client_that_never_closes_is_closed),
        GUARDED(an_answer_to_a_connection_that_is_gone_is_dropped),
        GUARDED(drain_answers_what_is_in_flight),
        GUARDED(drain_answers_a_request_that_an_idle_connection_still_sends),
        GUARDED(drain_answers_every_pipelined_request),
        GUARDED(drain_closes_idle_connections_after_the_linger),
        GUARDED(drain_ends_at_its_deadline_and_counts_what_it_cut),
        GUARDED(drain_of_an_idle_server_ends_at_once),
        GUARDED(drain_leaves_the_queue_of_a_shared_socket_to_the_others),
        GUARDED(drain_serves_the_queue_of_a_socket_of_its_own),
        GUARDED(a_full_server_lets_new_connections_wait),
        GUARDED(without_descriptors_the_server_waits_and_does_not_spin),
        GUARDED(a_unix_socket_is_served_too),
        GUARDED(an_idle_server_has_no_timer),
        GUARDED(addresses_that_cannot_be_bound_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
