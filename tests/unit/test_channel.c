#include "proto/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static struct channel_packet packet;

static void assert_received(int fd, const char *bytes, size_t descriptors)
{
    assert_int_equal(channel_receive(fd, &packet), 0);
    assert_int_equal(packet.size, strlen(bytes));
    assert_memory_equal(packet.bytes, bytes, packet.size);
    assert_int_equal(packet.count, descriptors);
}

static void assert_empty(int fd, int outcome)
{
    assert_int_equal(channel_receive(fd, &packet), outcome);
    assert_int_equal(packet.size, 0);
    assert_int_equal(packet.count, 0);
}

static void close_pair(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* `count` copies of one descriptor; passing a descriptor twice gives the peer two. */
static void send_copies(int end, const char *bytes, size_t count)
{
    int fds[CHANNEL_MAX_DESCRIPTORS];
    int one = eventfd(0, EFD_CLOEXEC);

    for (size_t i = 0; i < count; i++)
        fds[i] = one;
    assert_int_equal(channel_send(end, bytes, strlen(bytes), fds, count), 0);
    close(one);
}

static void both_ends_are_close_on_exec_and_non_blocking(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
        assert_true(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
        assert_int_equal(channel_check(ends[i]), 0);
    }
    close_pair(ends);
}

static void other_descriptors_are_no_channel(void **state)
{
    int pair[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC),
                 tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(channel_check(file), -ENOTSOCK);
    assert_int_equal(channel_check(pair[0]), -EPROTOTYPE);
    assert_int_equal(channel_check(tcp), -EPROTOTYPE);
    close_pair(pair);
    close(file);
    close(tcp);
    assert_int_equal(channel_check(file), -EBADF);
}

static void packets_keep_their_edges_and_order(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_empty(ends[1], CHANNEL_AGAIN);
    assert_int_equal(channel_send(ends[0], "one", 3, NULL, 0), 0);
    assert_int_equal(channel_send(ends[0], "second", 6, NULL, 0), 0);
    assert_received(ends[1], "one", 0);
    assert_received(ends[1], "second", 0);
    assert_empty(ends[1], CHANNEL_AGAIN);
    close_pair(ends);
}

static void nothing_blocks_even_on_a_blocking_socket(void **state)
{
    static const char large[CHANNEL_MAX_BYTES];
    int ends[2], outcome;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_empty(ends[1], CHANNEL_AGAIN);
    do
        outcome = channel_send(ends[0], large, sizeof large, NULL, 0);
    while (outcome == 0);
    assert_int_equal(outcome, CHANNEL_AGAIN);
    close_pair(ends);
}

static void descriptors_arrive_close_on_exec_and_are_the_same_files(void **state)
{
    int ends[2], sent = eventfd(0, EFD_NONBLOCK);
    uint64_t value = 7;

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(channel_send(ends[0], "x", 1, &sent, 1), 0);
    assert_int_equal(write(sent, &value, sizeof value), sizeof value);
    close(sent);
    assert_received(ends[1], "x", 1);
    assert_int_equal(fcntl(packet.fds[0], F_GETFD), FD_CLOEXEC);
    value = 0;
    assert_int_equal(read(packet.fds[0], &value, sizeof value), sizeof value);
    assert_int_equal(value, 7);
    channel_packet_close(&packet);
    close_pair(ends);
}

static void the_limits_are_253_descriptors_and_8192_bytes(void **state)
{
    static char large[CHANNEL_MAX_BYTES + 1];
    int ends[2], fds[CHANNEL_MAX_DESCRIPTORS + 1] = { 0 };

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    send_copies(ends[0], "many", CHANNEL_MAX_DESCRIPTORS);
    assert_received(ends[1], "many", CHANNEL_MAX_DESCRIPTORS);
    channel_packet_close(&packet);
    assert_int_equal(packet.count, 0);
    assert_int_equal(channel_send(ends[0], "x", 1, fds, CHANNEL_MAX_DESCRIPTORS + 1), -EMSGSIZE);
    assert_int_equal(channel_send(ends[0], large, sizeof large, NULL, 0), -EMSGSIZE);
    assert_int_equal(channel_send(ends[0], "", 0, NULL, 0), -EMSGSIZE);
    assert_int_equal(channel_send(ends[0], large, CHANNEL_MAX_BYTES, NULL, 0), 0);
    assert_int_equal(channel_receive(ends[1], &packet), 0);
    assert_int_equal(packet.size, CHANNEL_MAX_BYTES);
    close_pair(ends);
}

static void sending_to_a_peer_that_is_gone_raises_no_signal(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    close(ends[1]);
    assert_int_equal(channel_send(ends[0], "x", 1, NULL, 0), CHANNEL_CLOSED);
    assert_empty(ends[0], CHANNEL_CLOSED);
    close(ends[0]);
}

/* The kernel reports ECONNRESET before the packets that are still queued. */
static void the_last_words_of_a_peer_that_did_not_read_are_received(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(channel_send(ends[0], "unread", 6, NULL, 0), 0);
    assert_int_equal(channel_send(ends[1], "bye", 3, NULL, 0), 0);
    close(ends[1]);
    assert_int_equal(channel_peek(ends[0], &packet), 0);
    assert_received(ends[0], "bye", 0);
    assert_empty(ends[0], CHANNEL_CLOSED);
    assert_empty(ends[0], CHANNEL_CLOSED);
    close(ends[0]);
}

static void a_peek_takes_nothing(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(channel_peek(ends[1], &packet), CHANNEL_AGAIN);
    send_copies(ends[0], "look", 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(channel_peek(ends[1], &packet), 0);
        assert_int_equal(packet.size, 4);
        assert_memory_equal(packet.bytes, "look", 4);
        assert_int_equal(packet.count, 0);
    }
    assert_received(ends[1], "look", 3);
    channel_packet_close(&packet);
    close(ends[0]);
    assert_int_equal(channel_peek(ends[1], &packet), CHANNEL_CLOSED);
    close(ends[1]);
}

static void a_reader_killed_between_peek_and_receive_loses_nothing(void **state)
{
    int ends[2], status;

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    send_copies(ends[0], "recorded first", 2);
    pid_t reader = fork();
    if (reader == 0) {
        if (channel_peek(ends[1], &packet) == 0 && packet.size == 14)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFSIGNALED(status));
    assert_received(ends[1], "recorded first", 2);
    channel_packet_close(&packet);
    close_pair(ends);
}

static void a_packet_that_is_too_long_is_refused_with_all_it_brought(void **state)
{
    static char large[CHANNEL_MAX_BYTES + 1];
    int ends[2];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }
    };
    struct iovec iov = { .iov_base = large, .iov_len = sizeof large };
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    memcpy(CMSG_DATA(&control.header), &ends[0], sizeof(int));
    assert_int_equal(sendmsg(ends[0], &message, 0), sizeof large);
    assert_int_equal(channel_peek(ends[1], &packet), -EPROTO);
    assert_empty(ends[1], -EPROTO);
    close_pair(ends);
}

