/* Client sockets, and what their errors mean. */
#ifndef BATON_LOAD_SOCKET_H
#define BATON_LOAD_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>

#include "tests/bench/load_stats.h"
#include "tests/bench/load_url.h"

struct load_socket_wish {
    bool has_source; /* IPv4 only; the port is chosen by connect(), so that it is unique per address pair */
    struct in_addr source;
    int receive_bytes; /* > 0: the receive buffer; a reader that is slow must be felt by the server */
    bool no_delay;     /* pieces go out when they are written */
};

/* Begin to connect, without blocking. Returns the descriptor (close-on-exec, non-blocking; the caller's) or
 * -errno; -EAGAIN: the backlog of a UNIX listener is full, try again later (TCP repeats its SYN by itself).
 */
int load_socket_open(const struct load_server *server, const struct load_socket_wish *wish);

/* The outcome of a request whose connection could not be made: LOAD_REFUSED, LOAD_CONNECT_TIMEOUT,
 * LOAD_RESET_BEFORE or LOAD_LOCAL. */
enum load_outcome load_socket_connect_outcome(int error);

#endif
