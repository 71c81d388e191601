#include "supervisor/process/native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/fdset.h"
#include "proto/message.h"

/* A worker that lets this much lie is not reading at all. */
enum { QUEUE_MAX = 256 };

/* Messages handled per wakeup: a worker that talks without end must not starve the others. */
enum { MESSAGES_PER_TURN = 32 };

struct queued {
    struct queued *next;
    struct fdset fds;
    size_t size;
    uint8_t bytes[];
};

struct native {
    struct ev_loop *loop;
    int fd;
    ev_io readable, writable;
    bool greeted, lenient; /* lenient: a HELLO may have been read by a supervisor before us */
    struct queued *first, **last;
    size_t queued;
    const struct native_handlers *handlers;
    void *arg;
};

static void drop_queue(struct native *native)
{
    while (native->first) {
        struct queued *queued = native->first;
        native->first = queued->next;
        fdset_clear(&queued->fds);
        free(queued);
    }
    native->last = &native->first;
    native->queued = 0;
}

static void close_channel(struct native *native)
{
    if (native->fd < 0)
        return;
    ev_io_stop(native->loop, &native->readable);
    ev_io_stop(native->loop, &native->writable);
    close(native->fd);
    native->fd = -1;
    drop_queue(native);
}

static void lose(struct native *native, bool broken, const char *reason)
{
    if (native->fd < 0)
        return;
    close_channel(native);
    native->handlers->on_lost(native->arg, broken, reason);
}

/* Send what is queued until the worker's end is full. */
static void flush(struct native *native)
{
    while (native->first) {
        struct queued *queued = native->first;
        int result =
            channel_send(native->fd, queued->bytes, queued->size, queued->fds.fds, queued->fds.count);

        if (result == CHANNEL_AGAIN || result == -ETOOMANYREFS) {
            ev_io_start(native->loop, &native->writable);
            return;
        }
        if (result != 0) {
            /* What it said before it went is still there to be read; reading finds the end. */
            drop_queue(native);
            break;
        }
        native->first = queued->next;
        if (!native->first)
            native->last = &native->first;
        native->queued--;
        fdset_clear(&queued->fds);
        free(queued);
    }
    ev_io_stop(native->loop, &native->writable);
}

static int enqueue(struct native *native, const struct message *message,
                   const struct native_listener *listeners, size_t count)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(message, bytes);

    if (native->fd < 0)
        return -EPIPE;
    if (size < 0)
        return size;
    if (native->queued >= QUEUE_MAX)
        return -ENOBUFS;
    struct queued *queued = calloc(1, sizeof *queued + (size_t)size);
    if (!queued)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int error = fdset_dup(&queued->fds, listeners[i].fd);
        if (error) {
            fdset_clear(&queued->fds);
            free(queued);
            return error;
        }
    }
    queued->size = (size_t)size;
    memcpy(queued->bytes, bytes, (size_t)size);
    *native->last = queued;
    native->last = &queued->next;
    native->queued++;
    ev_io_start(native->loop, &native->writable);
    return 0;
}

static void handle_hello(struct native *native, const struct message *message)
{
    uint32_t holds = message->hello.holds;

    native->handlers->on_hello(native->arg, message->hello.listeners_held);
    if (native->fd >= 0 && (holds & MESSAGE_HOLDS_READY))
        native->handlers->on_ready(native->arg);
    if (native->fd >= 0 && (holds & MESSAGE_HOLDS_SERVING))
        native->handlers->on_serving(native->arg, message->hello.listeners_held);
    if (native->fd >= 0 && (holds & MESSAGE_HOLDS_DRAINED))
        native->handlers->on_drained(native->arg);
}

static void handle(struct native *native, const struct message *message)
{
    switch (message->type) {
    case MESSAGE_HELLO:
        handle_hello(native, message);
        break;
    case MESSAGE_READY:
        native->handlers->on_ready(native->arg);
        break;
    case MESSAGE_SERVING:
        native->handlers->on_serving(native->arg, message->serving.count);
        break;
    case MESSAGE_DRAINED:
        native->handlers->on_drained(native->arg);
        break;
    case MESSAGE_STATUS:
        native->handlers->on_status(native->arg, &(struct native_status){
                                                     .active = message->status.active,
                                                     .idle = message->status.idle,
                                                     .requests = message->status.requests,
                                                     .errors = message->status.errors,
                                                 });
        break;
    case MESSAGE_BYE:
        native->handlers->on_bye(native->arg, message->bye.text);
        break;
    default: /* message_from_worker() let nothing else through */
        break;
    }
}

