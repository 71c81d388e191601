/* The keeper's vault survives the keeper in systemd's descriptor store, and systemd hears what it needs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/rig.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

enum { KEPT_MAX = 512 };

/* A systemd that does what the notification socket asks of it. */
struct systemd {
    int fd;
    char variable[128]; /* NOTIFY_SOCKET=… */
    struct {
        char name[64];
        int fd;
    } kept[KEPT_MAX];
    size_t count;
    char text[1024]; /* of the last datagram that was not about the store */
};

static void systemd_open(struct systemd *systemd)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    static unsigned number;
    int length;

    *systemd = (struct systemd){ .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
    length =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "baton-notify-%d-%u", getpid(), number++);
    snprintf(systemd->variable, sizeof systemd->variable, "NOTIFY_SOCKET=@%s", address.sun_path + 1);
    length += (int)offsetof(struct sockaddr_un, sun_path) + 1;
    assert_int_equal(bind(systemd->fd, (struct sockaddr *)&address, (socklen_t)length), 0);
}

static int systemd_find(const struct systemd *systemd, const char *name)
{
    for (size_t i = 0; i < systemd->count; i++)
        if (!strcmp(systemd->kept[i].name, name))
            return (int)i;
    return -1;
}

static void forget(struct systemd *systemd, const char *name)
{
    int i;

    while ((i = systemd_find(systemd, name)) >= 0) {
        close(systemd->kept[i].fd);
        systemd->count--;
        memmove(&systemd->kept[i], &systemd->kept[i + 1],
                (systemd->count - (size_t)i) * sizeof *systemd->kept);
    }
}

static void take(struct systemd *systemd, const char *text, int fd)
{
    char name[64];

    if (sscanf(text, "FDSTOREREMOVE=1\nFDNAME=%63s", name) == 1) {
        assert_int_equal(fd, -1);
        forget(systemd, name);
    } else if (sscanf(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%63s", name) == 1) {
        assert_true(fd >= 0);
        strcpy(systemd->kept[systemd->count].name, name);
        systemd->kept[systemd->count++].fd = fd;
    } else {
        assert_int_equal(fd, -1);
        snprintf(systemd->text, sizeof systemd->text, "%s", text);
    }
}

/* One datagram; false: there is none now. */
static bool systemd_read(struct systemd *systemd, int flags)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char text[1024];
    struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
    struct msghdr header = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t size = recvmsg(systemd->fd, &header, flags | MSG_CMSG_CLOEXEC);
    int fd = -1;

    if (size < 0)
        return false;
    text[size] = '\0';
    if (CMSG_FIRSTHDR(&header))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fd);
    take(systemd, text, fd);
    return true;
}

static void systemd_read_all(struct systemd *systemd)
{
    while (systemd_read(systemd, MSG_DONTWAIT))
        ;
}

/* Read until systemd is told `text`. */
static void systemd_await(struct systemd *systemd, const char *text)
{
    systemd->text[0] = '\0';
    while (strcmp(systemd->text, text) != 0)
        assert_true(systemd_read(systemd, 0));
}

static void systemd_close(struct systemd *systemd)
{
    while (systemd->count > 0)
        forget(systemd, systemd->kept[0].name);
    close(systemd->fd);
}

static size_t how_often(const struct systemd *systemd, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < systemd->count; i++)
        count += !strcmp(systemd->kept[i].name, name);
    return count;
}

static void start_under(struct rig *rig, struct systemd *systemd)
{
    const char *const environment[] = { systemd->variable, NULL };
    struct rig_options options = { .environment = environment };

    systemd_open(systemd);
    rig_start(rig, &options);
    rig_do(rig, "hello");
}

static pid_t spawn(struct rig *rig, const char *id)
{
    int pid;

    rig_do(rig, "spawn %s exec sleep 200", id);
    assert_int_equal(sscanf(rig_await(rig, "spawned %s", id), "spawned %*s %d", &pid), 1);
    rig_await(rig, "stored %s", id);
    return pid;
}

static void what_is_stored_is_in_systemds_store_before_the_supervisor_hears_of_it(void **state)
{
    struct systemd systemd;
    struct rig rig;

    (void)state;
    start_under(&rig, &systemd);
    rig_do(&rig, "store state");
    rig_await(&rig, "stored state");
    systemd_read_all(&systemd);
    assert_int_equal(how_often(&systemd, "state"), 1);
    assert_int_equal(how_often(&systemd, "supervisor"), 1);
    assert_int_equal(how_often(&systemd, "supervisor.exe"), 1);
    rig_do(&rig, "store state"); /* replaced, not doubled */
    rig_do(&rig, "store second");
    rig_do(&rig, "drop second");
    rig_do(&rig, "store third");
    rig_await(&rig, "stored third");
    systemd_read_all(&systemd);
    assert_int_equal(how_often(&systemd, "state"), 1);
    assert_int_equal(how_often(&systemd, "second"), 0);
    rig_replace(&rig, SIGKILL);
    assert_int_equal(rig.entries, 2); /* not the keeper's own */
    systemd_read_all(&systemd);
    assert_int_equal(how_often(&systemd, "supervisor"), 1);
    rig_do(&rig, "hello");
    rig_stop(&rig);
    systemd_read_all(&systemd);
    assert_int_equal(systemd.count, 0); /* nothing of a finished life comes back */
    systemd_close(&systemd);
}

