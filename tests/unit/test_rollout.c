#include "supervisor/core/rollout.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* What every cell must answer: the next state, or "-" for refused. Written from the life of a rollout as
 * people know it, not from the table. */
struct row {
    enum rollout_state state;
    const char *next[ROLLOUT_EVENTS];
};

#define ROW(state_, start, ready, verified, serving, shifted, soaked, failed, rollback, replace, lost, gone, \
            nothing, retry, stop, all_gone)                                                                  \
    {                                                                                                        \
        ROLLOUT_##state_,                                                                                    \
        {                                                                                                    \
            [ROLLOUT_EV_START] = start, [ROLLOUT_EV_READY] = ready, [ROLLOUT_EV_VERIFIED] = verified,        \
            [ROLLOUT_EV_SERVING] = serving, [ROLLOUT_EV_SHIFTED] = shifted, [ROLLOUT_EV_SOAKED] = soaked,    \
            [ROLLOUT_EV_CANDIDATE_FAILED] = failed, [ROLLOUT_EV_ROLLBACK] = rollback,                        \
            [ROLLOUT_EV_REPLACE] = replace, [ROLLOUT_EV_STABLE_LOST] = lost,                                 \
            [ROLLOUT_EV_CANDIDATE_GONE] = gone, [ROLLOUT_EV_NOTHING_LEFT] = nothing,                         \
            [ROLLOUT_EV_RETRY] = retry, [ROLLOUT_EV_STOP] = stop, [ROLLOUT_EV_ALL_GONE] = all_gone           \
        }                                                                                                    \
    }

/* clang-format off */
static const struct row expected[ROLLOUT_STATES] = {
    /*             start       ready        verified   serving     shifted    soaked    failed       rollback     replace      lost         gone      nothing   retry       stop        all gone */
    ROW(EMPTY,     "starting", "-",         "-",       "-",        "-",       "-",      "-",         "-",         "-",         "-",         "-",      "-",      "-",        "stopping", "-"),
    ROW(STEADY,    "starting", "-",         "-",       "-",        "-",       "-",      "-",         "-",         "-",         "steady",    "-",      "-",      "-",        "stopping", "-"),
    ROW(STARTING,  "-",        "verifying", "-",       "-",        "-",       "-",      "reverting", "reverting", "reverting", "starting",  "-",      "-",      "-",        "stopping", "-"),
    ROW(VERIFYING, "-",        "-",         "handoff", "-",        "-",       "-",      "reverting", "reverting", "reverting", "verifying", "-",      "-",      "-",        "stopping", "-"),
    ROW(HANDOFF,   "-",        "-",         "-",       "shifting", "-",       "-",      "reverting", "reverting", "reverting", "handoff",   "-",      "-",      "-",        "stopping", "-"),
    ROW(SHIFTING,  "-",        "-",         "-",       "-",        "soaking", "-",      "reverting", "reverting", "reverting", "steady",    "-",      "-",      "-",        "stopping", "-"),
    ROW(SOAKING,   "-",        "-",         "-",       "-",        "-",       "steady", "reverting", "reverting", "steady",    "steady",    "-",      "-",      "-",        "stopping", "-"),
    ROW(REVERTING, "-",        "reverting", "reverting","reverting","-",      "-",      "reverting", "reverting", "reverting", "reverting", "steady", "failed", "-",        "stopping", "-"),
    ROW(FAILED,    "starting", "-",         "-",       "-",        "-",       "-",      "-",         "-",         "-",         "-",         "-",      "-",      "starting", "stopping", "-"),
    ROW(STOPPING,  "-",        "stopping",  "stopping","stopping", "-",       "-",      "stopping",  "-",         "-",         "stopping",  "-",      "-",      "-",        "stopping", "stopped"),
    ROW(STOPPED,   "-",        "-",         "-",       "-",        "-",       "-",      "-",         "-",         "-",         "-",         "-",      "-",      "-",        "stopped",  "stopped"),
};
/* clang-format on */

static void every_cell_leads_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATES; s++) {
        assert_int_equal(expected[s].state, s);
        for (int e = 0; e < ROLLOUT_EVENTS; e++) {
            struct rollout_step step = rollout_step((enum rollout_state)s, (enum rollout_event)e);
            const char *next = step.listed ? rollout_state_name(step.next) : "-";

            if (strcmp(next, expected[s].next[e]) != 0)
                fail_msg("%s x %s: %s, expected %s", rollout_state_name((enum rollout_state)s),
                         rollout_event_name((enum rollout_event)e), next, expected[s].next[e]);
            if (!step.listed) {
                assert_int_equal(step.next, s);
                assert_int_equal(step.actions, 0);
            }
        }
    }
}

/* Run a line of events from `from`; the actions met on the way. */
static unsigned walk(enum rollout_state from, const enum rollout_event *events, size_t count,
                     enum rollout_state *end)
{
    unsigned actions = 0;