/* Decode one packet and act on it; anything odd ends the channel. */
static void handle_packet(struct native *native, struct channel_packet *packet)
{
    struct message message;
    char reason[160];
    const char *wrong = message_decode(packet->bytes, packet->size, &message);
    size_t count = packet->count;

    channel_packet_close(packet); /* no worker may send descriptors yet */
    if (wrong) {
        snprintf(reason, sizeof reason, "it sent an invalid message: %s", wrong);
        lose(native, true, reason);
    } else if (!message_from_worker(message.type) || !message_carries(&message, count)) {
        snprintf(reason, sizeof reason, "it sent %s, which is not for a worker to send%s",
                 message_name(message.type), count ? " with descriptors" : "");
        lose(native, true, reason);
    } else if (!native->greeted && !native->lenient && message.type != MESSAGE_HELLO) {
        snprintf(reason, sizeof reason, "it sent %s before HELLO", message_name(message.type));
        lose(native, true, reason);
    } else {
        native->greeted = true;
        handle(native, &message);
    }
}

/* Handle at most `limit` messages. */
static void read_messages(struct native *native, int limit)
{
    struct channel_packet packet;

    for (int i = 0; i < limit && native->fd >= 0; i++) {
        int result = channel_receive(native->fd, &packet);

        if (result == CHANNEL_AGAIN)
            return;
        if (result == CHANNEL_CLOSED)
            lose(native, false, "it closed its channel");
        else if (result != 0)
            lose(native, true, "it sent more than one message can hold");
        else
            handle_packet(native, &packet);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    read_messages(io->data, MESSAGES_PER_TURN);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    flush(io->data);
}

int native_open(struct ev_loop *loop, int fd, uint32_t generation, uint32_t worker, enum native_past past,
                const struct native_handlers *handlers, void *arg, struct native **out)
{
    struct native *native = calloc(1, sizeof *native);

    if (!native) {
        close(fd);
        return -ENOMEM;
    }
    *native = (struct native){ .loop = loop,
                               .fd = fd,
                               .greeted = past == NATIVE_GREETED,
                               .lenient = past == NATIVE_UNKNOWN,
                               .handlers = handlers,
                               .arg = arg };
    native->last = &native->first;
    ev_io_init(&native->readable, on_readable, fd, EV_READ);
    ev_io_init(&native->writable, on_writable, fd, EV_WRITE);
    native->readable.data = native->writable.data = native;
    ev_io_start(loop, &native->readable);
    struct message welcome = { .type = MESSAGE_WELCOME,
                               .welcome = { .generation = generation, .worker = worker } };
    int error = enqueue(native, &welcome, NULL, 0);
    if (error) {
        native_close(native);
        return error;
    }
    *out = native;
    return 0;
}

bool native_greeted(const struct native *native)
{
    return native->greeted && native->fd >= 0;
}

int native_give_listeners(struct native *native, const struct native_listener *listeners, size_t count)
{
    size_t first = 0;

    do {
        struct message message = { .type = MESSAGE_LISTENERS };
        size_t chunk = count - first < MESSAGE_LISTENERS_MAX ? count - first : MESSAGE_LISTENERS_MAX;

        message.listeners.total = (uint16_t)count;
        message.listeners.first = (uint16_t)first;
        message.listeners.count = (uint16_t)chunk;
        for (size_t i = 0; i < chunk; i++)
            snprintf(message.listeners.names[i], sizeof message.listeners.names[i], "%s",
                     listeners[first + i].name);
        int error = enqueue(native, &message, listeners + first, chunk);
        if (error)
            return error;
        first += chunk;
    } while (first < count);
    return 0;
}

int native_tell_role(struct native *native, bool serving)
{
    return enqueue(native, &(struct message){ .type = MESSAGE_ROLE, .role.serving = serving }, NULL, 0);
}

int native_tell_drain(struct native *native, uint32_t deadline_ms)
{
    return enqueue(native, &(struct message){ .type = MESSAGE_DRAIN, .drain.deadline_ms = deadline_ms }, NULL,
                   0);
}

void native_read(struct native *native)
{
    /* More than this cannot lie in the socket's buffer. */
    read_messages(native, 100000);
}

void native_close(struct native *native)
{
    if (!native)
        return;
    close_channel(native);
    free(native);
}
