/* One client connection at a time, watched by the loop. */
#ifndef BATON_LOAD_CONNECTION_H
#define BATON_LOAD_CONNECTION_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_env.h"
#include "tests/bench/load_plan.h"
#include "tests/bench/load_url.h"

struct load_connection {
    struct load_env *env;
    ev_io io;
    int fd;            /* -1: none */
    bool connected;    /* the last one opened has taken bytes: it was established */
    unsigned answered; /* requests on it */
    uint64_t opened_ns;
    struct load_server server;
};

/* `on_event` is called with `data` in io.data when what is watched happens. */
void load_connection_init(struct load_connection *connection, struct load_env *env,
                          void (*on_event)(struct ev_loop *loop, ev_io *io, int events), void *data);

/* Begin to connect to `server`, from the next source address of the run, as suits the plan.
 * There must be no connection. Returns 0 or the -errno of load_socket_open(). */
int load_connection_open(struct load_connection *connection, const struct load_server *server,
                         const struct load_plan *plan);

/* EV_READ, EV_WRITE, both, or 0: nothing. */
void load_connection_watch(struct load_connection *connection, int events);

/* Whether the next request of `plan` to `server` may use this connection: it goes there, and has not served
 * its time, by the number of requests or by age. */
bool load_connection_suits(const struct load_connection *connection, const struct load_plan *plan,
                           const struct load_server *server);

/* Close it; harmless when there is none. */
void load_connection_close(struct load_connection *connection);

#endif