static bool has_variable(pid_t pid, const char *start)
{
    char path[64], text[65536];
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    file = fopen(path, "re");
    assert_non_null(file);
    size = fread(text, 1, sizeof text, file);
    fclose(file);
    return memmem(text, size, start, strlen(start)) != NULL;
}

static void the_supervisors_words_reach_systemd_and_the_socket_nobody_else(void **state)
{
    struct systemd systemd;
    struct rig rig;

    (void)state;
    start_under(&rig, &systemd);
    assert_true(has_variable(rig.supervisor, "BATON_KEEPER="));
    assert_false(has_variable(rig.supervisor, "NOTIFY_SOCKET="));
    rig_do(&rig, "notify READY=1\nSTATUS=serving");
    systemd_await(&systemd, "READY=1\nSTATUS=serving");
    rig_stop(&rig);
    systemd_close(&systemd);
}

static int queue_length(void)
{
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    int length = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &length), 1);
    fclose(file);
    return length;
}

static size_t count_reports(const struct rig *rig, const char *start)
{
    size_t count = 0;

    for (size_t i = 0; i < rig->bagged; i++)
        count += !strncmp(rig->bag[i], start, strlen(start));
    return count;
}

static void a_systemd_that_does_not_read_delays_stored_and_loses_nothing(void **state)
{
    int count = queue_length() + 50;
    struct systemd systemd;
    struct rig rig;
    char name[64];

    (void)state;
    if (count > KEPT_MAX - 8)
        skip();
    start_under(&rig, &systemd);
    rig_do(&rig, "many %d", count);
    for (int i = 0; i < 10; i++) { /* the keeper has had its turns */
        assert_int_equal(kill(rig.keeper, SIGUSR1), 0);
        rig_await(&rig, "signal %d", SIGUSR1);
        rig_do(&rig, "done %d", SIGUSR1);
    }
    assert_true(count_reports(&rig, "stored many.") < (size_t)count);
    snprintf(name, sizeof name, "many.%d", count - 1);
    while (systemd_find(&systemd, name) < 0)
        assert_true(systemd_read(&systemd, 0));
    for (int i = 0; i < count; i++) {
        rig_await(&rig, "stored many.%d", i);
        snprintf(name, sizeof name, "many.%d", i);
        assert_int_equal(how_often(&systemd, name), 1);
    }
    rig_do(&rig, "notify READY=1"); /* and the queue is free again */
    systemd_await(&systemd, "READY=1");
    for (int i = 0; i < count; i++)
        rig_do(&rig, "drop many.%d", i);
    while (systemd_find(&systemd, name) >= 0)
        assert_true(systemd_read(&systemd, 0));
    rig_tell(&rig, "finish 0");
    rig_tell(&rig, "exit 0");
    while (systemd.count > 0)
        assert_true(systemd_read(&systemd, 0));
    assert_int_equal(rig_wait(&rig), 0);
    rig_free(&rig);
    systemd_close(&systemd);
}

/* LISTEN_FDNAMES and the descriptors as systemd would pass them on, with `more` behind them. */
static struct rig_options restored(const struct systemd *systemd, int *fds, char *names, const char *more,
                                   const int *more_fds, size_t more_count)
{
    size_t used = (size_t)sprintf(names, "LISTEN_FDNAMES=");

    for (size_t i = systemd->count; i-- > 0;) { /* newest first */
        *fds++ = systemd->kept[i].fd;
        used += (size_t)sprintf(names + used, "%s:", systemd->kept[i].name);
    }
    sprintf(names + used, "%s", more);
    memcpy(fds, more_fds, more_count * sizeof *fds);
    return (struct rig_options){ .fds = fds - systemd->count, .fd_count = systemd->count + more_count };
}

