#include "supervisor/core/lifecycle.h"

#include <string.h>

/* Shorthands of this table only. */
#define TO(state, actions_)                                                                                  \
    {                                                                                                        \
        .next = WORKER_##state, .actions = (actions_), .listed = true                                        \
    }
#define STAY(state) TO(state, 0)

static const struct worker_step worker_steps[WORKER_STATES][WORKER_EVENTS] = {
    [WORKER_SPAWNING] = {
        [WORKER_EV_STORED] = TO(STARTING, WORKER_DO_GO),
        [WORKER_EV_RETIRE] = TO(KILLING, WORKER_DO_DISARM | WORKER_DO_KILL),
        [WORKER_EV_HURRY] = STAY(SPAWNING),
        [WORKER_EV_CHANNEL_LOST] = STAY(SPAWNING), /* its exit follows */
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_FAILED | WORKER_DO_TELL_GONE),
    },
    [WORKER_STARTING] = {
        [WORKER_EV_STORED] = STAY(STARTING),
        [WORKER_EV_READY] = TO(READY, WORKER_DO_DISARM | WORKER_DO_TELL_READY),
        [WORKER_EV_CHANNEL_LOST] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_STOP | WORKER_DO_TELL_FAILED),
        [WORKER_EV_TIMEOUT] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_STOP | WORKER_DO_TELL_FAILED),
        [WORKER_EV_RETIRE] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_STOP),
        [WORKER_EV_HURRY] = STAY(STARTING),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_FAILED | WORKER_DO_TELL_GONE),
    },
    [WORKER_READY] = {
        [WORKER_EV_READY] = STAY(READY),
        [WORKER_EV_ENLIST] = TO(READY, WORKER_DO_LISTENERS),
        [WORKER_EV_SERVES] = TO(SERVING, WORKER_DO_DISARM | WORKER_DO_TELL_SERVING),
        [WORKER_EV_CHANNEL_LOST] = TO(DRAINING, WORKER_DO_DISARM | WORKER_DO_DRAIN | WORKER_DO_TELL_FAILED),
        [WORKER_EV_TIMEOUT] = TO(DRAINING, WORKER_DO_DISARM | WORKER_DO_DRAIN | WORKER_DO_TELL_FAILED),
        [WORKER_EV_RETIRE] = TO(DRAINING, WORKER_DO_DISARM | WORKER_DO_DRAIN),
        [WORKER_EV_HURRY] = STAY(READY),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_FAILED | WORKER_DO_TELL_GONE),
    },
    [WORKER_SERVING] = {
        [WORKER_EV_READY] = STAY(SERVING),
        [WORKER_EV_ENLIST] = TO(SERVING, WORKER_DO_LISTENERS),
        [WORKER_EV_SERVES] = TO(SERVING, WORKER_DO_DISARM),
        [WORKER_EV_CHANNEL_LOST] = STAY(SERVING), /* it serves on; it will be retired by signal */
        [WORKER_EV_TIMEOUT] = STAY(SERVING),      /* listeners sent again were not answered: it holds the first */
        [WORKER_EV_RETIRE] = TO(DRAINING, WORKER_DO_DISARM | WORKER_DO_DRAIN),
        [WORKER_EV_DRAINED] = STAY(SERVING), /* it drains on its own account; its exit follows */
        [WORKER_EV_HURRY] = STAY(SERVING),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_FAILED | WORKER_DO_TELL_GONE),
    },
    [WORKER_DRAINING] = {
        [WORKER_EV_READY] = STAY(DRAINING),
        [WORKER_EV_ENLIST] = STAY(DRAINING),
        [WORKER_EV_SERVES] = STAY(DRAINING),
        [WORKER_EV_RETIRE] = STAY(DRAINING),
        [WORKER_EV_DRAINED] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_STOP),
        [WORKER_EV_CHANNEL_LOST] = TO(DRAINING, WORKER_DO_SIGNAL), /* it can no longer be told otherwise */
        [WORKER_EV_TIMEOUT] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_COUNT_CUT | WORKER_DO_STOP),
        [WORKER_EV_HURRY] = TO(STOPPING, WORKER_DO_DISARM | WORKER_DO_COUNT_CUT | WORKER_DO_STOP),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_GONE),
    },
    [WORKER_STOPPING] = {
        [WORKER_EV_STORED] = STAY(STOPPING),
        [WORKER_EV_READY] = STAY(STOPPING),
        [WORKER_EV_ENLIST] = STAY(STOPPING),
        [WORKER_EV_SERVES] = STAY(STOPPING),
        [WORKER_EV_RETIRE] = STAY(STOPPING),
        [WORKER_EV_DRAINED] = STAY(STOPPING),
        [WORKER_EV_CHANNEL_LOST] = STAY(STOPPING),
        [WORKER_EV_TIMEOUT] = TO(KILLING, WORKER_DO_DISARM | WORKER_DO_KILL),
        [WORKER_EV_HURRY] = STAY(STOPPING),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_GONE),
    },
    [WORKER_KILLING] = {
        [WORKER_EV_STORED] = STAY(KILLING),
        [WORKER_EV_READY] = STAY(KILLING),
        [WORKER_EV_ENLIST] = STAY(KILLING),
        [WORKER_EV_SERVES] = STAY(KILLING),
        [WORKER_EV_RETIRE] = STAY(KILLING),
        [WORKER_EV_DRAINED] = STAY(KILLING),
        [WORKER_EV_CHANNEL_LOST] = STAY(KILLING),
        [WORKER_EV_HURRY] = STAY(KILLING),
        [WORKER_EV_EXITED] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_GONE),
    },
    [WORKER_BACKOFF] = {
        [WORKER_EV_ENLIST] = STAY(BACKOFF),
        [WORKER_EV_TIMEOUT] = TO(SPAWNING, WORKER_DO_SPAWN),
        [WORKER_EV_RETIRE] = TO(GONE, WORKER_DO_DISARM | WORKER_DO_TELL_GONE),
        [WORKER_EV_HURRY] = STAY(BACKOFF),
    },
    [WORKER_GONE] = {
        [WORKER_EV_ENLIST] = STAY(GONE),
        [WORKER_EV_RETIRE] = STAY(GONE),
        [WORKER_EV_HURRY] = STAY(GONE),
        [WORKER_EV_RESPAWN] = TO(BACKOFF, WORKER_DO_PAUSE),
    },
};

