#include "tests/bench/histogram.h"

#include "tests/unit/unit.h"

static const uint64_t largest = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;

static void a_quantile_is_less_than_one_percent_away(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < largest; value += value / 97 + 1) {
        struct histogram histogram = { 0 };

        histogram_record(&histogram, 0);
        histogram_record(&histogram, value);
        histogram_record(&histogram, largest);
        uint64_t found = histogram_quantile(&histogram, 50000);
        uint64_t away = found > value ? found - value : value - found;
        if (away * 125 > value)
            fail_msg("%llu became %llu", (unsigned long long)value, (unsigned long long)found);
    }
}

static void quantiles_count_from_the_smallest_value(void **state)
{
    struct histogram histogram = { 0 };

    (void)state;
    for (uint64_t value = 100; value >= 1; value--) /* small enough to be exact */
        histogram_record(&histogram, value);
    assert_int_equal(histogram_quantile(&histogram, 1), 1);
    assert_int_equal(histogram_quantile(&histogram, 1000), 1);
    assert_int_equal(histogram_quantile(&histogram, 1001), 2);
    assert_int_equal(histogram_quantile(&histogram, 50000), 50);
    assert_int_equal(histogram_quantile(&histogram, 99000), 99);
    assert_int_equal(histogram_quantile(&histogram, 99001), 100);
    assert_int_equal(histogram_quantile(&histogram, 100000), 100);
}

static void one_slow_request_in_a_thousand_is_the_maximum_and_not_p999(void **state)
{
    struct histogram histogram = { 0 };

    (void)state;
    for (int i = 0; i < 999; i++)
        histogram_record(&histogram, 10);
    histogram_record(&histogram, 123456789);
    assert_int_equal(histogram_quantile(&histogram, 99900), 10);
    assert_int_equal(histogram_quantile(&histogram, 99901), 123456789);
    assert_int_equal(histogram.max, 123456789);
    assert_int_equal(histogram.min, 10);
}

static void an_empty_histogram_has_quantile_zero(void **state)
{
    struct histogram histogram = { 0 };

    (void)state;
    assert_int_equal(histogram_quantile(&histogram, 50000), 0);
    assert_int_equal(histogram_quantile(&histogram, 100000), 0);
}

static void what_is_too_large_is_counted_and_the_maximum_stays_exact(void **state)
{
    struct histogram histogram = { 0 };

    (void)state;
    histogram_record(&histogram, 7);
    histogram_record(&histogram, UINT64_MAX);
    assert_int_equal(histogram.count, 2);
    assert_true(histogram_quantile(&histogram, 100000) == UINT64_MAX);
    assert_int_equal(histogram_quantile(&histogram, 50000), 7);
}

static void merging_is_the_same_as_recording_everything_in_one(void **state)
{
    struct histogram all = { 0 }, odd = { 0 }, even = { 0 }, empty = { 0 };

    (void)state;
    for (uint64_t i = 0, value = 3; i < 1000; i++, value = value * 7919 % 1000003) {
        histogram_record(&all, value);
        histogram_record(i % 2 ? &odd : &even, value);
    }
    histogram_merge(&odd, &empty);
    histogram_merge(&odd, &even);
    assert_memory_equal(&odd, &all, sizeof all);
    histogram_merge(&empty, &all);
    assert_memory_equal(&empty, &all, sizeof all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_is_less_than_one_percent_away),
        cmocka_unit_test(quantiles_count_from_the_smallest_value),
        cmocka_unit_test(one_slow_request_in_a_thousand_is_the_maximum_and_not_p999),
        cmocka_unit_test(an_empty_histogram_has_quantile_zero),
        cmocka_unit_test(what_is_too_large_is_counted_and_the_maximum_stays_exact),
        cmocka_unit_test(merging_is_the_same_as_recording_everything_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
