/* A native worker that remembers what it was told, and a supervisor in the same process that says it. */
#ifndef BATON_TESTS_FAKE_SUPERVISOR_H
#define BATON_TESTS_FAKE_SUPERVISOR_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/baton.h"
#include "proto/channel.h"
#include "proto/message.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

enum { MOST = MESSAGE_LISTENERS_TOTAL_MAX };

static struct worker {
    struct baton *baton;
    bool serves_at_once; /* on_listeners says SERVING */
    int sets;            /* calls of on_listeners */
    int count;           /* listeners held */
    int fds[MOST];
    char names[MOST][TEXT_NAME_BYTES];
    int roles, role;
    int drains;
    uint32_t drain_ms;
    int lost;
    int fd_when_lost;
    char lost_reason[256];
} worker;

static int supervisor; /* the other end of the channel */
static struct channel_packet packet;

static inline void on_listeners(void *arg, const struct baton_listener *listeners, size_t count)
{
    assert_ptr_equal(arg, &worker);
    for (size_t i = 0; i < count; i++) {
        assert_true(fcntl(listeners[i].fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fcntl(listeners[i].fd, F_GETFD), FD_CLOEXEC);
        snprintf(worker.names[worker.count], TEXT_NAME_BYTES, "%s", listeners[i].name);
        worker.fds[worker.count++] = listeners[i].fd;
    }
    worker.sets++;
    if (worker.serves_at_once)
        baton_serving(worker.baton);
}

static inline void on_role(void *arg, int serving)
{
    (void)arg;
    worker.roles++;
    worker.role = serving;
}

static inline void on_drain(void *arg, uint32_t deadline_ms)
{
    (void)arg;
    worker.drains++;
    worker.drain_ms = deadline_ms;
}

static inline void on_lost(void *arg, const char *reason)
{
    (void)arg;
    worker.lost++;
    worker.fd_when_lost = baton_fd(worker.baton);
    snprintf(worker.lost_reason, sizeof worker.lost_reason, "%s", reason);
}

static const struct baton_handlers handlers = { on_listeners, on_role, on_drain, on_lost };

static inline void put_channel_into_environment(int fd)
{
    char number[16];

    snprintf(number, sizeof number, "%d", fd);
    setenv("BATON_CHANNEL", number, 1);
    setenv("BATON_GENERATION", "7", 1);
}

static inline void open_worker(const struct baton_handlers *with)
{
    int ends[2];

    memset(&worker, 0, sizeof worker);
    assert_int_equal(channel_pair(ends), 0);
    supervisor = ends[0];
    put_channel_into_environment(ends[1]);
    assert_int_equal(baton_open(&worker.baton, with, &worker), 0);
}

static inline void close_worker(void)
{
    baton_close(worker.baton);
    for (int i = 0; i < worker.count; i++)
        close(worker.fds[i]);
    if (supervisor != -1)
        close(supervisor);
    unsetenv("BATON_GENERATION");
}

static struct message heard;

/* The supervisor receives the next message, which must be of `type`. */
static inline const struct message *hear(enum message_type type)
{
    assert_int_equal(channel_receive(supervisor, &packet), 0);
    assert_null(message_decode(packet.bytes, packet.size, &heard));
    if (heard.type != type)
        fail_msg("heard %s, not %s", message_name(heard.type), message_name(type));
    assert_true(message_from_worker(type));
    assert_true(message_carries(&heard, packet.count));
    return &heard;
}

static inline void hear_nothing(void)
{
    assert_int_equal(channel_receive(supervisor, &packet), CHANNEL_AGAIN);
}

static inline int tell(const struct message *message, const int *fds, size_t count)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(message, bytes);

    assert_true(size > 0);
    return channel_send(supervisor, bytes, (size_t)size, fds, count);
}

/* The supervisor says something small; the worker listens. */
static inline void say(struct message message)
{
    assert_int_equal(tell(&message, NULL, 0), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
}

static inline void say_welcome(void)
{
    say((struct message){ .type = MESSAGE_WELCOME, .welcome = { 7, 1 } });
}

/* Names first to first + count - 1 of a set of `total`, each with a copy of one descriptor. */
static inline int tell_chunk(int first, int count, int total)
{
    struct message message = { .type = MESSAGE_LISTENERS };
    int fds[MESSAGE_LISTENERS_MAX], one = eventfd(0, EFD_CLOEXEC), outcome;

    message.listeners.first = (uint16_t)first;
    message.listeners.count = (uint16_t)count;
    message.listeners.total = (uint16_t)total;
    for (int i = 0; i < count; i++) {
        /* as long as names may be, so that a large set does not fit into the channel at once */
        snprintf(message.listeners.names[i], TEXT_NAME_BYTES, "%0*d", total > 100 ? 63 : 1, first + i);
        fds[i] = one;
    }
    outcome = tell(&message, fds, (size_t)count);
    close(one);
    return outcome;
}

static inline void say_listeners(int total)
{
    for (int first = 0; first < total || first == 0;) {
        int count = total - first < MESSAGE_LISTENERS_MAX ? total - first : MESSAGE_LISTENERS_MAX;
        int outcome = tell_chunk(first, count, total);

        assert_true(outcome == 0 || outcome == CHANNEL_AGAIN);
        if (outcome == 0)
            first += count ? count : 1;
        else
            assert_int_equal(baton_dispatch(worker.baton), 0);
    }
    assert_int_equal(baton_dispatch(worker.baton), 0);
}

/* A worker that has opened, was welcomed and is ready. */
static inline void open_ready_worker(void)
{
    open_worker(&handlers);
    hear(MESSAGE_HELLO);
    say_welcome();
    hear(MESSAGE_HELLO);
    assert_int_equal(baton_ready(worker.baton), 0);
    hear(MESSAGE_READY);
}

#endif
