#include "proto/control_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct control_line line;

static void assert_line(const char *expected)
{
    char *text;
    size_t length;

    assert_int_equal(control_line_take(&line, &text, &length), 0);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void assert_outcome(int outcome)
{
    char *text = NULL;
    size_t length = 7;

    assert_int_equal(control_line_take(&line, &text, &length), outcome);
    assert_null(text);
    assert_int_equal(length, 7);
}

static void lines_come_out_whole_however_they_came_in(void **state)
{
    static const char bytes[] = "baton 1\n\n{\"verb\":\"status\"}\nrest";

    (void)state;
    assert_outcome(CONTROL_LINE_NONE);
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        size_t lines = 0;

        for (size_t at = 0; at < sizeof bytes - 1; at += piece) {
            size_t left = sizeof bytes - 1 - at;
            char *text;
            size_t length;

            assert_int_equal(control_line_feed(&line, bytes + at, left < piece ? left : piece), 0);
            while (control_line_take(&line, &text, &length) == 0) {
                static const char *const expected[] = { "baton 1", "", "{\"verb\":\"status\"}" };

                assert_true(lines < 3);
                assert_string_equal(text, expected[lines++]);
                assert_int_equal(length, strlen(text));
            }
        }
        assert_int_equal(lines, 3);
        assert_int_equal(control_line_feed(&line, "\n", 1), 0);
        assert_line("rest");
        control_line_clear(&line);
    }
}

static void lines_that_were_not_taken_wait(void **state)
{
    (void)state;
    assert_int_equal(control_line_feed(&line, "a\nb\n", 4), 0);
    assert_line("a");
    assert_int_equal(control_line_feed(&line, "c\nd", 3), 0);
    assert_line("b");
    assert_line("c");
    assert_outcome(CONTROL_LINE_NONE);
    control_line_clear(&line);
}

static void a_line_ends_at_one_mebibyte(void **state)
{
    char *bytes = malloc(CONTROL_LINE_MAX_BYTES + 2);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', CONTROL_LINE_MAX_BYTES + 2);
    for (size_t piece = 1000; piece <= CONTROL_LINE_MAX_BYTES; piece += CONTROL_LINE_MAX_BYTES - 1000) {
        for (size_t fed = 0; fed < CONTROL_LINE_MAX_BYTES; fed += piece) {
            size_t left = CONTROL_LINE_MAX_BYTES - fed;

            assert_int_equal(control_line_feed(&line, bytes, left < piece ? left : piece), 0);
            assert_outcome(CONTROL_LINE_NONE);
        }
        assert_int_equal(control_line_feed(&line, "\n", 1), 0);
        bytes[CONTROL_LINE_MAX_BYTES] = '\0';
        assert_line(bytes);
        bytes[CONTROL_LINE_MAX_BYTES] = 'x';
        control_line_clear(&line);
    }
    assert_int_equal(control_line_feed(&line, bytes, CONTROL_LINE_MAX_BYTES + 1), 0);
    assert_outcome(-EMSGSIZE);
    control_line_clear(&line);
    bytes[CONTROL_LINE_MAX_BYTES + 1] = '\n'; /* whole, and still too long */
    assert_int_equal(control_line_feed(&line, bytes, CONTROL_LINE_MAX_BYTES + 2), 0);
    assert_outcome(-EMSGSIZE);
    control_line_clear(&line);
    free(bytes);
}

static void a_nul_inside_is_refused(void **state)
{
    (void)state;
    assert_int_equal(control_line_feed(&line, "a\0b\n", 4), 0);
    assert_outcome(-EBADMSG);
    control_line_clear(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_whole_however_they_came_in),
        cmocka_unit_test(lines_that_were_not_taken_wait),
        cmocka_unit_test(a_line_ends_at_one_mebibyte),
        cmocka_unit_test(a_nul_inside_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
