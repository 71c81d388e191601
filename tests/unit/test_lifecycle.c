#include "supervisor/core/lifecycle.h"

#include <string.h>

#include "tests/unit/unit.h"

/* What every cell must answer: the next state, or "-" for refused. Written from what a worker may live
 * through, not from the table. Columns in the order of the events. */
/* clang-format off */
static const char *const workers[WORKER_STATES][WORKER_EVENTS] = {
    /*                     stored      ready       enlist      serves      retire      drained     lost        timeout     hurry       exited  respawn */
    [WORKER_SPAWNING] = { "starting", "-",        "-",        "-",        "killing",  "-",        "spawning", "-",        "spawning", "gone", "-" },
    [WORKER_STARTING] = { "starting", "ready",    "-",        "-",        "stopping", "-",        "stopping", "stopping", "starting", "gone", "-" },
    [WORKER_READY]    = { "-",        "ready",    "ready",    "serving",  "draining", "-",        "draining", "draining", "ready",    "gone", "-" },
    [WORKER_SERVING]  = { "-",        "serving",  "serving",  "serving",  "draining", "serving",  "serving",  "serving",  "serving",  "gone", "-" },
    [WORKER_DRAINING] = { "-",        "draining", "draining", "draining", "draining", "stopping", "draining", "stopping", "stopping", "gone", "-" },
    [WORKER_STOPPING] = { "stopping", "stopping", "stopping", "stopping", "stopping", "stopping", "stopping", "killing",  "stopping", "gone", "-" },
    [WORKER_KILLING]  = { "killing",  "killing",  "killing",  "killing",  "killing",  "killing",  "killing",  "-",        "killing",  "gone", "-" },
    [WORKER_BACKOFF]  = { "-",        "-",        "backoff",  "-",        "gone",     "-",        "-",        "spawning", "backoff",  "-",    "-" },
    [WORKER_GONE]     = { "-",        "-",        "gone",     "-",        "gone",     "-",        "-",        "-",        "gone",     "-",    "backoff" },
};

static const char *const generations[GENERATION_STATES][GENERATION_EVENTS] = {
    /*                           all ready    enlist     all serving  failed       retire       quiesced    all gone */
    [GENERATION_STARTING]  = { "ready",     "-",       "-",         "starting",  "retiring",  "-",        "starting" },
    [GENERATION_READY]     = { "ready",     "ready",   "serving",   "ready",     "quiescing", "-",        "ready" },
    [GENERATION_SERVING]   = { "serving",   "serving", "serving",   "serving",   "quiescing", "-",        "serving" },
    [GENERATION_QUIESCING] = { "quiescing", "-",       "quiescing", "quiescing", "quiescing", "retiring", "quiescing" },
    [GENERATION_RETIRING]  = { "retiring",  "-",       "retiring",  "retiring",  "retiring",  "-",        "gone" },
    [GENERATION_GONE]      = { "-",         "-",       "-",         "-",         "gone",      "-",        "gone" },
};
/* clang-format on */

static void every_cell_of_a_worker_leads_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < WORKER_STATES; s++) {
        for (int e = 0; e < WORKER_EVENTS; e++) {
            struct worker_step step = worker_step((enum worker_state)s, (enum worker_event)e);
            const char *next = step.listed ? worker_state_name(step.next) : "-";

            if (strcmp(next, workers[s][e]) != 0)
                fail_msg("%s x %s: %s, expected %s", worker_state_name((enum worker_state)s),
                         worker_event_name((enum worker_event)e), next, workers[s][e]);
            if (!step.listed)
                assert_true(step.next == (enum worker_state)s && step.actions == 0);
        }
    }
}

static void every_cell_of_a_generation_leads_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < GENERATION_STATES; s++) {
        for (int e = 0; e < GENERATION_EVENTS; e++) {
            struct generation_step step = generation_step((enum generation_state)s, (enum generation_event)e);
            const char *next = step.listed ? generation_state_name(step.next) : "-";

            if (strcmp(next, generations[s][e]) != 0)
                fail_msg("%s x %s: %s, expected %s", generation_state_name((enum generation_state)s),
                         generation_event_name((enum generation_event)e), next, generations[s][e]);
            if (!step.listed)
                assert_true(step.next == (enum generation_state)s && step.actions == 0);
        }
    }
}

