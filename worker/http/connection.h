/* One connection: receives requests, has them served one after the other, sends the answers, and ends in a
 * way that loses no byte on its way to the client.
 *
 *              first byte           complete            answered          all sent
 *      IDLE ──────────────> RECEIVING ────────> SERVING ────────> SENDING ────────> IDLE (or RECEIVING:
 *        │                       │                                   │              the next is here already)
 *        │ idle too long         │ refused, too slow: an error       │ the answer says close
 *        └───────────────────────┴──────────────────────> LINGERING <┘ ──> gone
 *
 * LINGERING: our direction is shut, what the client still sends is read and dropped until it closes.
 * Closing with unread bytes would reset the connection and could destroy the answer on its way.
 */
#ifndef BATON_HTTP_CONNECTION_H
#define BATON_HTTP_CONNECTION_H

#include "worker/http/server.h"

struct http_connection {
    LIST_ENTRY(http_connection) link;
    struct http_server *server;
    struct http_exchange *exchange; /* NULL in IDLE and LINGERING */
    enum http_state state;
    int fd;
    ev_io readable;
    ev_io writable;
    ev_timer timer;      /* what it means depends on the state, see expire() */
    ev_tstamp phase_end; /* of RECEIVING and LINGERING, however busy */
    size_t sent_bytes;   /* of head and body together */
    bool advancing;      /* inside the handler: an answer is sent when it returns */
    bool keep_alive;     /* after the answer that is being sent */
    bool client_closes;  /* the client said it sends nothing after this request */
};

/* Serve an accepted socket; `fd` is taken, also on failure. A request that is here already is served at once.
 * Returns 0, -ENOMEM. */
int http_connection_open(struct http_server *server, int fd);

/* The response of `exchange` is complete but for its head: send it. */
void http_connection_answer(struct http_connection *connection);

/* The server begins to drain. */
void http_connection_drain(struct http_connection *connection);

/* Close at once, whatever it does. */
void http_connection_cut(struct http_connection *connection);

#endif