    *end = from;
    for (size_t i = 0; i < count; i++) {
        struct rollout_step step = rollout_step(*end, events[i]);
        assert_true(step.listed);
        actions |= step.actions;
        *end = step.next;
    }
    return actions;
}

static const enum rollout_event success[] = {
    ROLLOUT_EV_START,   ROLLOUT_EV_READY,   ROLLOUT_EV_VERIFIED,
    ROLLOUT_EV_SERVING, ROLLOUT_EV_SHIFTED, ROLLOUT_EV_SOAKED,
};
enum { SUCCESS = sizeof success / sizeof *success };

static void a_good_candidate_is_committed(void **state)
{
    enum rollout_state end;
    unsigned actions = walk(ROLLOUT_STEADY, success, SUCCESS, &end);

    (void)state;
    assert_int_equal(end, ROLLOUT_STEADY);
    assert_int_equal(actions, ROLLOUT_DO_START | ROLLOUT_DO_VERIFY | ROLLOUT_DO_ENLIST | ROLLOUT_DO_SHIFT |
                                  ROLLOUT_DO_SOAK | ROLLOUT_DO_COMMIT | ROLLOUT_DO_REMEMBERED);
}

static void a_candidate_that_fails_at_any_step_is_abandoned_and_the_old_one_serves(void **state)
{
    (void)state;
    for (size_t n = 1; n < SUCCESS; n++) {
        const enum rollout_event failure[] = { ROLLOUT_EV_CANDIDATE_FAILED, ROLLOUT_EV_CANDIDATE_GONE };
        enum rollout_state end;
        unsigned before = walk(ROLLOUT_STEADY, success, n, &end);

        assert_int_equal(before & ROLLOUT_DO_COMMIT, 0);
        assert_true(rollout_running(end));
        assert_int_equal(walk(end, failure, 2, &end),
                         ROLLOUT_DO_ABANDON | ROLLOUT_DO_TELL_REVERTED | ROLLOUT_DO_REMEMBERED);
        assert_int_equal(end, ROLLOUT_STEADY);
    }
}

static void a_first_generation_that_fails_is_tried_again(void **state)
{
    const enum rollout_event events[] = { ROLLOUT_EV_START, ROLLOUT_EV_CANDIDATE_FAILED,
                                          ROLLOUT_EV_NOTHING_LEFT, ROLLOUT_EV_RETRY };
    enum rollout_state end;
    unsigned actions = walk(ROLLOUT_EMPTY, events, 4, &end);

    (void)state;
    assert_int_equal(end, ROLLOUT_STARTING);
    assert_true(actions & ROLLOUT_DO_RETRY_LATER);
    assert_true(actions & ROLLOUT_DO_TELL_FAILED);
    assert_false(actions & ROLLOUT_DO_TELL_REVERTED);
}

static void listeners_are_given_only_after_verification(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATES; s++) {
        for (int e = 0; e < ROLLOUT_EVENTS; e++) {
            struct rollout_step step = rollout_step((enum rollout_state)s, (enum rollout_event)e);
            if (step.actions & ROLLOUT_DO_ENLIST) {
                assert_int_equal(s, ROLLOUT_VERIFYING);
                assert_int_equal(e, ROLLOUT_EV_VERIFIED);
            }
            if (step.actions & ROLLOUT_DO_COMMIT) /* only what has served is committed */
                assert_true(s == ROLLOUT_SHIFTING || s == ROLLOUT_SOAKING);
        }
    }
}

static void stop_ends_every_state(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATES; s++) {
        const enum rollout_event events[] = { ROLLOUT_EV_STOP, ROLLOUT_EV_ALL_GONE };
        enum rollout_state end;

        walk((enum rollout_state)s, events, 2, &end);
        assert_int_equal(end, ROLLOUT_STOPPED);
    }
}

static void a_second_start_is_refused_while_one_runs(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATES; s++) {
        struct rollout_step step = rollout_step((enum rollout_state)s, ROLLOUT_EV_START);
        if (rollout_running((enum rollout_state)s))
            assert_false(step.listed);
    }
    assert_false(rollout_running(ROLLOUT_STEADY));
    assert_true(rollout_running(ROLLOUT_REVERTING));
}

static void names_can_be_read_back(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATES; s++)
        assert_int_equal(rollout_state_parse(rollout_state_name((enum rollout_state)s)), s);
    for (int e = 0; e < ROLLOUT_EVENTS; e++)
        assert_non_null(rollout_event_name((enum rollout_event)e));
    assert_int_equal(rollout_state_parse("no such state"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_leads_where_it_should),
        cmocka_unit_test(a_good_candidate_is_committed),
        cmocka_unit_test(a_candidate_that_fails_at_any_step_is_abandoned_and_the_old_one_serves),
        cmocka_unit_test(a_first_generation_that_fails_is_tried_again),
        cmocka_unit_test(listeners_are_given_only_after_verification),
        cmocka_unit_test(stop_ends_every_state),
        cmocka_unit_test(a_second_start_is_refused_while_one_runs),
        cmocka_unit_test(names_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