static void crash_keeper(struct rig *rig, struct systemd *systemd)
{
    systemd_read_all(systemd);
    assert_int_equal(kill(rig->keeper, SIGKILL), 0);
    assert_int_equal(rig_wait(rig), SIGKILL);
    assert_int_equal(waitpid(rig->supervisor, NULL, 0), rig->supervisor); /* it died with the keeper */
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void after_a_crash_of_the_keeper_the_vault_comes_back(void **state)
{
    char names[2048];
    int fds[16], more[] = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC) };
    struct systemd systemd;
    struct rig rig, next;
    int value;

    (void)state;
    start_under(&rig, &systemd);
    rig_do(&rig, "store state");
    rig_await(&rig, "stored state");
    pid_t alive = spawn(&rig, "w1.pidfd"), ended = spawn(&rig, "w2.pidfd");
    crash_keeper(&rig, &systemd);
    end_child(ended);
    struct rig_options options =
        restored(&systemd, fds, names, "state:bad name:1234567890123456789012345", more, 3);
    options.environment = (const char *const[]){ systemd.variable, names, NULL };
    rig_start(&next, &options);
    systemd_await(&systemd, "READY=1\nSTATUS=restored, starting the supervisor");
    assert_int_equal(next.entries, 3);
    assert_true(next.restarted); /* processes run: it is no first start */
    assert_int_equal(next.previous_status, -1);
    assert_non_null(strstr(rig_entry(&next, "state"), "/memfd:state")); /* the first of that name */
    assert_int_equal(sscanf(rig_entry(&next, "w1.pidfd"), "%d 0", &value), 1);
    assert_int_equal(value, alive);
    assert_int_equal(strncmp(rig_entry(&next, "w2.pidfd"), "-1 1 -1 ", 8), 0);
    rig_do(&next, "hello");
    end_child(alive); /* ours: the new keeper cannot reap it */
    rig_await(&next, "exit w1.pidfd %d -1", alive);
    rig_do(&next, "drop state");
    rig_stop(&next);
    systemd_read_all(&systemd);
    assert_int_equal(systemd.count, 0);
    rig_free(&rig);
    systemd_close(&systemd);
    for (int i = 0; i < 3; i++)
        close(more[i]);
}

static void a_supervisor_of_the_keeper_before_is_ended_first(void **state)
{
    char names[2048];
    int fds[16], status;
    struct systemd systemd;
    struct rig rig;
    pid_t old = fork();

    (void)state;
    if (old == 0)
        for (;;)
            pause();
    systemd_open(&systemd);
    int more = (int)syscall(SYS_pidfd_open, old, 0);
    struct rig_options options = restored(&systemd, fds, names, "supervisor", &more, 1);
    options.environment = (const char *const[]){ systemd.variable, names, NULL };
    rig_start(&rig, &options);
    assert_int_equal(waitpid(old, &status, WNOHANG), old);
    assert_int_equal(status, SIGKILL);
    rig_stop(&rig);
    systemd_close(&systemd);
    close(more);
}

static void sockets_of_a_socket_unit_are_kept_and_are_no_reason_for_ready(void **state)
{
    char names[2048];
    int fds[16], more = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct systemd systemd;
    struct rig rig;

    (void)state;
    systemd_open(&systemd);
    struct rig_options options = restored(&systemd, fds, names, "web", &more, 1);
    options.environment = (const char *const[]){ systemd.variable, names, NULL };
    rig_start(&rig, &options);
    assert_int_equal(strncmp(rig_entry(&rig, "web"), "0 0 0 socket:", 13), 0);
    assert_false(rig.restarted);
    rig_do(&rig, "notify STATUS=first");
    systemd.text[0] = '\0';
    while (!systemd.text[0])
        assert_true(systemd_read(&systemd, 0));
    assert_string_equal(systemd.text, "STATUS=first");
    rig_stop(&rig);
    systemd_close(&systemd);
    close(more);
}

static void descriptors_meant_for_another_process_are_not_taken(void **state)
{
    static const char *const environment[] = { "LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web", NULL };
    struct rig_options options = { .environment = environment };
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    assert_int_equal(rig.entries, 0);
    assert_false(has_variable(rig.supervisor, "LISTEN_"));
    rig_stop(&rig);
}

static void the_watchdog_is_fed_when_systemd_asks_for_it(void **state)
{
    struct systemd systemd;
    struct rig rig;

    (void)state;
    systemd_open(&systemd);
    struct rig_options options = { .environment = (const char *const[]){ systemd.variable,
                                                                         "WATCHDOG_USEC=100000", NULL } };
    rig_start(&rig, &options);
    for (int i = 0; i < 5; i++)
        systemd_await(&systemd, "WATCHDOG=1");
    rig_stop(&rig);
    systemd_close(&systemd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(what_is_stored_is_in_systemds_store_before_the_supervisor_hears_of_it),
        GUARDED(the_supervisors_words_reach_systemd_and_the_socket_nobody_else),
        GUARDED(a_systemd_that_does_not_read_delays_stored_and_loses_nothing),
        GUARDED(after_a_crash_of_the_keeper_the_vault_comes_back),
        GUARDED(a_supervisor_of_the_keeper_before_is_ended_first),
        GUARDED(sockets_of_a_socket_unit_are_kept_and_are_no_reason_for_ready),
        GUARDED(descriptors_meant_for_another_process_are_not_taken),
        GUARDED(the_watchdog_is_fed_when_systemd_asks_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