#undef TO
#undef STAY
#define TO(state, actions_)                                                                                  \
    {                                                                                                        \
        .next = GENERATION_##state, .actions = (actions_), .listed = true                                    \
    }
#define STAY(state) TO(state, 0)

static const struct generation_step generation_steps[GENERATION_STATES][GENERATION_EVENTS] = {
    [GENERATION_STARTING] = {
        [GENERATION_EV_ALL_READY] = TO(READY, GENERATION_DO_TELL_READY),
        [GENERATION_EV_WORKER_FAILED] = TO(STARTING, GENERATION_DO_TELL_FAILED),
        [GENERATION_EV_RETIRE] = TO(RETIRING, GENERATION_DO_RETIRE), /* nothing was steered to it */
        [GENERATION_EV_ALL_GONE] = STAY(STARTING),                    /* the failure was told; RETIRE follows */
    },
    [GENERATION_READY] = {
        [GENERATION_EV_ALL_READY] = STAY(READY),
        [GENERATION_EV_ENLIST] = TO(READY, GENERATION_DO_ENLIST),
        [GENERATION_EV_ALL_SERVING] = TO(SERVING, GENERATION_DO_TELL_SERVING),
        [GENERATION_EV_WORKER_FAILED] = TO(READY, GENERATION_DO_TELL_FAILED),
        [GENERATION_EV_RETIRE] = TO(QUIESCING, GENERATION_DO_QUIESCE),
        [GENERATION_EV_ALL_GONE] = STAY(READY),
    },
    [GENERATION_SERVING] = {
        [GENERATION_EV_ALL_READY] = STAY(SERVING), /* a respawned worker */
        [GENERATION_EV_ENLIST] = TO(SERVING, GENERATION_DO_ENLIST),
        [GENERATION_EV_ALL_SERVING] = STAY(SERVING),
        [GENERATION_EV_WORKER_FAILED] = TO(SERVING, GENERATION_DO_TELL_FAILED),
        [GENERATION_EV_RETIRE] = TO(QUIESCING, GENERATION_DO_QUIESCE),
        [GENERATION_EV_ALL_GONE] = STAY(SERVING),
    },
    [GENERATION_QUIESCING] = {
        [GENERATION_EV_ALL_READY] = STAY(QUIESCING),
        [GENERATION_EV_ALL_SERVING] = STAY(QUIESCING),
        [GENERATION_EV_WORKER_FAILED] = STAY(QUIESCING),
        [GENERATION_EV_RETIRE] = STAY(QUIESCING),
        [GENERATION_EV_QUIESCED] = TO(RETIRING, GENERATION_DO_RETIRE),
        [GENERATION_EV_ALL_GONE] = STAY(QUIESCING), /* what was on its way is still awaited */
    },
    [GENERATION_RETIRING] = {
        [GENERATION_EV_ALL_READY] = STAY(RETIRING),
        [GENERATION_EV_ALL_SERVING] = STAY(RETIRING),
        [GENERATION_EV_WORKER_FAILED] = STAY(RETIRING),
        [GENERATION_EV_RETIRE] = STAY(RETIRING),
        [GENERATION_EV_ALL_GONE] = TO(GONE, GENERATION_DO_TELL_GONE),
    },
    [GENERATION_GONE] = {
        [GENERATION_EV_RETIRE] = STAY(GONE),
        [GENERATION_EV_ALL_GONE] = STAY(GONE),
    },
};

