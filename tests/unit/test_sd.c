#include "supervisor/keeper/sd.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* A socket that listens to notifications at `path` ("@…": abstract). */
static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
                     0);
    return fd;
}

/* The next datagram; its descriptor goes to *passed, -1: none. */
static const char *read_text(int fd, int *passed)
{
    static char text[1024];
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
    struct msghdr header = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

    if (size < 0)
        return NULL;
    text[size] = '\0';
    *passed = -1;
    if (CMSG_FIRSTHDR(&header))
        memcpy(passed, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof *passed);
    return text;
}

static void text_reaches_an_abstract_socket_and_a_path(void **state)
{
    char abstract[64], path[64];
    const char *addresses[] = { abstract, path };

    (void)state;
    snprintf(abstract, sizeof abstract, "@baton-test-sd-%d", getpid());
    snprintf(path, sizeof path, "/tmp/baton-test-sd-%d", getpid());
    for (int i = 0; i < 2; i++) {
        int fd = listen_at(addresses[i]), passed;
        struct sd sd;

        setenv("NOTIFY_SOCKET", addresses[i], 1);
        sd_open(&sd);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_int_equal(sd_send(&sd, "READY=1", -1), 0);
        assert_string_equal(read_text(fd, &passed), "READY=1");
        assert_int_equal(passed, -1);
        close(fd);
        assert_int_equal(sd_send(&sd, "READY=1", -1), 0); /* nobody there: nothing to repeat */
        close(sd.fd);
    }
    unlink(path);
}

static void descriptors_are_stored_without_polling_and_removed_by_name(void **state)
{
    char address[64];
    struct sd sd;
    int fd, passed, event = eventfd(7, EFD_CLOEXEC | EFD_NONBLOCK);
    eventfd_t value;

    (void)state;
    snprintf(address, sizeof address, "@baton-test-sd-%d", getpid());
    fd = listen_at(address);
    setenv("NOTIFY_SOCKET", address, 1);
    sd_open(&sd);
    assert_int_equal(sd_store(&sd, "w1.pidfd", event), 0);
    assert_string_equal(read_text(fd, &passed), "FDSTORE=1\nFDPOLL=0\nFDNAME=w1.pidfd");
    assert_int_equal(eventfd_read(passed, &value), 0);
    assert_int_equal(value, 7);
    close(passed);
    assert_int_equal(sd_store(&sd, "w1.pidfd", -1), 0);
    assert_string_equal(read_text(fd, &passed), "FDSTOREREMOVE=1\nFDNAME=w1.pidfd");
    assert_int_equal(passed, -1);
    close(event);
    close(fd);
    close(sd.fd);
}

static void a_full_queue_is_said_and_not_waited_for(void **state)
{
    char address[64];
    struct sd sd;
    int fd, passed, sent = 0;

    (void)state;
    snprintf(address, sizeof address, "@baton-test-sd-%d", getpid());
    fd = listen_at(address);
    setenv("NOTIFY_SOCKET", address, 1);
    sd_open(&sd);
    while (sd_send(&sd, "STATUS=x", -1) == 0)
        sent++;
    assert_int_equal(sd_send(&sd, "STATUS=x", -1), SD_AGAIN);
    assert_non_null(read_text(fd, &passed));
    assert_int_equal(sd_send(&sd, "STATUS=x", -1), 0);
    for (int i = 0; i < sent; i++)
        assert_non_null(read_text(fd, &passed));
    assert_null(read_text(fd, &passed));
    close(fd);
    close(sd.fd);
}

static void an_address_that_cannot_be_used_is_none(void **state)
{
    char too_long[200] = "/";
    const char *const addresses[] = { NULL, "", "@", "/", "relative", "vsock:2:1234", too_long };

    (void)state;
    memset(too_long + 1, 'x', sizeof too_long - 2);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct sd sd;

        if (addresses[i])
            setenv("NOTIFY_SOCKET", addresses[i], 1);
        setenv("WATCHDOG_USEC", "1000000", 1);
        sd_open(&sd);
        assert_int_equal(sd.fd, -1);
        assert_int_equal(sd.watchdog_ms, 0);
        assert_int_equal(sd_send(&sd, "READY=1", -1), 0);
    }
}

static uint64_t watchdog_ms(const char *usec, const char *pid)
{
    struct sd sd;

    setenv("NOTIFY_SOCKET", "@baton-test-nobody", 1);
    if (usec)
        setenv("WATCHDOG_USEC", usec, 1);
    if (pid)
        setenv("WATCHDOG_PID", pid, 1);
    sd_open(&sd);
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    close(sd.fd);
    return sd.watchdog_ms;
}

static void the_watchdog_is_half_the_time_when_it_is_ours(void **state)
{
    char pid[16];

    (void)state;
    snprintf(pid, sizeof pid, "%d", getpid());
    assert_int_equal(watchdog_ms("30000000", NULL), 15000);
    assert_int_equal(watchdog_ms("30000000", pid), 15000);
    assert_int_equal(watchdog_ms("30000000", "1"), 0);
    assert_int_equal(watchdog_ms("30 s", NULL), 0);
    assert_int_equal(watchdog_ms("-1", NULL), 0);
    assert_int_equal(watchdog_ms("99999999999999999999999", NULL), 0);
    assert_int_equal(watchdog_ms(NULL, NULL), 0);
}

static int listen_fds(const char *pid, const char *count, const char *list, char **names)
{
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    if (list)
        setenv("LISTEN_FDNAMES", list, 1);
    int found = sd_listen_fds(names);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
    return found;
}

static void descriptors_of_systemd_are_counted_and_named(void **state)
{
    char pid[16], *names;

    (void)state;
    snprintf(pid, sizeof pid, "%d", getpid());
    assert_int_equal(listen_fds(pid, "3", "a:bb:c", &names), 3);
    assert_string_equal(sd_next_name(&names), "a");
    assert_string_equal(sd_next_name(&names), "bb");
    assert_string_equal(sd_next_name(&names), "c");
    assert_string_equal(sd_next_name(&names), "");
    assert_int_equal(listen_fds(pid, "2", NULL, &names), 2);
    assert_string_equal(sd_next_name(&names), "");
    assert_int_equal(listen_fds("1", "2", "a:b", &names), 0);
    assert_int_equal(listen_fds(pid, "two", "a:b", &names), 0);
    assert_int_equal(listen_fds(pid, "-2", "a:b", &names), 0);
    assert_int_equal(listen_fds(pid, "99999999", "a:b", &names), 0);
    assert_int_equal(sd_listen_fds(&names), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(text_reaches_an_abstract_socket_and_a_path),
        GUARDED(descriptors_are_stored_without_polling_and_removed_by_name),
        GUARDED(a_full_queue_is_said_and_not_waited_for),
        GUARDED(an_address_that_cannot_be_used_is_none),
        GUARDED(the_watchdog_is_half_the_time_when_it_is_ours),
        GUARDED(descriptors_of_systemd_are_counted_and_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
