#include "worker/http/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/http/server.h"

enum {
    ACCEPT_BATCH = 8, /* per wakeup: several processes may share the queue, and all should get some */
    RETRY_MS = 100    /* after the system ran out of descriptors or memory */
};

enum accepted { ACCEPTED, QUEUE_EMPTY, QUEUE_CLOSED, EXHAUSTED };

static enum accepted accept_one(struct http_listener *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) /* refused for want of memory: one connection less is the remedy */
        return http_server_adopt(listener->server, fd, listener->is_tcp) == 0 ? ACCEPTED : EXHAUSTED;
    switch (errno) {
    case EAGAIN:
        return QUEUE_EMPTY;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return EXHAUSTED;
    case EBADF:
    case EINVAL: /* somebody who shares the socket has shut it down */
    case ENOTSOCK:
        return QUEUE_CLOSED;
    default: /* an error of the connection that was to be accepted, see accept(2) */
        return ACCEPTED;
    }
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http_listener *listener = watcher->data;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (http_server_is_full(listener->server)) {
            http_server_pause(listener->server, 0);
            return;
        }
        switch (accept_one(listener)) {
        case ACCEPTED:
            break;
        case QUEUE_EMPTY:
            return;
        case QUEUE_CLOSED:
            ev_io_stop(loop, watcher);
            return;
        case EXHAUSTED:
            http_server_pause(listener->server, RETRY_MS);
            return;
        }
    }
}

struct http_listener *http_listener_create(struct http_server *server, int fd, bool sole)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;

    if (!listener) {
        close(fd);
        return NULL;
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    listener->server = server;
    listener->fd = fd;
    listener->is_tcp = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    listener->sole = sole;
    ev_io_init(&listener->acceptable, on_acceptable, fd, EV_READ);
    listener->acceptable.data = listener;
    return listener;
}

void http_listener_resume(struct http_listener *listener)
{
    ev_io_start(listener->server->loop, &listener->acceptable);
}

void http_listener_pause(struct http_listener *listener)
{
    ev_io_stop(listener->server->loop, &listener->acceptable);
}

void http_listener_empty(struct http_listener *listener)
{
    while (!http_server_is_full(listener->server) && accept_one(listener) == ACCEPTED)
        ;
}

void http_listener_free(struct http_listener *listener)
{
    http_listener_pause(listener);
    close(listener->fd);
    free(listener);
}
