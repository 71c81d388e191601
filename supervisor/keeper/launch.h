/* The supervisor as a process: which binary is started, when, and what is said when it ends.
 *
 * After a death the next one starts at once. A supervisor that dies fast - before HELLO, or within two
 * seconds by anything but SIGKILL - makes its successors wait, 100 ms at first and 5 s at most; after three
 * in a row they are told to run in safe mode. The keeper never gives up. A new binary that dies before HELLO,
 * or cannot be opened, gives way to the one that last said HELLO: the vault has it. */
#ifndef BATON_LAUNCH_H
#define BATON_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "supervisor/keeper/vault.h"

enum {
    LAUNCH_SAFE_MODE = 3,      /* fast deaths in a row */
    LAUNCH_NOT_EXECUTED = 127, /* exit status of one that could not be executed */
};

struct launch {
    char *const *argv; /* of the supervisor; argv[0] is its path */
    pid_t pid;         /* 0: none lives */
    int executable;    /* what was started last; owned, -1 before the first start */
    bool hello;        /* the living one has said HELLO */
    bool broken;       /* it was killed because it broke the protocol */
    unsigned starts, fast_deaths;
    int previous_status;  /* of waitpid(2); -1: unknown */
    struct stat refused;  /* the binary that died before HELLO; st_ino 0: none */
    uint64_t started_ms;  /* when the last one started */
    uint64_t start_at_ms; /* when the next one does, while none lives */
};

/* End a supervisor that a former keeper left behind, should its death signal not have reached it yet: there
 * are never two. Waits a moment for it. Returns whether the vault knows of one. */
bool launch_end_old(struct vault_table *table);

/* Start one. Returns the keeper's end of its channel, or -errno and start_at_ms says when to try again. Its
 * pidfd is put into the vault. */
int launch_start(struct launch *launch, struct vault_table *table, uint64_t now_ms);

/* It said HELLO: its binary is the one to fall back to from now on. */
void launch_hello(struct launch *launch, struct vault_table *table, uint64_t now_ms);

/* It was reaped with `status`: say so, and decide when the next one starts. */
void launch_died(struct launch *launch, struct vault_table *table, int status, uint64_t now_ms);

/* How long the next one waits after that many fast deaths in a row. */
uint64_t launch_delay_ms(unsigned fast_deaths);

/* Whether one dies after the other, and the living one, if any, has not proved to be better. */
bool launch_is_crash_loop(const struct launch *launch);

/* End the living one, if any, with SIGKILL; launch_died() follows when it is reaped. */
void launch_kill(const struct launch *launch);

#endif