/* A living process is asked kindly, then with a signal, then killed: nothing hangs for ever. */
static void retirement_always_ends(void **state)
{
    (void)state;
    for (int s = WORKER_STARTING; s <= WORKER_KILLING; s++) {
        enum worker_state now = (enum worker_state)s;
        unsigned actions = 0;

        struct worker_step step = worker_step(now, WORKER_EV_RETIRE);
        assert_true(step.listed);
        now = step.next;
        for (int i = 0; i < 3 && now != WORKER_KILLING; i++) {
            step = worker_step(now, WORKER_EV_TIMEOUT);
            assert_true(step.listed);
            now = step.next;
            actions |= step.actions;
        }
        assert_int_equal(now, WORKER_KILLING);
        if (s != WORKER_KILLING)
            assert_true(actions & WORKER_DO_KILL);
        assert_int_equal(worker_step(now, WORKER_EV_EXITED).next, WORKER_GONE);
    }
}

static void an_exit_is_told_once_as_gone_and_as_failure_only_when_it_was_not_asked_for(void **state)
{
    (void)state;
    for (int s = 0; s < WORKER_STATES; s++) {
        struct worker_step step = worker_step((enum worker_state)s, WORKER_EV_EXITED);

        if (s == WORKER_BACKOFF || s == WORKER_GONE) {
            assert_false(step.listed); /* there is no process */
            continue;
        }
        bool asked = s == WORKER_DRAINING || s == WORKER_STOPPING || s == WORKER_KILLING;
        assert_true(step.actions & WORKER_DO_TELL_GONE);
        assert_int_equal((step.actions & WORKER_DO_TELL_FAILED) != 0, !asked);
    }
}

/* Whatever arms a timer first stops the one before; actions are carried out in the order of their bits. */
static void timers_are_disarmed_before_they_are_armed_again(void **state)
{
    const unsigned arming = WORKER_DO_DRAIN | WORKER_DO_STOP;

    (void)state;
    assert_true(WORKER_DO_DISARM < WORKER_DO_GO);
    for (int s = 0; s < WORKER_STATES; s++) {
        for (int e = 0; e < WORKER_EVENTS; e++) {
            unsigned actions = worker_step((enum worker_state)s, (enum worker_event)e).actions;
            if (actions & arming)
                assert_true(actions & WORKER_DO_DISARM);
        }
    }
}

static void back_off_grows_to_half_a_minute(void **state)
{
    (void)state;
    assert_int_equal(worker_backoff_ms(0), 0);
    assert_int_equal(worker_backoff_ms(1), 100);
    assert_int_equal(worker_backoff_ms(2), 200);
    assert_int_equal(worker_backoff_ms(9), 25600);
    assert_int_equal(worker_backoff_ms(10), 30000);
    assert_int_equal(worker_backoff_ms(1000000), 30000);
    for (unsigned i = 0; i < 100; i++)
        assert_true(worker_backoff_ms(i) <= worker_backoff_ms(i + 1));
}

static void names_can_be_read_back(void **state)
{
    (void)state;
    for (int s = 0; s < WORKER_STATES; s++)
        assert_int_equal(worker_state_parse(worker_state_name((enum worker_state)s)), s);
    for (int s = 0; s < GENERATION_STATES; s++)
        assert_int_equal(generation_state_parse(generation_state_name((enum generation_state)s)), s);
    for (int e = 0; e < WORKER_EVENTS; e++)
        assert_non_null(worker_event_name((enum worker_event)e));
    for (int e = 0; e < GENERATION_EVENTS; e++)
        assert_non_null(generation_event_name((enum generation_event)e));
    assert_int_equal(worker_state_parse(""), -1);
    assert_int_equal(generation_state_parse("draining"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_a_worker_leads_where_it_should),
        cmocka_unit_test(every_cell_of_a_generation_leads_where_it_should),
        cmocka_unit_test(retirement_always_ends),
        cmocka_unit_test(an_exit_is_told_once_as_gone_and_as_failure_only_when_it_was_not_asked_for),
        cmocka_unit_test(timers_are_disarmed_before_they_are_armed_again),
        cmocka_unit_test(back_off_grows_to_half_a_minute),
        cmocka_unit_test(names_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
