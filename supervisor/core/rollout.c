#include "supervisor/core/rollout.h"

#include <string.h>

/* Shorthands of this table only. */
#define TO(state, actions_)                                                                                  \
    {                                                                                                        \
        .next = ROLLOUT_##state, .actions = (actions_), .listed = true                                       \
    }
#define STAY(state) TO(state, 0)
#define REVERT TO(REVERTING, ROLLOUT_DO_ABANDON)
#define END TO(STOPPING, ROLLOUT_DO_RETIRE_ALL)
#define COMMIT TO(STEADY, ROLLOUT_DO_COMMIT | ROLLOUT_DO_REMEMBERED)

static const struct rollout_step steps[ROLLOUT_STATES][ROLLOUT_EVENTS] = {
    [ROLLOUT_EMPTY] = {
        [ROLLOUT_EV_START] = TO(STARTING, ROLLOUT_DO_START),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_STEADY] = {
        [ROLLOUT_EV_START] = TO(STARTING, ROLLOUT_DO_START),
        [ROLLOUT_EV_STABLE_LOST] = STAY(STEADY), /* nothing to go to: it is respawned for ever */
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_STARTING] = {
        [ROLLOUT_EV_READY] = TO(VERIFYING, ROLLOUT_DO_VERIFY),
        [ROLLOUT_EV_CANDIDATE_FAILED] = REVERT,
        [ROLLOUT_EV_ROLLBACK] = REVERT,
        [ROLLOUT_EV_REPLACE] = REVERT,
        [ROLLOUT_EV_STABLE_LOST] = STAY(STARTING),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_VERIFYING] = {
        [ROLLOUT_EV_VERIFIED] = TO(HANDOFF, ROLLOUT_DO_ENLIST),
        [ROLLOUT_EV_CANDIDATE_FAILED] = REVERT,
        [ROLLOUT_EV_ROLLBACK] = REVERT,
        [ROLLOUT_EV_REPLACE] = REVERT,
        [ROLLOUT_EV_STABLE_LOST] = STAY(VERIFYING),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_HANDOFF] = {
        [ROLLOUT_EV_SERVING] = TO(SHIFTING, ROLLOUT_DO_SHIFT),
        [ROLLOUT_EV_CANDIDATE_FAILED] = REVERT,
        [ROLLOUT_EV_ROLLBACK] = REVERT,
        [ROLLOUT_EV_REPLACE] = REVERT,
        [ROLLOUT_EV_STABLE_LOST] = STAY(HANDOFF),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_SHIFTING] = {
        [ROLLOUT_EV_SHIFTED] = TO(SOAKING, ROLLOUT_DO_SOAK),
        [ROLLOUT_EV_CANDIDATE_FAILED] = REVERT,
        [ROLLOUT_EV_ROLLBACK] = REVERT,
        [ROLLOUT_EV_REPLACE] = REVERT,
        [ROLLOUT_EV_STABLE_LOST] = COMMIT, /* a verified candidate is better than a dead stable */
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_SOAKING] = {
        [ROLLOUT_EV_SOAKED] = COMMIT,
        [ROLLOUT_EV_CANDIDATE_FAILED] = REVERT,
        [ROLLOUT_EV_ROLLBACK] = REVERT,
        [ROLLOUT_EV_REPLACE] = COMMIT, /* it has proved itself; the next one starts at once */
        [ROLLOUT_EV_STABLE_LOST] = COMMIT,
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_REVERTING] = {
        /* What the candidate still says or does while it ends changes nothing. */
        [ROLLOUT_EV_READY] = STAY(REVERTING),
        [ROLLOUT_EV_VERIFIED] = STAY(REVERTING),
        [ROLLOUT_EV_SERVING] = STAY(REVERTING),
        [ROLLOUT_EV_CANDIDATE_FAILED] = STAY(REVERTING),
        [ROLLOUT_EV_ROLLBACK] = STAY(REVERTING),
        [ROLLOUT_EV_REPLACE] = STAY(REVERTING),
        [ROLLOUT_EV_STABLE_LOST] = STAY(REVERTING),
        [ROLLOUT_EV_CANDIDATE_GONE] = TO(STEADY, ROLLOUT_DO_TELL_REVERTED | ROLLOUT_DO_REMEMBERED),
        [ROLLOUT_EV_NOTHING_LEFT] =
            TO(FAILED, ROLLOUT_DO_RETRY_LATER | ROLLOUT_DO_TELL_FAILED | ROLLOUT_DO_REMEMBERED),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_FAILED] = {
        [ROLLOUT_EV_START] = TO(STARTING, ROLLOUT_DO_START),
        [ROLLOUT_EV_RETRY] = TO(STARTING, ROLLOUT_DO_START),
        [ROLLOUT_EV_STOP] = END,
    },
    [ROLLOUT_STOPPING] = {
        [ROLLOUT_EV_READY] = STAY(STOPPING),
        [ROLLOUT_EV_VERIFIED] = STAY(STOPPING),
        [ROLLOUT_EV_SERVING] = STAY(STOPPING),
        [ROLLOUT_EV_CANDIDATE_FAILED] = STAY(STOPPING),
        [ROLLOUT_EV_STABLE_LOST] = STAY(STOPPING),
        [ROLLOUT_EV_STOP] = STAY(STOPPING),
        [ROLLOUT_EV_ALL_GONE] = TO(STOPPED, ROLLOUT_DO_TELL_STOPPED),
    },
    [ROLLOUT_STOPPED] = {
        [ROLLOUT_EV_STOP] = STAY(STOPPED),
        [ROLLOUT_EV_ALL_GONE] = STAY(STOPPED),
    },
};

