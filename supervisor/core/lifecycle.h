/* The life of a worker and of a generation, as two tables: state x event -> next state and actions.
 *
 * Pure. A fact (a message, an exit, a timer) is an event; the answer is a step; worker.c and generation.c
 * carry the actions out. A cell that is not listed is refused: the state stays, the caller logs it.
 *
 *   worker      spawning -> starting -> ready -> serving -> draining -> stopping -> killing -> gone
 *               gone -> backoff -> spawning (respawn)
 *   generation  starting -> ready -> serving -> quiescing -> retiring -> gone
 */
#ifndef BATON_LIFECYCLE_H
#define BATON_LIFECYCLE_H

#include <stdbool.h>

enum worker_state {
    WORKER_SPAWNING, /* cloned, waits at the gate until the keeper has it */
    WORKER_STARTING, /* told to go; not ready yet */
    WORKER_READY,    /* able to serve; a native worker has no public listener yet */
    WORKER_SERVING,  /* accepts */
    WORKER_DRAINING, /* told to finish what it has */
    WORKER_STOPPING, /* got the stop signal */
    WORKER_KILLING,  /* got SIGKILL */
    WORKER_BACKOFF,  /* died; its slot is filled again after a pause */
    WORKER_GONE,     /* no process */
    WORKER_STATES
};

enum worker_event {
    WORKER_EV_STORED,       /* the keeper has its descriptors: it may run */
    WORKER_EV_READY,        /* said or proved that it is ready */
    WORKER_EV_ENLIST,       /* it shall get its public listeners (again: harmless) */
    WORKER_EV_SERVES,       /* accepts on all of them */
    WORKER_EV_RETIRE,       /* it shall end, losing nothing */
    WORKER_EV_DRAINED,      /* said that nothing is left */
    WORKER_EV_CHANNEL_LOST, /* closed its channel, or sent what makes no sense */
    WORKER_EV_TIMEOUT,      /* the time of this state is over */
    WORKER_EV_HURRY,        /* as if the time of draining were over (drain, a second TERM) */
    WORKER_EV_EXITED,       /* no process any more */
    WORKER_EV_RESPAWN,      /* fill the slot again: after a pause */
    WORKER_EVENTS
};

enum worker_action {
    WORKER_DO_DISARM = 1 << 0,    /* stop timer and checks */
    WORKER_DO_GO = 1 << 1,        /* open the gate, arm the readiness timer, begin readiness checks */
    WORKER_DO_LISTENERS = 1 << 2, /* send the listeners, arm the same timer for SERVING */
    WORKER_DO_COUNT_CUT = 1 << 3, /* connections that are still open are cut from here on */
    WORKER_DO_DRAIN = 1 << 4,     /* DRAIN to a native worker, the stop signal to others; arm the drain timer */
    WORKER_DO_STOP = 1 << 5,      /* the stop signal; arm the stop timer */
    WORKER_DO_SIGNAL = 1 << 6,    /* the stop signal, the running timer stays */
    WORKER_DO_KILL = 1 << 7,      /* SIGKILL to its process group */
    WORKER_DO_PAUSE = 1 << 8,     /* arm the back-off timer */
    WORKER_DO_SPAWN = 1 << 9,     /* start a process in this slot */
    WORKER_DO_TELL_READY = 1 << 10, /* tell the generation … */
    WORKER_DO_TELL_SERVING = 1 << 11,
    WORKER_DO_TELL_FAILED = 1 << 12, /* unexpected trouble; the reason is with the worker */
    WORKER_DO_TELL_GONE = 1 << 13,
};

struct worker_step {
    enum worker_state next;
    unsigned actions; /* of enum worker_action; carried out in the order of their bits */
    bool listed;      /* false: this event has no meaning in this state */
};

enum generation_state {
    GENERATION_STARTING,
    GENERATION_READY,
    GENERATION_SERVING,
    GENERATION_QUIESCING, /* nothing new is steered to it; what is on its way is awaited */
    GENERATION_RETIRING,  /* its workers drain and stop */
    GENERATION_GONE,
    GENERATION_STATES
};

enum generation_event {
    GENERATION_EV_ALL_READY,
    GENERATION_EV_ENLIST, /* the rollout wants it to accept */
    GENERATION_EV_ALL_SERVING,
    GENERATION_EV_WORKER_FAILED,
    GENERATION_EV_RETIRE,
    GENERATION_EV_QUIESCED,
    GENERATION_EV_ALL_GONE,
    GENERATION_EVENTS
};

enum generation_action {
    GENERATION_DO_ENLIST = 1 << 0,  /* every worker gets its listeners */
    GENERATION_DO_QUIESCE = 1 << 1, /* ask the lanes; QUIESCED follows */
    GENERATION_DO_RETIRE = 1 << 2,  /* every worker is retired */
    GENERATION_DO_TELL_READY = 1 << 3,
    GENERATION_DO_TELL_SERVING = 1 << 4,
    GENERATION_DO_TELL_FAILED = 1 << 5,
    GENERATION_DO_TELL_GONE = 1 << 6,
};

struct generation_step {
    enum generation_state next;
    unsigned actions;
    bool listed;
};

/* Both are total: any state and event in range gives a step; an unlisted one keeps the state and has no
 * actions. */
struct worker_step worker_step(enum worker_state state, enum worker_event event);
struct generation_step generation_step(enum generation_state state, enum generation_event event);

/* Names for logs, status and the persisted state; parse returns -1 for a name that is none. */
const char *worker_state_name(enum worker_state state);
const char *worker_event_name(enum worker_event event);
int worker_state_parse(const char *name);
const char *generation_state_name(enum generation_state state);
const char *generation_event_name(enum generation_event event);
int generation_state_parse(const char *name);

/* Pause before a crashed worker is started again, after `failures` quick deaths in a row (0, 1, 2, …):
 * 0 ms, 100 ms, then doubling up to 30 s. */
unsigned worker_backoff_ms(unsigned failures);

#endif
