#include "supervisor/control_connection.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/control_line.h"

enum state {
    READING,   /* a line is awaited */
    ANSWERING, /* a line was handed up */
    FINISHING, /* nothing is read any more, the rest is sent */
    ENDED,     /* on_end is called at the next turn of the loop */
};

struct output {
    char *bytes;
    size_t sent, used, capacity;
};

struct control_connection {
    struct ev_loop *loop;
    int fd;
    struct control_hangup *hangup;
    const struct control_connection_handlers *handlers;
    void *arg;
    enum state state;
    ev_io readable, writable;
    ev_timer deadline; /* for the next line, and for the last answer to be read */
    ev_timer turn;     /* at once, but after the others: a line that is here already, or the end */
    struct control_line input;
    struct output output;
};

static void start_timer(struct control_connection *connection, ev_timer *timer, double seconds)
{
    ev_timer_stop(connection->loop, timer);
    ev_timer_set(timer, seconds, 0);
    ev_timer_start(connection->loop, timer);
}

static void change_state(struct control_connection *connection, enum state state)
{
    struct ev_loop *loop = connection->loop;

    if (connection->state == ANSWERING)
        control_hangup_forget(connection->hangup, connection->fd);
    connection->state = state;
    ev_io_stop(loop, &connection->readable);
    ev_timer_stop(loop, &connection->deadline);
    switch (state) {
    case READING:
        ev_io_start(loop, &connection->readable);
        start_timer(connection, &connection->deadline, CONTROL_CONNECTION_LINE_S);
        break;
    case ANSWERING:
        break;
    case FINISHING:
        start_timer(connection, &connection->deadline, CONTROL_CONNECTION_LINE_S);
        break;
    case ENDED:
        ev_io_stop(loop, &connection->writable);
        start_timer(connection, &connection->turn, 0);
        break;
    }
}

static bool all_sent(const struct control_connection *connection)
{
    return connection->output.sent == connection->output.used;
}

static void discard(struct output *output)
{
    free(output->bytes);
    *output = (struct output){ 0 };
}

/* Send what the socket takes. False: the peer is gone. */
static bool flush(struct control_connection *connection)
{
    struct output *output = &connection->output;

    while (output->sent < output->used) {
        ssize_t n = send(connection->fd, output->bytes + output->sent, output->used - output->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        output->sent += (size_t)n;
    }
    discard(output);
    return true;
}

/* A peer that hears nothing any more may have asked something before: that is still read. */
static void send_more(struct control_connection *connection)
{
    bool heard = flush(connection);

    if (!heard)
        discard(&connection->output);
    if (!heard && connection->state != READING)
        change_state(connection, ENDED);
    else if (!all_sent(connection))
        ev_io_start(connection->loop, &connection->writable);
    else if (connection->state == FINISHING)
        change_state(connection, ENDED);
    else
        ev_io_stop(connection->loop, &connection->writable);
}

/* False: no memory, or the peer leaves too much unread. */
static bool append(struct output *output, const char *text, size_t bytes)
{
    size_t capacity = output->capacity ? output->capacity : 4096;

    if (bytes + 1 > CONTROL_CONNECTION_UNSENT_MAX - (output->used - output->sent))
        return false;
    if (output->sent > 0) {
        memmove(output->bytes, output->bytes + output->sent, output->used - output->sent);
        output->used -= output->sent;
        output->sent = 0;
    }
    while (capacity < output->used + bytes + 1)
        capacity *= 2;
    if (capacity > output->capacity) {
        char *larger = realloc(output->bytes, capacity);
        if (!larger)
            return false;
        output->bytes = larger;
        output->capacity = capacity;
    }
    memcpy(output->bytes + output->used, text, bytes);
    output->bytes[output->used + bytes] = '\n';
    output->used += bytes + 1;
    return true;
}

void control_connection_say(struct control_connection *connection, const char *text, size_t bytes)
{
    if (connection->state == ENDED)
        return;
    if (append(&connection->output, text, bytes))
        send_more(connection);
    else
        change_state(connection, ENDED);
}

static void hand_up(struct control_connection *connection, char *text, size_t bytes, const char *why)
{
    change_state(connection, ANSWERING);
    if (control_hangup_watch(connection->hangup, connection->fd, connection) < 0)
        change_state(connection, ENDED);
    else
        connection->handlers->on_line(connection->arg, text, bytes, why);
}

/* Hand up the next line if it is here. */
static void take_line(struct control_connection *connection)
{
    char *text;
    size_t bytes;
    int error = control_line_take(&connection->input, &text, &bytes);

    if (error == CONTROL_LINE_NONE) {
        bytes = connection->input.used - connection->input.start;
        if (bytes <= CONTROL_CONNECTION_LINE_MAX)
            return;
    }
    if (error < 0)
        hand_up(connection, NULL, 0, "a request has no NUL bytes");
    else if (bytes > CONTROL_CONNECTION_LINE_MAX)
        hand_up(connection, NULL, 0, "a request has at most 64 KiB");
    else
        hand_up(connection, text, bytes, NULL);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct control_connection *connection = io->data;
    char bytes[4096];
    ssize_t n = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    (void)loop, (void)revents;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 || (n > 0 && control_line_feed(&connection->input, bytes, (size_t)n) < 0))
        change_state(connection, ENDED);
    else if (n == 0)
        control_connection_finish(connection);
    else
        take_line(connection);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int revents)
{
    (void)loop, (void)revents;
    send_more(io->data);
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct control_connection *connection = timer->data;

    (void)loop, (void)revents;
    if (connection->state == ENDED)
        connection->handlers->on_end(connection->arg);
    else if (connection->state == READING)
        take_line(connection);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop, (void)revents;
    change_state(timer->data, ENDED);
}

void control_connection_hung_up(void *arg)
{
    change_state(arg, ENDED);
}

int control_connection_open(struct ev_loop *loop, int fd, struct control_hangup *hangup,
                            const struct control_connection_handlers *handlers, void *arg,
                            struct control_connection **out)
{
    struct control_connection *connection = calloc(1, sizeof *connection);

    if (!connection) {
        close(fd);
        return -ENOMEM;
    }
    connection->loop = loop;
    connection->fd = fd;
    connection->hangup = hangup;
    connection->handlers = handlers;
    connection->arg = arg;
    ev_io_init(&connection->readable, on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
    ev_timer_init(&connection->deadline, on_deadline, 0, 0);
    ev_timer_init(&connection->turn, on_turn, 0, 0);
    connection->readable.data = connection->writable.data = connection;
    connection->deadline.data = connection->turn.data = connection;
    change_state(connection, READING);
    *out = connection;
    return 0;
}

void control_connection_next(struct control_connection *connection)
{
    if (connection->state != ANSWERING)
        return;
    change_state(connection, READING);
    if (connection->input.start < connection->input.used)
        start_timer(connection, &connection->turn, 0);
    else
        control_line_clear(&connection->input);
}

void control_connection_finish(struct control_connection *connection)
{
    if (connection->state == ENDED)
        return;
    change_state(connection, FINISHING);
    if (all_sent(connection))
        change_state(connection, ENDED);
}

void control_connection_close(struct control_connection *connection)
{
    struct ev_loop *loop = connection->loop;

    flush(connection);
    change_state(connection, ENDED);
    ev_timer_stop(loop, &connection->turn);
    close(connection->fd);
    control_line_clear(&connection->input);
    free(connection->output.bytes);
    free(connection);
}