static void an_empty_packet_counts_as_the_end_and_its_descriptors_are_closed(void **state)
{
    int ends[2];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }
    };
    struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof control };

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    memcpy(CMSG_DATA(&control.header), &ends[0], sizeof(int));
    assert_int_equal(sendmsg(ends[0], &message, 0), 0);
    assert_empty(ends[1], CHANNEL_CLOSED);
    close_pair(ends);
}

static void descriptors_beyond_the_limit_drop_the_packet(void **state)
{
    struct rlimit limit, low;
    int ends[2];

    (void)state;
    assert_int_equal(channel_pair(ends), 0);
    send_copies(ends[0], "ten", 10);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){ .rlim_cur = (rlim_t)ends[1] + 4, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int outcome = channel_receive(ends[1], &packet);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(outcome, -EPROTO);
    assert_int_equal(packet.count, 0);
    close_pair(ends);
}

static void a_closed_descriptor_is_an_error_and_sends_nothing(void **state)
{
    int ends[2], closed = eventfd(0, EFD_CLOEXEC);

    (void)state;
    close(closed);
    assert_int_equal(channel_pair(ends), 0);
    if (closed == ends[0] || closed == ends[1])
        closed = ends[1] + 1;
    assert_int_equal(channel_send(ends[0], "x", 1, &closed, 1), -EBADF);
    assert_empty(ends[1], CHANNEL_AGAIN);
    close_pair(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(both_ends_are_close_on_exec_and_non_blocking),
        GUARDED(other_descriptors_are_no_channel),
        GUARDED(packets_keep_their_edges_and_order),
        GUARDED(nothing_blocks_even_on_a_blocking_socket),
        GUARDED(descriptors_arrive_close_on_exec_and_are_the_same_files),
        GUARDED(the_limits_are_253_descriptors_and_8192_bytes),
        GUARDED(sending_to_a_peer_that_is_gone_raises_no_signal),
        GUARDED(the_last_words_of_a_peer_that_did_not_read_are_received),
        GUARDED(a_peek_takes_nothing),
        GUARDED(a_reader_killed_between_peek_and_receive_loses_nothing),
        GUARDED(a_packet_that_is_too_long_is_refused_with_all_it_brought),
        GUARDED(an_empty_packet_counts_as_the_end_and_its_descriptors_are_closed),
        GUARDED(descriptors_beyond_the_limit_drop_the_packet),
        GUARDED(a_closed_descriptor_is_an_error_and_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
