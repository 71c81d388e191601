/* One client of the control socket as lines: in one at a time, out as many as its buffer takes. It can be
 * slow, flood, half-close or send garbage; it costs its own share and delays nobody. Knows no JSON.
 *
 * It is either reading (a line is awaited, for at most CONTROL_CONNECTION_LINE_S seconds), or answering (it
 * is not read from; what it sends meanwhile waits in the socket; only its leaving is noticed, without a
 * timer). */
#ifndef BATON_CONTROL_CONNECTION_H
#define BATON_CONTROL_CONNECTION_H

#include <ev.h>
#include <stddef.h>

#include "supervisor/control_hangup.h"

enum {
    CONTROL_CONNECTION_LINE_MAX = 64 << 10, /* bytes of a line we take */
    CONTROL_CONNECTION_LINE_S = 10,         /* for each line to arrive, what was said before to be read */
    CONTROL_CONNECTION_UNSENT_MAX = 4 << 20 /* bytes a client may leave unread; then it is dropped */
};

struct control_connection;

/* Both are called from the loop, never from inside a function of this header. */
struct control_connection_handlers {
    /* A line arrived; the connection answers now, until control_connection_next(). `text` ends with a NUL, is
     * borrowed and may be changed; NULL: what came can be no line, `why` says in words why not. */
    void (*on_line)(void *arg, char *text, size_t bytes, const char *why);
    /* It is over: the peer left, took too long or left too much unread. Call control_connection_close(). */
    void (*on_end)(void *arg);
};

/* Takes `fd` (non-blocking, a stream), also on failure. `hangup` and `handlers` must outlive it; the hangup's
 * function must be control_connection_hung_up(). It begins with reading. 0 or -errno. */
int control_connection_open(struct ev_loop *loop, int fd, struct control_hangup *hangup,
                            const struct control_connection_handlers *handlers, void *arg,
                            struct control_connection **out);
void control_connection_hung_up(void *connection);

/* Queue a line (without its newline; copied). Never blocks. A peer that leaves too much unread is dropped:
 * on_end follows. */
void control_connection_say(struct control_connection *connection, const char *text, size_t bytes);

/* The line was answered: read the next one. */
void control_connection_next(struct control_connection *connection);

/* Read no more; on_end follows when everything was sent. */
void control_connection_finish(struct control_connection *connection);

/* Send what the peer's buffer takes at once, close, free. */
void control_connection_close(struct control_connection *connection);

#endif
