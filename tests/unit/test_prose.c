#include "supervisor/prose.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/jsonline.h"
#include "tests/unit/unit.h"

static void assert_clean(const char *text, const char *expected)
{
    char copy[256];

    strcpy(copy, text);
    prose_clean(copy);
    assert_string_equal(copy, expected);
}

static void newlines_and_tabs_stay_and_nothing_else_that_steers(void **state)
{
    (void)state;
    assert_clean("", "");
    assert_clean("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n\ttab",
                 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n\ttab");
    assert_clean("\x1b[2J\r\x7f", "?[2J??");
    assert_clean("\xff a\xc3", "? a?");
    assert_clean("\xc2\x9b"
                 "31m",
                 "??31m"); /* CSI in one character */
    assert_clean("\xed\xa0\x80", "???");
}

static void cutting_leaves_whole_characters_and_says_so(void **state)
{
    char text[64];

    (void)state;
    for (size_t bytes = 3; bytes < 20; bytes++) {
        strcpy(text, "caf\xc3\xa9 \xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
        size_t before = strlen(text);

        prose_cut(text, bytes);
        assert_true(strlen(text) <= bytes);
        char copy[64];
        strcpy(copy, text);
        prose_clean(copy);
        assert_string_equal(copy, text);
        if (bytes >= before)
            assert_int_equal(strlen(text), before);
        else
            assert_string_equal(text + strlen(text) - 3, "…");
    }
}

static void columns_are_characters(void **state)
{
    (void)state;
    assert_int_equal(prose_columns(""), 0);
    assert_int_equal(prose_columns("caf\xc3\xa9 \xe2\x82\xac"), 6);
}

static void assert_printed(const char *text, size_t indent, const char *expected)
{
    char *printed = NULL;
    size_t bytes;
    FILE *to = open_memstream(&printed, &bytes);

    prose_print(text, indent, to);
    fclose(to);
    assert_string_equal(printed, expected);
    free(printed);
}

static void further_lines_stand_below_the_first(void **state)
{
    (void)state;
    assert_printed("", 4, "\n");
    assert_printed("one", 4, "one\n");
    assert_printed("one\n\ntwo\x1b\n", 4, "one\n    two?\n");
    assert_printed("one\ntwo", 0, "one\ntwo\n");
}

static void any_text_is_a_json_string(void **state)
{
    json_t *string = jsonline_text("it said \xff"), *empty = jsonline_text(""), *none = jsonline_text(NULL);

    (void)state;
    assert_string_equal(json_string_value(string), "it said ?");
    assert_string_equal(json_string_value(empty), "");
    assert_true(json_is_null(none));
    json_decref(string);
    json_decref(empty);
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newlines_and_tabs_stay_and_nothing_else_that_steers),
        cmocka_unit_test(cutting_leaves_whole_characters_and_says_so),
        cmocka_unit_test(columns_are_characters),
        cmocka_unit_test(further_lines_stand_below_the_first),
        cmocka_unit_test(any_text_is_a_json_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