static const char *const states[ROLLOUT_STATES] = {
    [ROLLOUT_EMPTY] = "empty",         [ROLLOUT_STEADY] = "steady",       [ROLLOUT_STARTING] = "starting",
    [ROLLOUT_VERIFYING] = "verifying", [ROLLOUT_HANDOFF] = "handoff",     [ROLLOUT_SHIFTING] = "shifting",
    [ROLLOUT_SOAKING] = "soaking",     [ROLLOUT_REVERTING] = "reverting", [ROLLOUT_FAILED] = "failed",
    [ROLLOUT_STOPPING] = "stopping",   [ROLLOUT_STOPPED] = "stopped",
};

static const char *const events[ROLLOUT_EVENTS] = {
    [ROLLOUT_EV_START] = "start",
    [ROLLOUT_EV_READY] = "ready",
    [ROLLOUT_EV_VERIFIED] = "verified",
    [ROLLOUT_EV_SERVING] = "serving",
    [ROLLOUT_EV_SHIFTED] = "shifted",
    [ROLLOUT_EV_SOAKED] = "soaked",
    [ROLLOUT_EV_CANDIDATE_FAILED] = "candidate-failed",
    [ROLLOUT_EV_ROLLBACK] = "rollback",
    [ROLLOUT_EV_REPLACE] = "replace",
    [ROLLOUT_EV_STABLE_LOST] = "stable-lost",
    [ROLLOUT_EV_CANDIDATE_GONE] = "candidate-gone",
    [ROLLOUT_EV_NOTHING_LEFT] = "nothing-left",
    [ROLLOUT_EV_RETRY] = "retry",
    [ROLLOUT_EV_STOP] = "stop",
    [ROLLOUT_EV_ALL_GONE] = "all-gone",
};

struct rollout_step rollout_step(enum rollout_state state, enum rollout_event event)
{
    struct rollout_step step = steps[state][event];

    return step.listed ? step : (struct rollout_step){ .next = state };
}

bool rollout_running(enum rollout_state state)
{
    return state >= ROLLOUT_STARTING && state <= ROLLOUT_REVERTING;
}

const char *rollout_state_name(enum rollout_state state)
{
    return states[state];
}

const char *rollout_event_name(enum rollout_event event)
{
    return events[event];
}

int rollout_state_parse(const char *name)
{
    for (int i = 0; i < ROLLOUT_STATES; i++) {
        if (!strcmp(states[i], name))
            return i;
    }
    return -1;
}
