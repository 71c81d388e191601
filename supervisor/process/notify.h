/* A worker's private NOTIFY_SOCKET: sd_notify datagrams in, facts out.
 *
 * The address is abstract and unguessable, so it works after chroot(2) and a change of user; a sender
 * is believed when the kernel says it belongs to the worker: its uid is the worker's or root, and its process
 * is the worker or one of its descendants or in its session. */
#ifndef BATON_NOTIFY_H
#define BATON_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { NOTIFY_ADDRESS_BYTES = 96, NOTIFY_STATUS_BYTES = 256 };

struct notify {
    int fd;                             /* owned */
    char address[NOTIFY_ADDRESS_BYTES]; /* "@baton/…", for the environment */
};

/* The facts of one datagram; unknown lines are skipped, as sd_notify(3) asks. */
struct notify_message {
    pid_t sender;
    bool ready, reloading, stopping, watchdog;
    bool has_main_pid;
    pid_t main_pid;
    bool has_status;
    char status[NOTIFY_STATUS_BYTES]; /* one line; control characters replaced by '?' */
    int error_number;                 /* ERRNO=, 0: none */
};

enum { NOTIFY_NOTHING = 1, NOTIFY_STRANGER = 2, NOTIFY_MALFORMED = 3 };

int notify_open(struct notify *notify);           /* 0 or -errno */
int notify_attach(struct notify *notify, int fd); /* from the vault: takes fd, reads the address back */

/* Look at the first datagram without consuming it (so that it can be recorded first); closes descriptors that
 * came with it. `worker` and `uid` are whom to believe. 0; NOTIFY_NOTHING: the queue is empty;
 * NOTIFY_STRANGER, NOTIFY_MALFORMED: to be taken and ignored (logged by the caller with `out->sender`). */
int notify_peek(const struct notify *notify, pid_t worker, uid_t uid, struct notify_message *out);
void notify_take(const struct notify *notify); /* consume the first datagram */

/* Pure: parse the text of a datagram. 0 or NOTIFY_MALFORMED. Fuzzed. */
int notify_parse(const char *bytes, size_t length, struct notify_message *out);

void notify_close(struct notify *notify);

#endif
