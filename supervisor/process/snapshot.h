/* The state memfd: the last complete state of the supervisor, for the next one.
 *
 * Two slots with sequence and checksum: a writer that is killed at any instant leaves at least the
 * previous state readable. Layout from the first day: header page (magic, version), a page reserved for the
 * seccomp notification slot, two slots. Sealed against shrinking and growing. One writer at a time: the
 * supervisor that lives. */
#ifndef BATON_SNAPSHOT_H
#define BATON_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* Largest state, bytes. Pages that were never written take no memory. */
enum { SNAPSHOT_BYTES_MAX = 4 << 20 };

/* Positive outcome of snapshot_read(): no write was ever completed. */
enum { SNAPSHOT_EMPTY = 1 };

struct snapshot_layout;

struct snapshot {
    int fd; /* owned; to be stored in the vault */
    struct snapshot_layout *memory;
    uint64_t sequence; /* of the newest valid slot, 0: none */
    int current;       /* index of the newest valid slot, -1: none */
};

/* A new, empty one. 0, or -errno (then *snapshot is untouched). */
int snapshot_create(struct snapshot *snapshot);

/* The one of an earlier supervisor. `fd` is taken, also on failure. -EPROTO: not a state memfd of a known
 * version (wrong magic, size, version, or not sealed); *snapshot is untouched then. */
int snapshot_attach(struct snapshot *snapshot, int fd);

/* Replace the state. 0; -EMSGSIZE: larger than SNAPSHOT_BYTES_MAX, nothing changed. Costs one copy and one
 * checksum of `length` bytes and no system call. */
int snapshot_write(struct snapshot *snapshot, const void *bytes, size_t length);

/* Point to the newest valid state; the bytes stay valid until the second write from now.
 * 0; SNAPSHOT_EMPTY; -EBADMSG: a state was written but no slot is valid. */
int snapshot_read(const struct snapshot *snapshot, const void **bytes, size_t *length);

void snapshot_close(struct snapshot *snapshot);

#endif
