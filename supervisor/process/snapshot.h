/* The state memfd: the last complete state of the supervisor, for the next one.
 *
 * Two slots with sequence and checksum: a writer that is killed at any instant leaves at least the
 * previous state readable (FACTS: 3,000 kills, none without a valid slot). Layout from the first day:
 * header page (magic, version), a page for the seccomp notification slot, two slots. Sealed against
 * shrinking and growing. */
#ifndef BATON_SNAPSHOT_H
#define BATON_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* Largest state, bytes. Pages that were never written take no memory. */
enum { SNAPSHOT_BYTES_MAX = 4 << 20 };

/* Positive outcome of snapshot_read(): nothing was ever written. */
enum { SNAPSHOT_EMPTY = 1 };

struct snapshot {
    int fd; /* owned; to be stored in the vault */
    void *memory;
    uint64_t sequence; /* of the newest valid slot */
    int current;       /* index of the newest valid slot, -1: none */
};

int snapshot_create(struct snapshot *snapshot); /* 0, or -errno */
int snapshot_attach(struct snapshot *snapshot,
                    int fd); /* takes fd, also on failure; -EPROTO: not a state memfd of a known version */

/* Replace the state. -EMSGSIZE: larger than SNAPSHOT_BYTES_MAX; nothing changed. */
int snapshot_write(struct snapshot *snapshot, const void *bytes, size_t length);

/* Point to the newest valid state; the bytes stay valid until the second write from now.
 * 0; SNAPSHOT_EMPTY; -EBADMSG: written but no slot is valid. */
int snapshot_read(const struct snapshot *snapshot, const void **bytes, size_t *length);

void snapshot_close(struct snapshot *snapshot);

#endif
