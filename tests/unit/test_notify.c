#include "supervisor/process/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* Send as sd_notify(3) does, with `passed` unless it is -1. */
static void send_to(const char *address, const char *bytes, size_t length, int passed)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct iovec iov = { .iov_base = (char *)bytes, .iov_len = length };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct msghdr message = { .msg_name = &un, .msg_iov = &iov, .msg_iovlen = 1 };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(un.sun_path, address, strlen(address));
    un.sun_path[0] = '\0';
    message.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address));
    if (passed >= 0) {
        control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS,
                                           .cmsg_len = CMSG_LEN(sizeof(int)) };
        memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)length)
        abort();
    close(fd);
}

static void say(const struct notify *notify, const char *text)
{
    send_to(notify->address, text, strlen(text), -1);
}

static void assert_parsed(const char *text, struct notify_message *out)
{
    assert_int_equal(notify_parse(text, strlen(text), out), 0);
}

static void every_fact_is_understood(void **state)
{
    struct notify_message message;

    (void)state;
    assert_parsed("READY=1", &message);
    assert_true(message.ready && !message.reloading && !message.stopping && !message.watchdog);
    assert_false(message.has_main_pid || message.has_status || message.error_number);
    assert_parsed("RELOADING=1\nMONOTONIC_USEC=17\n", &message);
    assert_true(message.reloading && !message.ready);
    assert_parsed("STOPPING=1\nSTATUS=bye\x1b[2J\nERRNO=2\nMAINPID=4711\nWATCHDOG=1", &message);
    assert_true(message.stopping && message.watchdog && message.has_status && message.has_main_pid);
    assert_string_equal(message.status, "bye?[2J");
    assert_int_equal(message.error_number, 2);
    assert_int_equal(message.main_pid, 4711);
}

static void unknown_lines_are_skipped(void **state)
{
    struct notify_message message;

    (void)state;
    assert_parsed("X_FOO=1\n\nno equals sign\nREADY=0\nREADY=11\nready=1\n", &message);
    assert_false(message.ready || message.has_status);
}

static void a_long_status_is_cut_between_characters(void **state)
{
    char text[7 + 400] = "STATUS=";
    struct notify_message message;

    (void)state;
    for (size_t i = 7; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "ü", 3);
    assert_parsed(text, &message);
    assert_int_equal(strlen(message.status), NOTIFY_STATUS_BYTES - 1);
    assert_true(text_is_sentence(message.status));
}

static void what_is_malformed_is_refused(void **state)
{
    static const char *const bad[] = {
        "MAINPID=",    "MAINPID=0",        "MAINPID=-1",
        "MAINPID=12x", "MAINPID= 1",       "MAINPID=99999999999999999999",
        "ERRNO=two",   "ERRNO=2147483648",
    };
    static char large[NOTIFY_DATAGRAM_MAX + 1];
    struct notify_message message;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (notify_parse(bad[i], strlen(bad[i]), &message) != NOTIFY_MALFORMED)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(notify_parse("", 0, &message), NOTIFY_MALFORMED);
    assert_int_equal(notify_parse("READY=1\0", 8, &message), NOTIFY_MALFORMED);
    memset(large, 'x', sizeof large);
    assert_int_equal(notify_parse(large, sizeof large, &message), NOTIFY_MALFORMED);
    assert_int_equal(notify_parse(large, sizeof large - 1, &message), 0);
}

static void a_datagram_stays_until_it_is_taken(void **state)
{
    struct notify_message message;
    struct notify notify;

    (void)state;
    assert_int_equal(notify_open(&notify), 0);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), NOTIFY_NOTHING);
    say(&notify, "READY=1");
    say(&notify, "STOPPING=1");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), 0);
        assert_true(message.ready && !message.stopping);
        assert_int_equal(message.sender, getpid());
    }
    notify_take(&notify);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), 0);
    assert_true(message.stopping && !message.ready);
    notify_take(&notify);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), NOTIFY_NOTHING);
    notify_take(&notify); /* nothing there: nothing happens */
    notify_close(&notify);
}

static void another_supervisor_goes_on_with_the_same_queue(void **state)
{
    struct notify notify, again;
    struct notify_message message;

    (void)state;
    assert_int_equal(notify_open(&notify), 0);
    say(&notify, "READY=1");
    assert_int_equal(notify_attach(&again, fcntl(notify.fd, F_DUPFD_CLOEXEC, 3)), 0);
    assert_string_equal(again.address, notify.address);
    notify_close(&notify);
    assert_int_equal(notify_peek(&again, getpid(), getuid(), &message), 0);
    assert_true(message.ready);
    notify_close(&again);
}

static void what_is_no_notify_socket_is_not_attached(void **state)
{
    struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
    int fds[] = { socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                  socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                  socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), open("/dev/null", O_RDONLY | O_CLOEXEC),
                  -1 };
    struct notify notify;

    (void)state;
    assert_return_code(bind(fds[0], (struct sockaddr *)&unnamed, sizeof(sa_family_t)), errno); /* autobind */
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        assert_int_equal(notify_attach(&notify, fds[i]), -EINVAL); /* and closes it: see guard.h */
}

static void descriptors_that_come_along_are_closed_and_a_barrier_ends_with_the_take(void **state)
{
    struct notify_message message;
    struct notify notify;
    int ends[2];
    char byte;

    (void)state;
    assert_int_equal(notify_open(&notify), 0);
    assert_return_code(pipe2(ends, O_CLOEXEC | O_NONBLOCK), errno);
    send_to(notify.address, "BARRIER=1", 9, ends[1]);
    close(ends[1]);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), 0);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), 0);
    assert_int_equal(read(ends[0], &byte, 1), -1); /* still held by the datagram */
    assert_int_equal(errno, EAGAIN);
    notify_take(&notify);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    notify_close(&notify);
}

