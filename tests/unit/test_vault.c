#include "supervisor/keeper/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

enum { NOW_MS = 1000 };

static struct vault_table table;

static void open_table(void)
{
    memset(&table, 0, sizeof table);
    table.limit = VAULT_ENTRIES_MAX;
}

static void close_table(void)
{
    table.has_store = false;
    while (table.count > 0)
        if (table.records[0].fd < 0)
            vault_saved(&table, 0);
        else
            vault_remove(&table, table.records[0].entry.id);
}

static struct vault_record *put(const char *id, pid_t pid, int fd)
{
    struct vault_record *record = NULL;

    assert_int_equal(vault_put(&table, id, pid, fd, NOW_MS, &record), 0);
    assert_ptr_equal(record, vault_find(&table, id));
    return record;
}

static struct vault_record *put_any(const char *id)
{
    return put(id, 0, eventfd(0, EFD_CLOEXEC));
}

static int pidfd_of(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    assert_true(fd >= 0);
    return fd;
}

static pid_t child_that_exits(int status)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(status);
    return pid;
}

static pid_t child_that_waits(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
        for (;;)
            pause();
    }
    return pid;
}

/* What the keeper does when a child has ended. */
static struct vault_record *reap(pid_t pid, uint64_t now_ms)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return vault_reap(&table, pid, status, now_ms);
}

static void records_are_found_replaced_and_removed(void **state)
{
    (void)state;
    open_table();
    put_any("a");
    struct vault_record *b = put_any("b");
    uint32_t serial = b->serial;
    put_any("c");
    put_any("b"); /* replaced: it is the newest now, and the old descriptor is closed */
    assert_int_equal(table.count, 3);
    assert_string_equal(table.records[0].entry.id, "a");
    assert_string_equal(table.records[1].entry.id, "c");
    assert_string_equal(table.records[2].entry.id, "b");
    assert_true(table.records[2].serial > serial);
    vault_remove(&table, "a");
    vault_remove(&table, "unknown");
    assert_null(vault_find(&table, "a"));
    assert_int_equal(table.count, 2);
    close_table();
}

static void what_cannot_be_kept_is_closed(void **state)
{
    static const char *const bad[] = { "", "a b", "a:b", "1234567890123456789012345" };
    struct vault_record *record;

    (void)state;
    open_table();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vault_put(&table, bad[i], 0, eventfd(0, EFD_CLOEXEC), 0, &record), -EINVAL);
    assert_int_equal(vault_put(&table, "a", -2, eventfd(0, EFD_CLOEXEC), 0, &record), -EINVAL);
    assert_int_equal(vault_put(&table, "a", getpid(), eventfd(0, EFD_CLOEXEC), 0, &record), -EINVAL);
    table.limit = 2;
    put_any("a");
    put_any("b");
    assert_int_equal(vault_put(&table, "c", 0, eventfd(0, EFD_CLOEXEC), 0, &record), -ENOSPC);
    put_any("a");              /* a replacement fits */
    put_any(VAULT_SUPERVISOR); /* and so do the keeper's own */
    close_table();
}

