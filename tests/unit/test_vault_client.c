#include "supervisor/process/vault_client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/channel.h"
#include "supervisor/keeper/wire.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* The test is the keeper: one end of the channel is its own. */
static int keeper = -1;
static struct vault *vault;
static char heard[256]; /* what the handlers were told */

static void hear(const char *what, const char *id, int number)
{
    struct channel_packet packet;
    struct wire_message message;
    size_t used = strlen(heard);

    snprintf(heard + used, sizeof heard - used, "%s%s %s %d", used ? ", " : "", what, id, number);
    /* While the handler runs the message is still in the channel. */
    assert_int_equal(channel_peek(vault_fd(vault), &packet), 0);
    assert_null(wire_decode(&message, packet.bytes, packet.size));
}

static void on_stored(void *arg, const char *id)
{
    assert_ptr_equal(arg, heard);
    hear("stored", id, 0);
}

static void on_refused(void *arg, const char *id, int error)
{
    assert_ptr_equal(arg, heard);
    hear("refused", id, error);
}

static void on_exit_of(void *arg, const char *id, pid_t pid, int status)
{
    assert_ptr_equal(arg, heard);
    hear("exit", id, pid * 1000 + status);
}

static void on_signal(void *arg, int signo)
{
    assert_ptr_equal(arg, heard);
    hear("signal", "", signo);
    assert_int_equal(vault_signal_done(vault, signo), 0); /* a handler may speak */
}

static void on_closed(void *arg)
{
    assert_ptr_equal(arg, heard);
    strcat(heard, "closed");
}

static const struct vault_handlers handlers = { on_stored, on_refused, on_exit_of, on_signal, on_closed };

static void say_to(int fd, const struct wire_message *message, const int *fds)
{
    uint8_t bytes[WIRE_MESSAGE_BYTES];
    size_t size = wire_encode(message, bytes);

    assert_int_equal(channel_send(fd, bytes, size, fds, wire_descriptors(message)), 0);
}

static void say_type(int fd, enum wire_type type)
{
    struct wire_message message = { .type = type };

    say_to(fd, &message, NULL);
}

/* Channel with what a keeper says to a new supervisor, two entries included; the supervisor's end. */
static int greet(void)
{
    struct wire_message start = { .type = WIRE_START, .start = { true, true, 9, 4, 1024, 4096 } };
    struct wire_message entries = {
        .type = WIRE_ENTRIES,
        .entries = { .count = 2,
                     .list = { { .id = "state" }, { .id = "w1", .pid = 12, .exited = true, .status = 256 } } }
    };
    int ends[2], fds[] = { eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK), eventfd(6, EFD_CLOEXEC | EFD_NONBLOCK) };

    assert_int_equal(channel_pair(ends), 0);
    keeper = ends[0];
    say_to(keeper, &start, NULL);
    say_to(keeper, &entries, fds);
    entries.entries.count = 1;
    strcpy(entries.entries.list[0].id, "more");
    say_to(keeper, &entries, fds);
    close(fds[0]);
    close(fds[1]);
    return ends[1];
}

static void connect_vault(void)
{
    struct vault_entry *entries;
    struct vault_start start;
    size_t count;
    int fd = greet();

    say_type(keeper, WIRE_END);
    heard[0] = '\0';
    assert_int_equal(vault_open(fd, &handlers, heard, &vault, &entries, &count, &start), 0);
    while (count > 0)
        close(entries[--count].fd);
    free(entries);
}

static void disconnect_vault(void)
{
    vault_close(vault);
    close(keeper);
}

static void entries_and_the_way_it_was_started_arrive(void **state)
{
    struct vault_entry *entries;
    struct vault_start start;
    eventfd_t value;
    size_t count;
    int fd = greet();

    (void)state;
    say_type(keeper, WIRE_END);
    assert_int_equal(vault_open(fd, &handlers, heard, &vault, &entries, &count, &start), 0);
    assert_true(start.restarted && start.safe_mode);
    assert_int_equal(start.previous_status, 9);
    assert_int_equal(start.restarts, 4);
    assert_int_equal(start.nofile_soft, 1024);
    assert_int_equal(start.nofile_hard, 4096);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].id, "state");
    assert_int_equal(entries[0].pid, 0);
    assert_string_equal(entries[1].id, "w1");
    assert_true(entries[1].pid == 12 && entries[1].exited && entries[1].status == 256);
    assert_string_equal(entries[2].id, "more");
    assert_int_equal(eventfd_read(entries[1].fd, &value), 0);
    assert_int_equal(value, 6);
    assert_true(fcntl(entries[0].fd, F_GETFD) & FD_CLOEXEC);
    for (size_t i = 0; i < count; i++)
        close(entries[i].fd);
    free(entries);
    disconnect_vault();
}

