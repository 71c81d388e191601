#include "proto/fdset.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int make_room(struct fdset *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : 16;
    int *fds;

    if (set->count < set->capacity)
        return 0;
    if (set->count == FDSET_MAX)
        return -E2BIG;
    fds = realloc(set->fds, capacity * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    set->fds = fds;
    set->capacity = capacity;
    return 0;
}

int fdset_take(struct fdset *set, int fd)
{
    int error = make_room(set);

    assert(fd >= 0);
    if (error) {
        close(fd);
        return error;
    }
    set->fds[set->count++] = fd;
    return 0;
}

int fdset_dup(struct fdset *set, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy == -1)
        return -errno;
    return fdset_take(set, copy);
}

int fdset_steal(struct fdset *set, size_t index)
{
    int fd = fdset_peek(set, index);

    set->fds[index] = -1;
    return fd;
}

int fdset_peek(const struct fdset *set, size_t index)
{
    assert(index < set->count);
    return set->fds[index];
}

void fdset_clear(struct fdset *set)
{
    int saved = errno;

    for (size_t i = 0; i < set->count; i++)
        if (set->fds[i] != -1)
            close(set->fds[i]);
    free(set->fds);
    *set = (struct fdset){ 0 };
    errno = saved;
}
