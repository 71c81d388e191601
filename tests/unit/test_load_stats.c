#include "tests/bench/load_stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/load_clock.h"
#include "tests/unit/unit.h"

static const uint64_t start_ns = 5000000000;

static uint64_t at(uint64_t ms)
{
    return start_ns + ms * LOAD_NS_PER_MS;
}

static void outcomes_are_booked_by_phase_and_mode(void **state)
{
    struct load_stats stats;
    struct load_cell cell = { 0 }, all = { 0 };

    (void)state;
    load_stats_init(&stats, "steady", start_ns);
    assert_int_equal(load_stats_mode(&stats, "short"), 0);
    assert_int_equal(load_stats_mode(&stats, "rate"), 1);
    load_stats_record(&stats, 0, LOAD_SUCCESS, 10, at(1));
    load_stats_record(&stats, 1, LOAD_REFUSED, 0, at(2));
    assert_int_equal(load_stats_mark(&stats, "upgrade", at(3)), 0);
    load_stats_record(&stats, 1, LOAD_SUCCESS, 30, at(4));
    load_stats_race(&stats, 1);
    assert_int_equal(load_stats_mark(&stats, "steady", at(5)), 0);
    load_stats_record(&stats, 0, LOAD_SUCCESS, 20, at(6));

    load_stats_sum(&stats, 0, 0, &cell);
    assert_int_equal(cell.outcomes[LOAD_SUCCESS], 2);
    assert_int_equal(cell.latency_ns.max, 20);
    assert_int_equal(load_cell_failures(&cell), 0);
    load_stats_sum(&stats, -1, -1, &all);
    assert_int_equal(all.outcomes[LOAD_SUCCESS], 3);
    assert_int_equal(all.outcomes[LOAD_REFUSED], 1);
    assert_int_equal(all.races, 1);
    assert_int_equal(load_cell_failures(&all), 1);
    assert_int_equal(all.latency_ns.count, 3);
    assert_int_equal(stats.phase_count, 2);
    assert_int_equal(stats.mark_count, 3);
    assert_int_equal(stats.marks[2].phase, 0);
    assert_int_equal(stats.marks[2].at_ns, 5 * LOAD_NS_PER_MS);
    load_stats_free(&stats);
}

static void the_longest_gap_counts_from_success_to_success(void **state)
{
    struct load_stats stats;

    (void)state;
    load_stats_init(&stats, "steady", start_ns);
    load_stats_mode(&stats, "short");
    load_stats_record(&stats, 0, LOAD_SUCCESS, 1, at(10));
    load_stats_record(&stats, 0, LOAD_REFUSED, 1, at(20));
    load_stats_record(&stats, 0, LOAD_SUCCESS, 1, at(40));
    assert_int_equal(load_stats_gap(&stats).length_ns, 30 * LOAD_NS_PER_MS);
    assert_int_equal(load_stats_gap(&stats).begin_ns, 10 * LOAD_NS_PER_MS);
    load_stats_mark(&stats, "upgrade", at(45));
    load_stats_record(&stats, 0, LOAD_SUCCESS, 1, at(60));
    assert_int_equal(stats.phases[1].gap.length_ns, 20 * LOAD_NS_PER_MS);
    assert_int_equal(load_stats_gap(&stats).length_ns, 30 * LOAD_NS_PER_MS);
    load_stats_end_of_load(&stats, at(100));
    assert_int_equal(load_stats_gap(&stats).length_ns, 40 * LOAD_NS_PER_MS);
    load_stats_record(&stats, 0, LOAD_SUCCESS, 1, at(500)); /* it was in flight at the end */
    assert_int_equal(load_stats_gap(&stats).length_ns, 40 * LOAD_NS_PER_MS);
    load_stats_free(&stats);
}

static void too_many_phases_marks_or_modes_are_refused_and_change_nothing(void **state)
{
    struct load_stats stats;
    char name[16];

    (void)state;
    load_stats_init(&stats, "0", start_ns);
    for (unsigned i = 1; i < LOAD_STATS_PHASES; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(load_stats_mark(&stats, name, at(i)), 0);
    }
    assert_int_equal(load_stats_mark(&stats, "one more", at(50)), -E2BIG);
    assert_int_equal(stats.phase, LOAD_STATS_PHASES - 1);
    while (stats.mark_count < LOAD_STATS_MARKS)
        assert_int_equal(load_stats_mark(&stats, "3", at(60)), 0);
    assert_int_equal(load_stats_mark(&stats, "4", at(70)), -E2BIG);
    assert_int_equal(stats.phase, 3);
    for (unsigned i = 0; i < LOAD_STATS_MODES; i++)
        assert_int_equal(load_stats_mode(&stats, "mode"), i);
    assert_int_equal(load_stats_mode(&stats, "mode"), -E2BIG);
    load_stats_free(&stats);
}

static void the_first_failures_are_kept_in_words(void **state)
{
    struct load_stats stats;

    (void)state;
    load_stats_init(&stats, "steady", start_ns);
    load_stats_mode(&stats, "short");
    for (unsigned i = 0; i < 2 * LOAD_STATS_EXAMPLES; i++)
        load_stats_example(&stats, 0, LOAD_RESET_BEFORE, "a reset", at(i));
    assert_int_equal(stats.example_count, LOAD_STATS_EXAMPLES);
    assert_string_equal(stats.examples[3], "3.0 ms, short: reset before the answer: a reset");
    load_stats_free(&stats);
}

static void every_outcome_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LOAD_OUTCOMES; i++) {
        assert_non_null(load_outcome_text(i));
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(load_outcome_key(i), load_outcome_key(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_booked_by_phase_and_mode),
        cmocka_unit_test(the_longest_gap_counts_from_success_to_success),
        cmocka_unit_test(too_many_phases_marks_or_modes_are_refused_and_change_nothing),
        cmocka_unit_test(the_first_failures_are_kept_in_words),
        cmocka_unit_test(every_outcome_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
