#include "supervisor/core/spelling.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static void distances_count_mistakes(void **state)
{
    (void)state;
    assert_int_equal(spelling_distance("ready", "ready"), 0);
    assert_int_equal(spelling_distance("redy", "ready"), 1);
    assert_int_equal(spelling_distance("raedy", "ready"), 1); /* neighbours swapped */
    assert_int_equal(spelling_distance("xeady", "ready"), 1);
    assert_int_equal(spelling_distance("readyy", "ready"), 1);
    assert_int_equal(spelling_distance("", "abc"), 3);
    assert_int_equal(spelling_distance("abc", "cab"), 2);
}

static void long_texts_have_no_neighbours(void **state)
{
    char longest[64], longer[65];

    (void)state;
    memset(longest, 'a', 63);
    longest[63] = '\0';
    memset(longer, 'a', 64);
    longer[64] = '\0';
    assert_int_equal(spelling_distance(longest, longest), 0);
    assert_int_equal(spelling_distance(longer, longest), SIZE_MAX);
    assert_int_equal(spelling_distance(longest, longer), SIZE_MAX);
}

static void the_nearest_candidate_is_kept(void **state)
{
    struct spelling spelling = { 0 };

    (void)state;
    assert_true(spelling_offer(&spelling, "redy", "ready"));
    assert_false(spelling_offer(&spelling, "redy", "user"));
    assert_string_equal(spelling.best, "ready");
    assert_true(spelling_offer(&spelling, "redy", "redy"));
    assert_string_equal(spelling.best, "redy");
}

static void another_word_is_no_mistake(void **state)
{
    struct spelling spelling = { 0 };

    (void)state;
    assert_false(spelling_offer(&spelling, "abc", "xyz"));
    assert_false(spelling_offer(&spelling, "ab", "cd"));
    assert_false(spelling_offer(&spelling, "", "a"));
    assert_null(spelling.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(distances_count_mistakes),
        GUARDED(long_texts_have_no_neighbours),
        GUARDED(the_nearest_candidate_is_kept),
        GUARDED(another_word_is_no_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
