/* The vault: descriptors that outlive every supervisor, each under an id, and how their processes ended.
 *
 * A table of fixed size, libc only, nothing is allocated. Records stay in the order they were stored. What is
 * still to be said about a record (to the supervisor, to systemd's descriptor store) is a field of it, so
 * there are no queues that could overflow. */
#ifndef BATON_VAULT_H
#define BATON_VAULT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/keeper/wire.h"

enum {
    VAULT_ENTRIES_MAX = 4096,                   /* of the supervisor's */
    VAULT_RECORDS_MAX = VAULT_ENTRIES_MAX + 64, /* the keeper's own and the dropped ones included */
    VAULT_OWN = 2,                              /* records of the keeper itself, see vault_is_own() */
    VAULT_REAPED = 128,
};

struct vault_record {
    struct wire_entry entry;
    int fd;           /* owned; -1: dropped, but systemd has still to be told */
    uint32_t serial;  /* grows with every record */
    uint16_t to_tell; /* STOREDs the supervisor has still to hear */
    bool exit_due;    /* so is the EXIT */
    bool foreign;     /* the process is not our child: its pidfd is to be polled */
    bool sd_due;      /* systemd's store does not know it yet, or (fd == -1) not yet that it is gone */
};

struct vault_table {
    struct vault_record records[VAULT_RECORDS_MAX];
    size_t count;
    size_t limit; /* of records; at most VAULT_RECORDS_MAX - VAULT_OWN, less when RLIMIT_NOFILE is low */
    uint32_t last_serial;
    bool has_store; /* systemd keeps copies */
    struct {
        pid_t pid; /* 0: free */
        int status;
        uint64_t at_ms;
    } reaped[VAULT_REAPED]; /* children that ended before anybody stored them, a ring */
    size_t next_reaped;
};

/* The ids "supervisor" and "supervisor.exe" are the keeper's own: no supervisor sees or changes them. */
#define VAULT_SUPERVISOR "supervisor"
#define VAULT_EXECUTABLE "supervisor.exe"
bool vault_is_own(const char *id);

/* Whether nothing of a supervisor's is in it, and no supervisor ever worked. */
bool vault_is_empty(const struct vault_table *table);

/* NULL: not there (or dropped). */
struct vault_record *vault_find(struct vault_table *table, const char *id);

/* Keep `fd` (taken, closed on failure) under `id`, in the place of what had that id. pid > 0 says that it is
 * the pidfd of that process: if it has ended already, the record has its exit, found among the reaped when it
 * was our child. pid -1: the pidfd of a process that has ended unknown. Returns 0 and the record; -EINVAL:
 * bad id, or not a pidfd; -ENOSPC: full. */
int vault_put(struct vault_table *table, const char *id, pid_t pid, int fd, uint64_t now_ms,
              struct vault_record **out);

/* Close and forget; an unknown id is fine. */
void vault_remove(struct vault_table *table, const char *id);

/* systemd was told what was due about the record at `index`; removes it when that was its end. Returns
 * whether the record is still there. */
bool vault_saved(struct vault_table *table, size_t index);

/* A child of ours was reaped. The exit belongs to the oldest record of that pid without one, which is
 * returned; without such a record it is remembered for a while, NULL. */
struct vault_record *vault_reap(struct vault_table *table, pid_t pid, int status, uint64_t now_ms);

/* The processes that are not our children (a former keeper's): fill `fds`, which has room for
 * VAULT_RECORDS_MAX, to wait for their end; then record who has ended, with status -1. */
size_t vault_foreign(const struct vault_table *table, struct pollfd *fds);
void vault_check_foreign(struct vault_table *table);

/* Whether the record is a process that has not ended. */
bool vault_is_alive(const struct vault_record *record);

/* Send `signo` to each process that has not ended, and to its process group. Returns how many there are. */
size_t vault_signal(struct vault_table *table, int signo);

#endif
