#include "proto/fdset.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static int open_one(void)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static void what_was_taken_is_closed_in_the_end(void **state)
{
    struct fdset set = { 0 };
    int first = open_one(), second = open_one();

    (void)state;
    assert_int_equal(fdset_take(&set, first), 0);
    assert_int_equal(fdset_take(&set, second), 0);
    assert_int_equal(set.count, 2);
    assert_int_equal(fdset_peek(&set, 0), first);
    assert_int_equal(fdset_peek(&set, 1), second);
    fdset_clear(&set);
    assert_false(is_open(first));
    assert_false(is_open(second));
    assert_int_equal(set.count, 0);
}

static void what_was_stolen_is_the_thief_s(void **state)
{
    struct fdset set = { 0 };
    int fd = open_one();

    (void)state;
    assert_int_equal(fdset_take(&set, fd), 0);
    assert_int_equal(fdset_steal(&set, 0), fd);
    assert_int_equal(fdset_steal(&set, 0), -1);
    assert_int_equal(fdset_peek(&set, 0), -1);
    fdset_clear(&set);
    assert_true(is_open(fd));
    close(fd);
}

static void a_copy_is_close_on_exec_and_leaves_the_original(void **state)
{
    struct fdset set = { 0 };
    int fd = open_one();

    (void)state;
    assert_int_equal(fdset_dup(&set, fd), 0);
    assert_int_not_equal(fdset_peek(&set, 0), fd);
    assert_int_equal(fcntl(fdset_peek(&set, 0), F_GETFD), FD_CLOEXEC);
    fdset_clear(&set);
    assert_true(is_open(fd));
    close(fd);
    assert_int_equal(fdset_dup(&set, fd), -EBADF);
    assert_int_equal(set.count, 0);
}

static void a_set_ends_at_4096_and_closes_what_it_refuses(void **state)
{
    struct rlimit limit;
    struct fdset set = { 0 };

    (void)state;
    if (!guard_allow_descriptors(FDSET_MAX + 64, &limit))
        skip();
    int original = open_one();
    for (int i = 0; i < FDSET_MAX; i++)
        assert_int_equal(fdset_dup(&set, original), 0);
    assert_int_equal(fdset_dup(&set, original), -E2BIG);
    int refused = open_one();
    assert_int_equal(fdset_take(&set, refused), -E2BIG);
    assert_false(is_open(refused));
    assert_int_equal(set.count, FDSET_MAX);
    fdset_clear(&set);
    close(original);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void clearing_keeps_errno_and_may_be_repeated(void **state)
{
    struct fdset set = { 0 };

    (void)state;
    assert_int_equal(fdset_take(&set, open_one()), 0);
    errno = ENOENT;
    fdset_clear(&set);
    fdset_clear(&set);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fdset_take(&set, open_one()), 0);
    fdset_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(what_was_taken_is_closed_in_the_end),
        GUARDED(what_was_stolen_is_the_thief_s),
        GUARDED(a_copy_is_close_on_exec_and_leaves_the_original),
        GUARDED(a_set_ends_at_4096_and_closes_what_it_refuses),
        GUARDED(clearing_keeps_errno_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