static void an_oversized_datagram_is_malformed_and_can_be_taken(void **state)
{
    static char large[NOTIFY_DATAGRAM_MAX + 2];
    struct notify_message message;
    struct notify notify;

    (void)state;
    memset(large, '\n', sizeof large);
    assert_int_equal(notify_open(&notify), 0);
    send_to(notify.address, large, sizeof large, -1);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), NOTIFY_MALFORMED);
    notify_take(&notify);
    send_to(notify.address, "", 0, -1);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), NOTIFY_MALFORMED);
    notify_take(&notify);
    assert_int_equal(notify_peek(&notify, getpid(), getuid(), &message), NOTIFY_NOTHING);
    notify_close(&notify);
}

enum sender_kind { CHILD, GRANDCHILD, OTHER_USER };

/* A process that says READY=1 and lives until the write end of `alive` is closed (NULL: not at all). Gives
 * our child's pid, after it has spoken. */
static pid_t start_sender(const struct notify *notify, enum sender_kind kind, const int *alive)
{
    int said[2];
    char byte;

    assert_return_code(pipe2(said, O_CLOEXEC), errno);
    pid_t child = fork();
    if (child != 0) {
        close(said[1]);
        assert_int_equal(read(said[0], &byte, 1), 0);
        close(said[0]);
        return child;
    }
    close(said[0]);
    if (alive)
        close(alive[1]);
    if (kind == OTHER_USER && setuid(65534))
        _exit(1);
    if (kind == GRANDCHILD && fork() > 0) {
        close(said[1]);
        wait(NULL);
        _exit(0);
    }
    say(notify, "READY=1");
    close(said[1]);
    _exit(alive ? (int)read(alive[0], &byte, 1) : 0);
}

/* What notify_peek() says about a sender of `kind` when `worker` is the one to believe (0: our child). */
static int outcome_of(enum sender_kind kind, pid_t worker, uid_t uid)
{
    struct notify_message message;
    struct notify notify;
    int alive[2];

    assert_int_equal(notify_open(&notify), 0);
    assert_return_code(pipe2(alive, O_CLOEXEC), errno);
    pid_t child = start_sender(&notify, kind, alive);
    int outcome = notify_peek(&notify, worker ? worker : child, uid, &message);
    close(alive[0]);
    close(alive[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    notify_close(&notify);
    return outcome;
}

/* The same when the sender is gone before we look. */
static int outcome_of_dead(enum sender_kind kind, uid_t uid)
{
    struct notify_message message;
    struct notify notify;

    assert_int_equal(notify_open(&notify), 0);
    pid_t child = start_sender(&notify, kind, NULL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    int outcome = notify_peek(&notify, getpid(), uid, &message);
    notify_close(&notify);
    return outcome;
}

static void the_worker_and_its_descendants_are_believed(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(CHILD, 0, getuid()), 0);
    assert_int_equal(outcome_of(GRANDCHILD, 0, getuid()), 0);
    assert_int_equal(outcome_of(CHILD, getpid(), getuid()), 0);
    assert_int_equal(outcome_of(CHILD, getsid(0), getuid()), 0);
}

static void a_sender_that_has_ended_is_believed_by_its_user(void **state)
{
    (void)state;
    assert_int_equal(outcome_of_dead(CHILD, getuid()), 0);
    if (getuid() == 0)
        assert_int_equal(outcome_of_dead(OTHER_USER, 0), NOTIFY_STRANGER);
}

static void strangers_are_not_believed(void **state)
{
    int unrelated[2];

    (void)state;
    assert_return_code(pipe2(unrelated, O_CLOEXEC), errno);
    pid_t stranger = fork();
    if (stranger == 0) {
        char byte;

        close(unrelated[1]);
        (void)!read(unrelated[0], &byte, 1);
        _exit(0);
    }
    assert_int_equal(outcome_of(CHILD, stranger, getuid()), NOTIFY_STRANGER);
    close(unrelated[0]);
    close(unrelated[1]);
    waitpid(stranger, NULL, 0);
    if (getuid() != 0)
        return;
    assert_int_equal(outcome_of(OTHER_USER, 0, 0), 0); /* the worker itself may have changed its user */
    assert_int_equal(outcome_of(OTHER_USER, getpid(), 0), NOTIFY_STRANGER);
    assert_int_equal(outcome_of(OTHER_USER, getpid(), 65534), 0);
    assert_int_equal(outcome_of(CHILD, getpid(), 65534), 0); /* root may speak for anybody's worker */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_is_understood),
        cmocka_unit_test(unknown_lines_are_skipped),
        cmocka_unit_test(a_long_status_is_cut_between_characters),
        cmocka_unit_test(what_is_malformed_is_refused),
        GUARDED(a_datagram_stays_until_it_is_taken),
        GUARDED(another_supervisor_goes_on_with_the_same_queue),
        GUARDED(what_is_no_notify_socket_is_not_attached),
        GUARDED(descriptors_that_come_along_are_closed_and_a_barrier_ends_with_the_take),
        GUARDED(an_oversized_datagram_is_malformed_and_can_be_taken),
        GUARDED(the_worker_and_its_descendants_are_believed),
        GUARDED(a_sender_that_has_ended_is_believed_by_its_user),
        GUARDED(strangers_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
