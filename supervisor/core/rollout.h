/* The rollout of one service, as a table: state x event -> next state and actions.
 *
 * Pure. service.c turns facts into events and carries the actions out; an action may raise the next
 * event at once (a service without steps is shifted the moment it is asked to shift).
 *
 *   empty -> starting -> verifying -> handoff -> shifting -> soaking -> steady        success
 *            starting … soaking -> reverting -> steady (the old one) or failed (there is none)
 *            any -> stopping -> stopped
 */
#ifndef BATON_ROLLOUT_H
#define BATON_ROLLOUT_H

#include <stdbool.h>

enum rollout_state {
    ROLLOUT_EMPTY,     /* nothing was ever started */
    ROLLOUT_STEADY,    /* the stable generation serves, no candidate */
    ROLLOUT_STARTING,  /* the candidate's processes start; it has no public listener if it is native */
    ROLLOUT_VERIFYING, /* it said ready and is asked on a private socket */
    ROLLOUT_HANDOFF,   /* it is given the listeners and must accept on them */
    ROLLOUT_SHIFTING,  /* traffic moves to it, step by step */
    ROLLOUT_SOAKING,   /* it has all traffic; the old generation is kept warm */
    ROLLOUT_REVERTING, /* the candidate is being retired, the reason is recorded */
    ROLLOUT_FAILED,    /* the first generation failed; tried again after a pause */
    ROLLOUT_STOPPING,
    ROLLOUT_STOPPED,
    ROLLOUT_STATES
};

enum rollout_event {
    ROLLOUT_EV_START,            /* a new generation is wanted */
    ROLLOUT_EV_READY,            /* all workers of the candidate are ready */
    ROLLOUT_EV_VERIFIED,         /* it answered on the private socket (or nothing was to be asked) */
    ROLLOUT_EV_SERVING,          /* all its workers accept */
    ROLLOUT_EV_SHIFTED,          /* the last step has passed */
    ROLLOUT_EV_SOAKED,           /* the soak is over */
    ROLLOUT_EV_CANDIDATE_FAILED, /* exit, crash, time-out, failed check, cannot be executed */
    ROLLOUT_EV_ROLLBACK,         /* a person wants the old one */
    ROLLOUT_EV_REPLACE,          /* a person wants yet another one instead */
    ROLLOUT_EV_STABLE_LOST,      /* the stable generation crash-loops */
    ROLLOUT_EV_CANDIDATE_GONE,   /* the reverted candidate has ended; a stable generation serves */
    ROLLOUT_EV_NOTHING_LEFT,     /* the reverted candidate has ended and was the only one */
    ROLLOUT_EV_RETRY,            /* the pause after a failure is over */
    ROLLOUT_EV_STOP,
    ROLLOUT_EV_ALL_GONE, /* stopping: no generation is left */
    ROLLOUT_EVENTS
};

enum rollout_action {
    ROLLOUT_DO_ABANDON = 1 << 0, /* nothing more to the candidate, then retire it; record the reason */
    ROLLOUT_DO_COMMIT = 1 << 1,  /* the candidate is the stable one from now on; retire the old one */
    ROLLOUT_DO_START = 1 << 2,
    ROLLOUT_DO_VERIFY = 1 << 3,
    ROLLOUT_DO_ENLIST = 1 << 4,
    ROLLOUT_DO_SHIFT = 1 << 5,
    ROLLOUT_DO_SOAK = 1 << 6,
    ROLLOUT_DO_RETIRE_ALL = 1 << 7,
    ROLLOUT_DO_RETRY_LATER = 1 << 8,
    ROLLOUT_DO_TELL_REVERTED = 1 << 9,
    ROLLOUT_DO_TELL_FAILED = 1 << 10,
    ROLLOUT_DO_TELL_STOPPED = 1 << 11,
    ROLLOUT_DO_REMEMBERED = 1 << 12, /* start what was asked for meanwhile, if anything was */
};

struct rollout_step {
    enum rollout_state next;
    unsigned actions; /* of enum rollout_action; carried out in the order of their bits */
    bool listed;      /* false: refused; the state stays */
};

/* Total: any state and event in range gives a step. */
struct rollout_step rollout_step(enum rollout_state state, enum rollout_event event);

/* Whether a candidate is on its way (a second upgrade is refused, or replaces it). */
bool rollout_running(enum rollout_state state);

/* Names for logs, status and the persisted state; parse returns -1 for a name that is none. */
const char *rollout_state_name(enum rollout_state state);
const char *rollout_event_name(enum rollout_event event);
int rollout_state_parse(const char *name);

#endif
