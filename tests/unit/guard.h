/* The discipline of every test that opens something: a time limit, and the same descriptors open
 * afterwards as before.
 *
 *     const struct CMUnitTest tests[] = { GUARDED(first_test), GUARDED(second_test) };
 */
#ifndef BATON_TESTS_GUARD_H
#define BATON_TESTS_GUARD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GUARD_LIMIT_S = 60 }; /* far beyond any test, sanitizers on a busy machine included */

#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guard_setup, guard_teardown)

static char guard_before[64 * 1024];

/* One line per descriptor: its number and what it is. */
static inline void guard_list(char *text, size_t size)
{
    char path[64], target[256];
    size_t used = 0;

    text[0] = '\0';
    for (int fd = 0; fd < 8192; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        int written = snprintf(text + used, size - used, "%d %s\n", fd, target);
        if (written < 0 || used + (size_t)written >= size)
            abort();
        used += (size_t)written;
    }
}

/* Allow as many descriptors as this process may; `before` is for setrlimit() afterwards. Returns whether
 * `needed` of them fit. */
static inline int guard_allow_descriptors(rlim_t needed, struct rlimit *before)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_NOFILE, before) || before->rlim_max < needed)
        return 0;
    most = (struct rlimit){ .rlim_cur = before->rlim_max, .rlim_max = before->rlim_max };
    return setrlimit(RLIMIT_NOFILE, &most) == 0;
}

static inline int guard_setup(void **state)
{
    (void)state;
    alarm(GUARD_LIMIT_S);
    guard_list(guard_before, sizeof guard_before);
    return 0;
}

static inline int guard_teardown(void **state)
{
    static char after[sizeof guard_before];

    (void)state;
    alarm(0);
    guard_list(after, sizeof after);
    if (!strcmp(guard_before, after))
        return 0;
    fprintf(stderr, "descriptors before:\n%safter:\n%s", guard_before, after);
    return -1;
}

#endif
