/* One virtual client: at most one connection with at most one request on it.
 *
 * A request passes through SENDING, RECEIVING and, when the connection has to end after it, CLOSING: only the
 * server's orderly close makes it a success. A connection used again that ends before any byte of the answer
 * is a race: a GET is sent once more on a new connection, as HTTP allows, and that decides. */
#ifndef BATON_LOAD_CLIENT_H
#define BATON_LOAD_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_connection.h"
#include "tests/bench/load_env.h"
#include "tests/bench/load_request.h"
#include "tests/bench/load_response.h"

enum load_client_state { LOAD_CLIENT_IDLE, LOAD_CLIENT_SENDING, LOAD_CLIENT_RECEIVING, LOAD_CLIENT_CLOSING };

struct load_client {
    struct load_env *env;
    const struct load_plan *plan;
    unsigned mode; /* its number in the statistics */
    void (*on_free)(struct load_client *client);
    void *owner;

    enum load_client_state state;
    struct load_connection connection;
    ev_timer pace;        /* pauses: of a slow client, after a failed connect, to think */
    uint64_t deadline_ns; /* unless idle */

    struct load_target *target;
    uint64_t n, begun_ns, answered_ns;
    bool reused, repeated, complete;
    int send_error;
    enum load_outcome outcome;
    char detail[LOAD_DETAIL_BYTES];
    struct load_buffer request;
    size_t head_bytes, sent;
    struct load_response response;
};

/* `on_free` is called when the client can take the next request: after each one, or after the pause that
 * follows it. `owner` is for the caller. */
void load_client_init(struct load_client *client, struct load_env *env, const struct load_plan *plan,
                      unsigned mode, void (*on_free)(struct load_client *client), void *owner);
void load_client_free(struct load_client *client);

/* Begin request `n`. The client must be idle. Latency counts from `begun_ns`, which may be past. */
void load_client_request(struct load_client *client, struct load_target *target, uint64_t n,
                         uint64_t begun_ns);

/* Give up when the server has been silent too long; with `force`, at once. */
void load_client_expire(struct load_client *client, uint64_t now_ns, bool force);

/* env->hurry was set: end the pause this client is in. */
void load_client_hurry(struct load_client *client);

#endif
