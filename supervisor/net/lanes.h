/* The open sockets of all listeners, and who may use them.
 *
 * In this version all generations that use an address share one listening socket; so a socket is
 * opened when the first generation needs it and closed when the last one that counts has let it go. The
 * sockets are keyed by what they are bound to, not by name: a renamed listener keeps its socket.
 * Nothing outside listener.c and lanes.c knows about the sharing. */
#ifndef BATON_LANES_H
#define BATON_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/core/config.h"

/* One open socket. */
struct lane {
    struct lane *next;
    char *key;                        /* canonical address, with "v6only" where it matters */
    int fd;                           /* owned */
    uint64_t serial;                  /* of its vault entry "l<serial>" */
    unsigned users;                   /* generations that may be given new connections through it */
    struct config_listener *listener; /* owned copy: to unlink a UNIX path at the end */
};

/* A socket from the vault that no state knows: its lane was being made when a supervisor died. */
struct lane_spare {
    struct lane_spare *next;
    int fd; /* owned */
    uint64_t serial;
};

struct lanes {
    struct lane *first;
    struct lane_spare *spares;
};

/* The lane for `listener`, opened if it is not open yet (then its serial is 0 and the caller stores it). One
 * user more. 0, or -errno with a sentence in *reason (malloc'd). */
int lanes_acquire(struct lanes *lanes, const struct config_listener *listener, struct lane **out,
                  char **reason);

/* One user less; the last one closes it (true: the lane is gone, *serial is that of its vault entry). */
bool lanes_release(struct lanes *lanes, struct lane *lane, uint64_t *serial);

/* Put a socket from the vault back, without users; `fd` is taken. NULL: it is not the socket of `listener`,
 * or no memory. */
struct lane *lanes_restore(struct lanes *lanes, const struct config_listener *listener, int fd,
                           uint64_t serial);

/* A socket from the vault that no state knows; `fd` is taken. lanes_acquire() uses it when it is what is
 * wanted, because the same address cannot be bound twice while the keeper has a copy. */
void lanes_add_spare(struct lanes *lanes, int fd, uint64_t serial);

/* Close one of the spares that nobody wanted. False: there is none; else *serial is that of its vault entry.
 */
bool lanes_drop_spare(struct lanes *lanes, uint64_t *serial);

/* After a restore: one user more without opening anything. */
void lanes_use(struct lane *lane);

/* Wait until nothing is on its way to a generation. With shared sockets nothing ever is: another generation
 * accepts what is queued. `done` may be called at once. */
void lanes_quiesce(struct lanes *lanes, void (*done)(void *arg), void *arg);

void lanes_close(struct lanes *lanes); /* all; UNIX paths are removed */

#endif
