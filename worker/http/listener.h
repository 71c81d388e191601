/* One listening socket of the server: takes a few connections per wakeup, so that processes which share
 * the socket share the connections. */
#ifndef BATON_HTTP_LISTENER_H
#define BATON_HTTP_LISTENER_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

struct http_server;

struct http_listener {
    LIST_ENTRY(http_listener) link;
    struct http_server *server;
    ev_io acceptable;
    int fd;
    bool is_tcp;
    bool sole; /* see http_server_listen() */
};

/* `fd` is taken, also on failure. Returns NULL without memory. It accepts once it is resumed. */
struct http_listener *http_listener_create(struct http_server *server, int fd, bool sole);

void http_listener_resume(struct http_listener *listener);
void http_listener_pause(struct http_listener *listener);

/* Take what is queued, at once. */
void http_listener_empty(struct http_listener *listener);

void http_listener_free(struct http_listener *listener);

#endif
