/* The child's side of spawn.h: from the clone to the exec.
 *
 * Runs in a copy of the supervisor, so it makes async-signal-safe calls only: no allocation, no locks, no
 * name service. Everything it needs is prepared in the plan before the clone. */
#ifndef BATON_SPAWN_CHILD_H
#define BATON_SPAWN_CHILD_H

#include <stdint.h>

#include "supervisor/process/spawn.h"

/* What the child does, in this order. */
enum spawn_step {
    SPAWN_STEP_SESSION,
    SPAWN_STEP_STDIN,
    SPAWN_STEP_DESCRIPTORS,
    SPAWN_STEP_LIMITS,
    SPAWN_STEP_GROUPS,
    SPAWN_STEP_GID,
    SPAWN_STEP_UID,
    SPAWN_STEP_DIRECTORY,
    SPAWN_STEP_DEATH_SIGNAL,
    SPAWN_STEP_EXEC,
    SPAWN_STEPS
};

/* What the child says on its gate when a step fails. Silence and the end of the gate: it was executed. */
struct spawn_report {
    int32_t step; /* enum spawn_step */
    int32_t error;
};

#define SPAWN_LISTEN_PID "LISTEN_PID="

struct spawn_plan {
    const struct spawn_request *request;
    pid_t parent;
    int gate;       /* the child's end */
    int executable; /* the request's; changes its number in the child */
    int *moved;     /* room for 3 + fd_count descriptors */
    char **envp;    /* the request's, with the element below in its place */
    char
        listen_pid[sizeof SPAWN_LISTEN_PID + 3 * sizeof(pid_t)]; /* the child writes its pid behind the '=' */
};

/* Called in the child, with every signal blocked; ends in exec or _exit(). */
_Noreturn void spawn_child(struct spawn_plan *plan);

#endif
