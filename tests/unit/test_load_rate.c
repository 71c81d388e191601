#include "tests/bench/load_rate.h"

#include "tests/bench/load_clock.h"
#include "tests/unit/unit.h"

static const uint64_t start_ns = 12345678901;

static struct load_rate rate_of(unsigned per_second)
{
    struct load_rate rate;

    load_rate_init(&rate, per_second, start_ns);
    return rate;
}

static void requests_are_due_without_drift(void **state)
{
    struct load_rate rate = rate_of(3);

    (void)state;
    assert_int_equal(load_rate_due_ns(&rate, 0), start_ns);
    assert_int_equal(load_rate_due_ns(&rate, 1), start_ns + 333333333);
    assert_int_equal(load_rate_due_ns(&rate, 3), start_ns + LOAD_NS_PER_S);
    assert_int_equal(load_rate_due_ns(&rate, 3 * 86400 * 1000ULL),
                     start_ns + 86400 * 1000ULL * LOAD_NS_PER_S);
}

static void a_request_is_due_at_its_time_and_not_before(void **state)
{
    static const unsigned rates[] = { 1, 3, 7, 1000, 999983, 1000000 };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct load_rate rate = rate_of(rates[i]);

        assert_int_equal(load_rate_backlog(&rate, start_ns), 1);
        for (uint64_t index = 1; index < 3000; index = index * 3 + 1) {
            uint64_t due_ns = load_rate_due_ns(&rate, index);
            assert_int_equal(load_rate_backlog(&rate, due_ns - 1), index);
            assert_int_equal(load_rate_backlog(&rate, due_ns), index + 1);
        }
    }
}

static void beginning_tells_when_the_request_was_due(void **state)
{
    struct load_rate rate = rate_of(1000);

    (void)state;
    assert_int_equal(load_rate_begin(&rate, start_ns), start_ns);
    assert_int_equal(load_rate_begin(&rate, start_ns + 5 * LOAD_NS_PER_MS), start_ns + LOAD_NS_PER_MS);
    assert_int_equal(rate.late_max_ns, 4 * LOAD_NS_PER_MS);
    assert_int_equal(rate.delayed, 0);
    assert_int_equal(load_rate_backlog(&rate, start_ns + 5 * LOAD_NS_PER_MS), 4);
}

static void who_waits_for_a_connection_is_counted_once_and_is_not_our_lateness(void **state)
{
    struct load_rate rate = rate_of(1000);

    (void)state;
    load_rate_begin(&rate, start_ns);
    load_rate_wait(&rate, start_ns + 2 * LOAD_NS_PER_MS, 99); /* 1 and 2 wait */
    load_rate_wait(&rate, start_ns + 4 * LOAD_NS_PER_MS, 99); /* 3 and 4 too */
    assert_int_equal(rate.delayed, 4);
    assert_int_equal(rate.backlog_max, 4);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(load_rate_begin(&rate, start_ns + 9 * LOAD_NS_PER_MS),
                         start_ns + i * LOAD_NS_PER_MS);
    assert_int_equal(rate.late_max_ns, 0);
    load_rate_begin(&rate, start_ns + 9 * LOAD_NS_PER_MS); /* 5 had not to wait: we were late */
    assert_int_equal(rate.late_max_ns, 4 * LOAD_NS_PER_MS);
    load_rate_wait(&rate, start_ns + 9 * LOAD_NS_PER_MS, 99);
    assert_int_equal(rate.delayed, 8);
    assert_int_equal(rate.backlog_max, 4);
    load_rate_wait(&rate, start_ns + 99 * LOAD_NS_PER_MS, 5); /* 6 to 10, then the run is over */
    assert_int_equal(rate.delayed, 9);
    assert_int_equal(rate.backlog_max, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_due_without_drift),
        cmocka_unit_test(a_request_is_due_at_its_time_and_not_before),
        cmocka_unit_test(beginning_tells_when_the_request_was_due),
        cmocka_unit_test(who_waits_for_a_connection_is_counted_once_and_is_not_our_lateness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