static void assert_refused(int fd, int error)
{
    struct vault_entry *entries = NULL;
    struct vault_start start;
    size_t count;

    vault = NULL;
    assert_int_equal(vault_open(fd, &handlers, heard, &vault, &entries, &count, &start), error);
    assert_null(vault);
    assert_null(entries);
    close(keeper);
}

static void a_keeper_that_cannot_be_understood_is_refused(void **state)
{
    struct wire_message start = { .type = WIRE_START };
    uint8_t bytes[WIRE_MESSAGE_BYTES];
    size_t size = wire_encode(&start, bytes);
    int ends[2], fd;

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    bytes[8]++; /* the version */
    assert_int_equal(channel_send(ends[0], bytes, size, NULL, 0), 0);
    keeper = ends[0];
    assert_refused(ends[1], -EPROTO);
    assert_int_equal(channel_pair(ends), 0);
    keeper = ends[0];
    say_type(keeper, WIRE_END); /* before START */
    assert_refused(ends[1], -EPROTO);
    fd = greet();
    say_type(keeper, WIRE_START); /* again */
    assert_refused(fd, -EPROTO);
    fd = greet();
    struct wire_message stored = { .type = WIRE_STORED, .entry.id = "state" };
    say_to(keeper, &stored, NULL); /* before END */
    assert_refused(fd, -EPROTO);
    fd = greet();
    size = wire_encode(&(struct wire_message){ .type = WIRE_ENTRIES, .entries = { 1, { { .id = "x" } } } },
                       bytes);
    assert_int_equal(channel_send(keeper, bytes, size, NULL, 0), 0); /* without its descriptor */
    assert_refused(fd, -EPROTO);
    fd = greet();
    assert_int_equal(close(keeper), 0); /* gone in the middle */
    keeper = -1;
    assert_refused(fd, -EPIPE);
}

static void news_are_handed_over_before_they_are_taken(void **state)
{
    struct wire_message message = { .type = WIRE_STORED,
                                    .entry = { .id = "w1", .pid = 3, .exited = true, .status = 7 } };
    struct channel_packet packet;

    (void)state;
    connect_vault();
    say_to(keeper, &message, NULL);
    message.type = WIRE_EXIT;
    say_to(keeper, &message, NULL);
    message.type = WIRE_REFUSED;
    say_to(keeper, &message, NULL);
    message = (struct wire_message){ .type = WIRE_SIGNAL, .number = SIGUSR2 };
    say_to(keeper, &message, NULL);
    vault_dispatch(vault);
    assert_string_equal(heard, "stored w1 0, exit w1 3007, refused w1 7, signal  12");
    assert_int_equal(channel_peek(vault_fd(vault), &packet), CHANNEL_AGAIN);
    vault_dispatch(vault);
    disconnect_vault();
}

static void a_keeper_that_is_gone_or_speaks_nonsense_is_reported_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        connect_vault();
        if (i == 0)
            assert_int_equal(channel_send(keeper, "nonsense", 8, NULL, 0), 0);
        else if (i == 1)
            say_type(keeper, WIRE_END); /* once more */
        else
            shutdown(keeper, SHUT_RDWR);
        vault_dispatch(vault);
        vault_dispatch(vault);
        assert_string_equal(heard, "closed");
        assert_int_equal(vault_fd(vault), -1);
        assert_int_equal(vault_hello(vault), -EPIPE);
        assert_int_equal(vault_store(vault, "x", 0, STDERR_FILENO), -EPIPE);
        assert_false(vault_wants_write(vault));
        disconnect_vault();
    }
}

static void assert_said(enum wire_type type, struct wire_message *message, int *fd)
{
    struct channel_packet packet;

    assert_int_equal(channel_receive(keeper, &packet), 0);
    assert_null(wire_decode(message, packet.bytes, packet.size));
    assert_int_equal(message->type, type);
    assert_int_equal(packet.count, wire_descriptors(message));
    if (packet.count == 1)
        *fd = packet.fds[0];
}

