/* Listeners that have arrived at a worker - over the channel or at exec - and wait to be delivered to
 * the program. `struct arrivals arrivals = { 0 };` is empty. */
#ifndef BATON_ARRIVALS_H
#define BATON_ARRIVALS_H

#include <stddef.h>

#include "proto/baton.h"

enum { ARRIVALS_MAX = 4096 };

struct arrivals {
    struct baton_listener *items; /* name and fd are owned; fd is -1 when it was given away */
    size_t count;
    size_t capacity;
};

/* Append a listener; `fd` is owned from now on and closed on failure, `name` is copied.
 * Returns 0; -E2BIG beyond ARRIVALS_MAX; -ENOMEM. */
int arrivals_add(struct arrivals *arrivals, const char *name, int fd);

/* Take the sockets that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES name for this process (see
 * sd_listen_fds(3); without LISTEN_FDNAMES each is called "unknown"), make them close-on-exec and
 * remove the variables. `arrivals` must be empty. To be called before threads are started.
 * Returns 0; -ENOENT when there are none for this process; -EINVAL when the variables contradict each
 * other or the open descriptors; -ENOMEM. On failure neither descriptors nor variables are changed. */
int arrivals_inherit(struct arrivals *arrivals);

/* Close what was not given away, free the names; empty afterwards. */
void arrivals_clear(struct arrivals *arrivals);

#endif
