/* A worker's private NOTIFY_SOCKET: sd_notify datagrams in, facts out.
 *
 * The address is abstract and random, so it works after chroot(2) and a change of user (not from another
 * network namespace). Anybody on the machine could still send to it: a sender is believed when the kernel
 * says that it is
 *
 *   - the worker itself, whatever its user by now, or
 *   - a descendant of the worker or in its session, with the uid of the worker or root, or
 *   - gone already, with the uid of the worker or root (`systemd-notify` in a script may end before we look).
 */
#ifndef BATON_NOTIFY_H
#define BATON_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/text.h"

enum {
    NOTIFY_ADDRESS_BYTES = 96,
    NOTIFY_STATUS_BYTES = TEXT_BYTES,
    NOTIFY_DATAGRAM_MAX = 4096, /* bytes of a datagram, as in systemd */
};

struct notify {
    int fd;                             /* owned; -1: closed */
    char address[NOTIFY_ADDRESS_BYTES]; /* "@baton/…", for the environment */
};

/* The facts of one datagram; unknown lines are skipped, as sd_notify(3) asks. */
struct notify_message {
    pid_t sender; /* 0: not visible here (another pid namespace) */
    bool ready, reloading, stopping, watchdog;
    bool has_main_pid;
    pid_t main_pid; /* > 0 */
    bool has_status;
    char status[NOTIFY_STATUS_BYTES]; /* one line; control characters replaced by '?' */
    int error_number;                 /* ERRNO=, 0: none */
};

enum { NOTIFY_NOTHING = 1, NOTIFY_STRANGER = 2, NOTIFY_MALFORMED = 3 };

int notify_open(struct notify *notify); /* 0 or -errno */
/* From the vault: takes fd, also on failure, and reads the address back. 0, or -EINVAL: not such a socket. */
int notify_attach(struct notify *notify, int fd);

/* Look at the first datagram without consuming it (so that it can be recorded first); closes descriptors that
 * came with it. `worker` and `uid` are whom to believe. 0; NOTIFY_NOTHING: the queue is empty;
 * NOTIFY_STRANGER, NOTIFY_MALFORMED: to be taken and ignored (logged by the caller with `out->sender`);
 * -errno: the socket is broken. */
int notify_peek(const struct notify *notify, pid_t worker, uid_t uid, struct notify_message *out);
/* Consume the first datagram. Who waits in sd_notify_barrier(3) goes on now. */
void notify_take(const struct notify *notify);

/* Pure: parse the text of a datagram; all of `out` is set. NOTIFY_MALFORMED: empty, a NUL byte, a MAINPID or
 * ERRNO that is no number. Fuzzed. */
int notify_parse(const char *bytes, size_t length, struct notify_message *out);

void notify_close(struct notify *notify);

#endif