static void what_is_said_arrives_in_order(void **state)
{
    struct wire_message message;
    int fd, event = eventfd(8, EFD_CLOEXEC | EFD_NONBLOCK);
    eventfd_t value;

    (void)state;
    connect_vault();
    assert_int_equal(vault_hello(vault), 0);
    assert_int_equal(vault_store(vault, "w1.pidfd", 77, event), 0);
    assert_int_equal(vault_drop(vault, "w1.pidfd"), 0);
    assert_int_equal(vault_signal_done(vault, SIGHUP), 0);
    assert_int_equal(vault_notify(vault, "READY=1"), 0);
    assert_int_equal(vault_finish(vault, 3), 0);
    close(event);
    assert_said(WIRE_HELLO, &message, NULL);
    assert_said(WIRE_STORE, &message, &fd);
    assert_string_equal(message.entry.id, "w1.pidfd");
    assert_int_equal(message.entry.pid, 77);
    assert_int_equal(eventfd_read(fd, &value), 0);
    assert_int_equal(value, 8);
    close(fd);
    assert_said(WIRE_DROP, &message, NULL);
    assert_said(WIRE_SIGNAL_DONE, &message, NULL);
    assert_int_equal(message.number, SIGHUP);
    assert_said(WIRE_NOTIFY, &message, NULL);
    assert_string_equal(message.text, "READY=1");
    assert_said(WIRE_FINISH, &message, NULL);
    assert_int_equal(message.number, 3);
    disconnect_vault();
}

static void what_the_keeper_has_no_room_for_waits_in_order(void **state)
{
    struct wire_message message;
    char id[VAULT_ID_BYTES];
    int fd;

    (void)state;
    connect_vault();
    for (int i = 0; i < 1000; i++) {
        int event = eventfd(0, EFD_CLOEXEC);

        snprintf(id, sizeof id, "e%d", i);
        assert_int_equal(vault_store(vault, id, 0, event), 0);
        close(event); /* what waits is a duplicate */
    }
    assert_int_equal(vault_hello(vault), 0);
    assert_true(vault_wants_write(vault));
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "e%d", i);
        vault_dispatch(vault);
        assert_said(WIRE_STORE, &message, &fd);
        assert_string_equal(message.entry.id, id);
        close(fd);
    }
    assert_said(WIRE_HELLO, &message, NULL);
    assert_false(vault_wants_write(vault));
    assert_int_equal(vault_store(vault, "last", 0, STDERR_FILENO), 0);
    while (!vault_wants_write(vault)) /* left behind: closing frees what waits */
        assert_int_equal(vault_store(vault, "last", 0, STDERR_FILENO), 0);
    disconnect_vault();
}

static void wrong_arguments_are_refused(void **state)
{
    char text[WIRE_TEXT_BYTES + 1];

    (void)state;
    connect_vault();
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(vault_store(vault, "a b", 0, STDERR_FILENO), -EINVAL);
    assert_int_equal(vault_store(vault, "1234567890123456789012345", 0, STDERR_FILENO), -EINVAL);
    assert_int_equal(vault_store(vault, "a", -1, STDERR_FILENO), -EINVAL);
    assert_int_equal(vault_store(vault, "a", 0, -1), -EBADF);
    assert_int_equal(vault_store(vault, "a", 0, 1 << 20), -EBADF);
    assert_int_equal(vault_drop(vault, ""), -EINVAL);
    assert_int_equal(vault_notify(vault, text), -EINVAL);
    assert_int_equal(vault_notify(vault, text + 1), 0);
    disconnect_vault();
    vault_close(NULL);
}

static int inherited(const char *value)
{
    int result;

    setenv("BATON_KEEPER", value, 1);
    result = vault_inherited();
    assert_null(getenv("BATON_KEEPER"));
    return result;
}

static void the_channel_is_found_in_the_environment(void **state)
{
    char number[16];
    int ends[2];

    (void)state;
    unsetenv("BATON_KEEPER");
    assert_int_equal(vault_inherited(), -ENOENT);
    assert_int_equal(inherited(""), -EINVAL);
    assert_int_equal(inherited("x"), -EINVAL);
    assert_int_equal(inherited("3x"), -EINVAL);
    assert_int_equal(inherited("-1"), -EINVAL);
    assert_int_equal(inherited("4294967296"), -EINVAL);
    assert_int_equal(inherited("1000000"), -EBADF);
    assert_int_equal(inherited("0"), -ENOTSOCK);
    assert_int_equal(channel_pair(ends), 0);
    snprintf(number, sizeof number, "%d", ends[1]);
    assert_int_equal(fcntl(ends[1], F_SETFD, 0), 0);
    assert_int_equal(inherited(number), ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(entries_and_the_way_it_was_started_arrive),
        GUARDED(a_keeper_that_cannot_be_understood_is_refused),
        GUARDED(news_are_handed_over_before_they_are_taken),
        GUARDED(a_keeper_that_is_gone_or_speaks_nonsense_is_reported_once),
        GUARDED(what_is_said_arrives_in_order),
        GUARDED(what_the_keeper_has_no_room_for_waits_in_order),
        GUARDED(wrong_arguments_are_refused),
        GUARDED(the_channel_is_found_in_the_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
