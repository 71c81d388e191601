#include "supervisor/cli/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/human.h"
#include "tests/unit/unit.h"

static const struct table_column columns[] = {
    { "NAME", TABLE_LEFT },
    { "COUNT", TABLE_RIGHT },
    { "NOTHING", TABLE_RIGHT },
    { "SAID", TABLE_LEFT },
};

static void add_row(struct table *table, const char *name, const char *count, const char *said)
{
    table_add(table, "%s", name);
    table_add(table, "%s", count);
    table_add(table, "%s", "");
    table_add(table, "%s", said);
}

/* What `print` writes; to be freed. */
static char *printed(const struct table *table, void (*print)(const struct table *table, FILE *to))
{
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    assert_non_null(to);
    print(table, to);
    fclose(to);
    return text;
}

static void print_all(const struct table *table, FILE *to)
{
    table_print(table, 2, to);
}

static void print_second(const struct table *table, FILE *to)
{
    table_print_row(table, 1, 0, to);
}

static void columns_are_aligned_and_empty_ones_left_out(void **state)
{
    struct table table;

    (void)state;
    table_open(&table, columns, 4);
    add_row(&table, "blog", "7", "fine");
    add_row(&table, "caf\xc3\xa9 au lait", "12,345", "");
    add_row(&table, "", "", "last");
    char *text = printed(&table, print_all);
    assert_string_equal(text, "  NAME           COUNT  SAID\n"
                              "  blog               7  fine\n"
                              "  caf\xc3\xa9 au lait  12,345\n"
                              "                        last\n");
    free(text);
    table_close(&table);
}

static void a_single_row_has_the_widths_of_all(void **state)
{
    struct table table;

    (void)state;
    table_open(&table, columns, 4);
    add_row(&table, "a long name", "7", "x");
    add_row(&table, "shop", "3", "y");
    char *text = printed(&table, print_second);
    assert_string_equal(text, "shop         3  y\n");
    free(text);
    table_close(&table);
}

static void a_table_without_rows_prints_nothing(void **state)
{
    struct table table;

    (void)state;
    table_open(&table, columns, 4);
    char *text = printed(&table, print_all);
    assert_string_equal(text, "");
    free(text);
    table_close(&table);
}

static void many_rows_keep_their_order_and_what_steers_a_terminal_is_replaced(void **state)
{
    static const struct table_column one[] = { { "N", TABLE_RIGHT } };
    struct table table;
    char *end;

    (void)state;
    table_open(&table, one, 1);
    table_add(&table, "\x1b[2J\xff");
    for (int i = 1; i <= 500; i++)
        table_add(&table, "%d", i);
    char *text = printed(&table, print_all), *line = text;
    assert_int_equal(strncmp(line, "      N\n  ?[2J?\n", 16), 0);
    line += 16;
    for (long i = 1; i <= 500; i++) {
        assert_int_equal(strtol(line, &end, 10), i);
        line = end;
    }
    assert_string_equal(line, "\n");
    free(text);
    table_close(&table);
}

static void assert_count(uint64_t count, const char *expected)
{
    char text[HUMAN_BYTES];

    human_count(count, text);
    assert_string_equal(text, expected);
}

static void counts_have_separators(void **state)
{
    (void)state;
    assert_count(0, "0");
    assert_count(999, "999");
    assert_count(1000, "1,000");
    assert_count(12345, "12,345");
    assert_count(123456, "123,456");
    assert_count(UINT64_MAX, "18,446,744,073,709,551,615");
}

static void assert_duration(double seconds, const char *expected)
{
    char text[HUMAN_BYTES];

    human_duration(seconds, text);
    assert_string_equal(text, expected);
}

static void durations_have_one_or_two_units(void **state)
{
    (void)state;
    assert_duration(-3, "0 ms");
    assert_duration(0, "0 ms");
    assert_duration(0.0964, "96 ms");
    assert_duration(0.9994, "999 ms");
    assert_duration(0.9996, "1.0 s");
    assert_duration(1.84, "1.8 s");
    assert_duration(9.94, "9.9 s");
    assert_duration(9.96, "9 s");
    assert_duration(47.9, "47 s");
    assert_duration(60, "1 min");
    assert_duration(132, "2 min 12 s");
    assert_duration(3600, "1 h");
    assert_duration(11100, "3 h 5 min");
    assert_duration(86399, "23 h 59 min");
    assert_duration(3 * 86400 + 4 * 3600 + 59 * 60, "3 d 4 h");
    assert_duration(3 * 86400 + 59, "3 d");
    assert_duration(1e300, "115740 d 17 h");
}

static void moments_of_another_day_have_a_date(void **state)
{
    char text[HUMAN_BYTES];
    double noon = 1764072000.25; /* 2025-11-25 12:00:00 UTC */

    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    human_moment(noon, noon + 3600, text);
    assert_string_equal(text, "12:00:00");
    human_moment(noon, noon + 12 * 3600, text);
    assert_string_equal(text, "2025-11-25 12:00:00");
    human_moment(noon, noon - 365 * 86400.0, text);
    assert_string_equal(text, "2025-11-25 12:00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_and_empty_ones_left_out),
        cmocka_unit_test(a_single_row_has_the_widths_of_all),
        cmocka_unit_test(a_table_without_rows_prints_nothing),
        cmocka_unit_test(many_rows_keep_their_order_and_what_steers_a_terminal_is_replaced),
        cmocka_unit_test(counts_have_separators),
        cmocka_unit_test(durations_have_one_or_two_units),
        cmocka_unit_test(moments_of_another_day_have_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