static void an_exit_belongs_to_the_oldest_unreported_record_of_its_pid(void **state)
{
    pid_t pid = child_that_waits();
    int fd = pidfd_of(pid);

    (void)state;
    open_table();
    put("first", pid, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    put("second", pid, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    put("third", pid, fd);
    assert_string_equal(vault_reap(&table, pid, 1 << 8, 0)->entry.id, "first");
    assert_string_equal(vault_reap(&table, pid, 2 << 8, 0)->entry.id, "second");
    vault_remove(&table, "first");
    assert_string_equal(vault_reap(&table, pid, 3 << 8, 0)->entry.id, "third");
    assert_null(vault_reap(&table, pid, 4 << 8, 0));
    struct vault_record *second = vault_find(&table, "second");
    assert_true(second->entry.exited && second->exit_due && second->entry.status == 2 << 8);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close_table();
}

static void a_process_that_was_reaped_before_it_was_stored_has_its_status(void **state)
{
    pid_t pid = child_that_exits(7);
    int fd = pidfd_of(pid), again = fcntl(fd, F_DUPFD_CLOEXEC, 0), late = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct vault_record *record;

    (void)state;
    open_table();
    assert_null(reap(pid, NOW_MS));
    record = put("w", pid, fd);
    assert_true(record->entry.exited && record->exit_due);
    assert_int_equal(record->entry.status, 7 << 8);
    assert_int_equal(put("again", pid, again)->entry.status, -1); /* told once */
    vault_reap(&table, pid, 9 << 8, NOW_MS);
    assert_int_equal(vault_put(&table, "late", pid, late, NOW_MS + 60000, &record), 0);
    assert_int_equal(record->entry.status, -1); /* that was somebody else of this pid */
    close_table();
}

static void a_zombie_that_is_stored_gets_its_status_when_it_is_reaped(void **state)
{
    pid_t pid = child_that_exits(3);
    siginfo_t info;

    (void)state;
    open_table();
    vault_reap(&table, pid, 99 << 8, 0); /* an orphan had this pid before */
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(put("w", pid, pidfd_of(pid))->entry.exited);
    assert_int_equal(reap(pid, 0)->entry.status, 3 << 8);
    close_table();
}

static void a_process_that_is_not_our_child_is_watched_through_its_pidfd(void **state)
{
    struct pollfd fds[VAULT_RECORDS_MAX];
    pid_t grandchild;
    int ends[2];

    (void)state;
    open_table();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        grandchild = child_that_waits();
        if (write(ends[1], &grandchild, sizeof grandchild) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &grandchild, sizeof grandchild), sizeof grandchild);
    struct vault_record *record = put("w", grandchild, pidfd_of(grandchild));
    assert_true(record->foreign && vault_is_alive(record));
    vault_check_foreign(&table);
    assert_false(record->entry.exited);
    assert_int_equal(vault_foreign(&table, fds), 1);
    assert_null(vault_reap(&table, grandchild, 5 << 8, 0)); /* a child of ours with that pid: not this one */
    assert_int_equal(vault_signal(&table, SIGKILL), 1);
    assert_int_equal(poll(fds, 1, -1), 1);
    vault_check_foreign(&table);
    assert_true(record->entry.exited && record->exit_due && record->entry.status == -1);
    assert_int_equal(vault_foreign(&table, fds), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    close_table();
}

static void what_systemd_has_is_remembered_until_it_knows_of_the_end(void **state)
{
    (void)state;
    open_table();
    table.has_store = true;
    assert_true(put_any("a")->sd_due);
    vault_remove(&table, "a"); /* systemd never heard of it */
    assert_int_equal(table.count, 0);
    put_any("a");
    assert_true(vault_saved(&table, 0));
    put_any("a"); /* replaced: first the end of the old one is due, then the new one */
    assert_int_equal(table.count, 2);
    assert_true(table.records[0].fd == -1 && table.records[0].sd_due);
    assert_true(table.records[1].fd >= 0 && table.records[1].sd_due);
    assert_ptr_equal(vault_find(&table, "a"), &table.records[1]);
    vault_remove(&table, "a");
    assert_int_equal(table.count, 1); /* the end of the old one still is */
    assert_false(vault_saved(&table, 0));
    assert_int_equal(table.count, 0);
    close_table();
}

static void a_signal_reaches_every_process_and_its_group(void **state)
{
    int ends[2];
    char byte;

    (void)state;
    open_table();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        pid_t member = child_that_waits();
        if (write(ends[1], "x", 1) < 0 || waitpid(member, NULL, 0) != member)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    put_any("no-process");
    put("w", pid, pidfd_of(pid));
    assert_int_equal(vault_signal(&table, 0), 1);
    assert_int_equal(vault_signal(&table, SIGKILL), 1);
    assert_non_null(reap(pid, 0));
    assert_int_equal(read(ends[0], &byte, 1), 0); /* the member of its group is gone too */
    assert_int_equal(vault_signal(&table, SIGKILL), 0);
    close(ends[0]);
    close_table();
}

static void four_thousand_and_ninety_six_fit(void **state)
{
    char id[WIRE_ID_BYTES];
    struct vault_record *record;

    (void)state;
    open_table();
    for (int i = 0; i < VAULT_ENTRIES_MAX; i++) {
        snprintf(id, sizeof id, "e%d", i);
        assert_int_equal(vault_put(&table, id, 0, -1, NOW_MS, &record), 0);
        record->fd = 1 << 20; /* the number matters to nobody here */
    }
    assert_int_equal(vault_put(&table, "more", 0, -1, 0, &record), -ENOSPC);
    assert_int_equal(table.count, VAULT_ENTRIES_MAX);
    assert_false(vault_is_empty(&table));
    table.count = 0;
    assert_true(vault_is_empty(&table));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(records_are_found_replaced_and_removed),
        GUARDED(what_cannot_be_kept_is_closed),
        GUARDED(an_exit_belongs_to_the_oldest_unreported_record_of_its_pid),
        GUARDED(a_process_that_was_reaped_before_it_was_stored_has_its_status),
        GUARDED(a_zombie_that_is_stored_gets_its_status_when_it_is_reaped),
        GUARDED(a_process_that_is_not_our_child_is_watched_through_its_pidfd),
        GUARDED(what_systemd_has_is_remembered_until_it_knows_of_the_end),
        GUARDED(a_signal_reaches_every_process_and_its_group),
        GUARDED(four_thousand_and_ninety_six_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
