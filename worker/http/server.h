/* The HTTP/1.1 server of a worker: listening sockets, connections, limits, drain. It knows libev and HTTP;
 * it knows neither baton (see lifecycle.h) nor what is served. One thread, one loop. No wakeups without
 * traffic: a timer runs only while a connection is open. */
#ifndef BATON_HTTP_SERVER_H
#define BATON_HTTP_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "worker/http/exchange.h"
#include "worker/http/listener.h"

struct http_settings {
    struct http_limits limits;
    uint32_t connections_max; /* 0: what the descriptor limit of the process allows */
    uint32_t head_ms;         /* from the first byte of a request to the end of its head: 408 after it */
    uint32_t body_ms;         /* between two pieces of a body, and 15 times that for all: 408 */
    uint32_t idle_ms;         /* without a request: closed */
    uint32_t send_ms;         /* without a byte of the answer taken: reset */
    uint32_t linger_ms;       /* how long an idle connection is still served once the server drains */
    uint32_t close_ms;        /* between two pieces of what the client sends after an answer that said close,
                               * and 15 times that for all: closed */
    const char *fields;       /* header lines of every answer, each with its CR LF; outlives the server */
};

/* 32 KiB of head, 1 MiB of body, and times that suit a public server. */
extern const struct http_settings http_default_settings;

/* What connections do; index of http_server.connections_in. */
enum http_state {
    HTTP_IDLE,      /* nothing of a request is here */
    HTTP_RECEIVING, /* part of a request */
    HTTP_SERVING,   /* the handler has not answered yet */
    HTTP_SENDING,   /* part of the answer is still to be sent */
    HTTP_LINGERING, /* answered and half closed; waits for the client's end */
    HTTP_STATES
};

LIST_HEAD(http_connections, http_connection);
LIST_HEAD(http_listeners, http_listener);

struct http_server {
    struct ev_loop *loop;
    struct http_settings settings;
    http_handler *handle;
    void *arg; /* of handle */

    uint64_t requests; /* answered */
    uint64_t errors;   /* of these with 5xx */
    uint32_t connections_in[HTTP_STATES];

    bool draining;
    void (*on_drained)(void *arg, uint32_t cut); /* see http_server_drain() */
    void *drained_arg;

    /* Private. */
    struct http_connections connections;
    struct http_listeners listeners;
    bool accepting;
    ev_timer accept_again; /* after the system ran out of descriptors or memory */
    ev_timer drain_end;
    struct http_exchange_pool pool;
    time_t date_second;
    char date[32];
};

/* `settings` are copied. Returns 0, -ENOMEM. */
int http_server_create(struct http_server **out, struct ev_loop *loop, const struct http_settings *settings,
                       http_handler *handle, void *arg);

/* Accept on `fd`, a non-blocking listening socket (TCP or UNIX), which is taken. `sole`: no other process
 * shares its accept queue, so a drain serves what is queued there and closes it at once. Otherwise a drain
 * only stops accepting: the queue belongs to the others who share the socket.
 * Returns 0; -EINVAL for what does not listen for streams; -ENOMEM. */
int http_server_listen(struct http_server *server, int fd, bool sole);

/* Serve an accepted, non-blocking connection; `fd` is taken. Returns 0, -ENOMEM. */
int http_server_adopt(struct http_server *server, int fd, bool is_tcp);

/* Stop accepting and answer what is in flight; every answer from now on says "Connection: close". An idle
 * connection is served for linger_ms more: the request a client is sending at this moment is answered, not
 * lost. `on_drained` is called, from the loop, once no connection is left, or after deadline_ms (UINT32_MAX:
 * never), which cuts those that are; `cut` is how many. A second call can only bring the deadline nearer. */
void http_server_drain(struct http_server *server, uint32_t deadline_ms,
                       void (*on_drained)(void *arg, uint32_t cut), void *arg);

/* Close everything. Exchanges that handlers still hold stay valid until they are answered. NULL is fine. */
void http_server_free(struct http_server *server);

/* For connection.c and listener.c. */
const char *http_server_date(struct http_server *server);
void http_server_connection_gone(struct http_server *server);
bool http_server_is_full(const struct http_server *server);
void http_server_pause(struct http_server *server, uint32_t retry_ms); /* accept again when a connection ends,
                                                                        * and after retry_ms unless 0 */

#endif