#undef TO
#undef STAY

static const char *const worker_states[WORKER_STATES] = {
    [WORKER_SPAWNING] = "spawning", [WORKER_STARTING] = "starting", [WORKER_READY] = "ready",
    [WORKER_SERVING] = "serving",   [WORKER_DRAINING] = "draining", [WORKER_STOPPING] = "stopping",
    [WORKER_KILLING] = "killing",   [WORKER_BACKOFF] = "backoff",   [WORKER_GONE] = "gone",
};

static const char *const worker_events[WORKER_EVENTS] = {
    [WORKER_EV_STORED] = "stored",
    [WORKER_EV_READY] = "ready",
    [WORKER_EV_ENLIST] = "enlist",
    [WORKER_EV_SERVES] = "serves",
    [WORKER_EV_RETIRE] = "retire",
    [WORKER_EV_DRAINED] = "drained",
    [WORKER_EV_TIMEOUT] = "timeout",
    [WORKER_EV_HURRY] = "hurry",
    [WORKER_EV_CHANNEL_LOST] = "channel-lost",
    [WORKER_EV_EXITED] = "exited",
    [WORKER_EV_RESPAWN] = "respawn",
};

static const char *const generation_states[GENERATION_STATES] = {
    [GENERATION_STARTING] = "starting", [GENERATION_READY] = "ready",
    [GENERATION_SERVING] = "serving",   [GENERATION_QUIESCING] = "quiescing",
    [GENERATION_RETIRING] = "retiring", [GENERATION_GONE] = "gone",
};

static const char *const generation_events[GENERATION_EVENTS] = {
    [GENERATION_EV_ALL_READY] = "all-ready",     [GENERATION_EV_ENLIST] = "enlist",
    [GENERATION_EV_ALL_SERVING] = "all-serving", [GENERATION_EV_WORKER_FAILED] = "worker-failed",
    [GENERATION_EV_RETIRE] = "retire",           [GENERATION_EV_QUIESCED] = "quiesced",
    [GENERATION_EV_ALL_GONE] = "all-gone",
};

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(names[i], name))
            return i;
    }
    return -1;
}

struct worker_step worker_step(enum worker_state state, enum worker_event event)
{
    struct worker_step step = worker_steps[state][event];

    return step.listed ? step : (struct worker_step){ .next = state };
}

struct generation_step generation_step(enum generation_state state, enum generation_event event)
{
    struct generation_step step = generation_steps[state][event];

    return step.listed ? step : (struct generation_step){ .next = state };
}

const char *worker_state_name(enum worker_state state)
{
    return worker_states[state];
}

const char *worker_event_name(enum worker_event event)
{
    return worker_events[event];
}

int worker_state_parse(const char *name)
{
    return find_name(worker_states, WORKER_STATES, name);
}

const char *generation_state_name(enum generation_state state)
{
    return generation_states[state];
}

const char *generation_event_name(enum generation_event event)
{
    return generation_events[event];
}

int generation_state_parse(const char *name)
{
    return find_name(generation_states, GENERATION_STATES, name);
}

unsigned worker_backoff_ms(unsigned failures)
{
    enum { FIRST_MS = 100, LONGEST_MS = 30000, DOUBLINGS = 9 };

    if (failures == 0)
        return 0;
    if (failures > DOUBLINGS)
        return LONGEST_MS;
    unsigned ms = FIRST_MS << (failures - 1);
    return ms < LONGEST_MS ? ms : LONGEST_MS;
}
