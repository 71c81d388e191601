/* The client's end of a connection to an http_server that runs in the same loop. */
#ifndef BATON_TESTS_HTTP_PEER_H
#define BATON_TESTS_HTTP_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "worker/http/server.h"

struct peer {
    int fd;
    struct ev_loop *loop;
    ev_io readable;
    char text[2 * 1024 * 1024]; /* what was received, ends with NUL */
    size_t length;
    bool ended; /* the server closed in order */
    bool reset;
};

static inline void peer_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct peer *peer = watcher->data;
    ssize_t received = recv(peer->fd, peer->text + peer->length, sizeof peer->text - 1 - peer->length, 0);

    (void)events;
    assert_true(peer->length < sizeof peer->text - 1);
    if (received > 0) {
        peer->length += (size_t)received;
        peer->text[peer->length] = '\0';
        return;
    }
    if (received < 0 && errno == EAGAIN)
        return;
    peer->ended = received == 0;
    peer->reset = received < 0;
    ev_io_stop(loop, watcher);
}

static inline void peer_init(struct peer *peer, struct ev_loop *loop, int fd)
{
    peer->fd = fd;
    peer->loop = loop;
    peer->length = 0;
    peer->text[0] = '\0';
    peer->ended = peer->reset = false;
    ev_io_init(&peer->readable, peer_on_readable, fd, EV_READ);
    peer->readable.data = peer;
    ev_io_start(loop, &peer->readable);
}

/* A connection that the server gets without listening, with little room for answers nobody reads. */
static inline void peer_pair(struct peer *peer, struct http_server *server)
{
    int ends[2], room_bytes = 16 * 1024;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
    peer_init(peer, server->loop, ends[0]);
    assert_int_equal(http_server_adopt(server, ends[1], false), 0);
}

/* Connect to a listening socket on 127.0.0.1. */
static inline void peer_connect(struct peer *peer, struct ev_loop *loop, int listening_fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(getsockname(listening_fd, (struct sockaddr *)&address, &length), 0);
    if (connect(fd, (struct sockaddr *)&address, length) < 0)
        assert_int_equal(errno, EINPROGRESS);
    peer_init(peer, loop, fd);
}

/* Send all of it, while the loop runs when the server has to read first. */
static inline void peer_send(struct peer *peer, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t sent = send(peer->fd, text, left, MSG_NOSIGNAL);

        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            ev_run(peer->loop, EVRUN_NOWAIT);
            continue;
        }
        text += sent;
        left -= (size_t)sent;
    }
}

/* Run the loop until `expected` has arrived somewhere in the text. */
static inline void peer_await(struct peer *peer, const char *expected)
{
    while (!strstr(peer->text, expected)) {
        if (peer->ended || peer->reset)
            fail_msg("the connection ended before \"%s\": %s", expected, peer->text);
        ev_run(peer->loop, EVRUN_ONCE);
    }
}

static inline void peer_await_end(struct peer *peer)
{
    while (!peer->ended && !peer->reset)
        ev_run(peer->loop, EVRUN_ONCE);
    assert_false(peer->reset);
}

static inline void peer_forget(struct peer *peer)
{
    peer->length = 0;
    peer->text[0] = '\0';
}

static inline void peer_close(struct peer *peer)
{
    ev_io_stop(peer->loop, &peer->readable);
    close(peer->fd);
}

#endif
