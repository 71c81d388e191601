#include "proto/arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/text.h"

enum { FIRST_INHERITED = 3 };

static int make_room(struct arrivals *arrivals)
{
    size_t capacity = arrivals->capacity ? 2 * arrivals->capacity : 16;
    struct baton_listener *items;

    if (arrivals->count < arrivals->capacity)
        return 0;
    if (arrivals->count == ARRIVALS_MAX)
        return -E2BIG;
    items = realloc(arrivals->items, capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    arrivals->items = items;
    arrivals->capacity = capacity;
    return 0;
}

/* Leaves `fd` alone on failure. */
static int append(struct arrivals *arrivals, const char *name, size_t length, int fd)
{
    int error = make_room(arrivals);
    char *copy = error ? NULL : strndup(name, length);

    if (!copy)
        return error ? error : -ENOMEM;
    arrivals->items[arrivals->count++] = (struct baton_listener){ .name = copy, .fd = fd };
    return 0;
}

int arrivals_add(struct arrivals *arrivals, const char *name, int fd)
{
    int error = append(arrivals, name, strlen(name), fd);

    if (error)
        close(fd);
    return error;
}

/* How many sockets the environment has for this process: 1 to ARRIVALS_MAX, or -ENOENT, -EINVAL. */
static int inherited_count(void)
{
    const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    unsigned long pid, count;

    if (!pid_text || !count_text)
        return -ENOENT;
    if (!text_to_number(pid_text, INT_MAX, &pid))
        return -EINVAL;
    if ((pid_t)pid != getpid())
        return -ENOENT;
    if (!text_to_number(count_text, ARRIVALS_MAX, &count))
        return -EINVAL;
    for (int i = 0; i < (int)count; i++)
        if (fcntl(FIRST_INHERITED + i, F_GETFD) == -1)
            return -EINVAL;
    return count ? (int)count : -ENOENT;
}

/* Name `count` descriptors from LISTEN_FDNAMES, which must have a name for each. */
static int name_inherited(struct arrivals *arrivals, int count)
{
    const char *names = getenv("LISTEN_FDNAMES");
    int error = 0;

    for (int i = 0; i < count && !error; i++) {
        size_t length = names ? strcspn(names, ":") : 0;
        int last = i == count - 1;

        if (!names)
            error = append(arrivals, "unknown", strlen("unknown"), FIRST_INHERITED + i);
        else if (names[length] != (last ? '\0' : ':'))
            error = -EINVAL;
        else
            error = append(arrivals, names, length, FIRST_INHERITED + i);
        if (names)
            names += length + !last;
    }
    return error;
}

int arrivals_inherit(struct arrivals *arrivals)
{
    int count = inherited_count();
    int error = count < 0 ? count : name_inherited(arrivals, count);

    if (error) {
        for (size_t i = 0; i < arrivals->count; i++)
            arrivals->items[i].fd = -1; /* not ours */
        arrivals_clear(arrivals);
        return error;
    }
    for (int i = 0; i < count; i++)
        fcntl(FIRST_INHERITED + i, F_SETFD, FD_CLOEXEC);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return 0;
}

void arrivals_clear(struct arrivals *arrivals)
{
    for (size_t i = 0; i < arrivals->count; i++) {
        if (arrivals->items[i].fd != -1)
            close(arrivals->items[i].fd);
        free((char *)arrivals->items[i].name);
    }
    free(arrivals->items);
    *arrivals = (struct arrivals){ 0 };
}
