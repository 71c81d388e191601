#include "supervisor/core/escape.h"

#include <string.h>

#include "tests/unit/unit.h"

static void assert_escaped(const char *text, const char *special, const char *expected)
{
    char out[64];

    assert_int_equal(escape_text(text, special, out, sizeof out), strlen(expected));
    assert_string_equal(out, expected);
}

static void printable_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_escaped("", "", "");
    assert_escaped("a b=\"c\"\\", "", "a b=\"c\"\\");
    assert_escaped("Grüße, 世界 🙂", "", "Grüße, 世界 🙂");
}

static void controls_and_invalid_bytes_become_visible(void **state)
{
    (void)state;
    assert_escaped("a\nb\rc\td", "", "a\\nb\\rc\\td");
    assert_escaped("\x1b[31m\x7f", "", "\\x1b[31m\\x7f");
    assert_escaped("\xc2\x9b", "", "\\xc2\\x9b"); /* a terminal's CSI as one character */
    assert_escaped("\xff\xc3", "", "\\xff\\xc3");
}

static void special_characters_get_a_backslash(void **state)
{
    (void)state;
    assert_escaped("say \"no\\\"", "\"\\", "say \\\"no\\\\\\\"");
}

static void every_cut_is_between_characters_and_ends_in_an_ellipsis(void **state)
{
    static const char text[] = "aü\n🙂\x01z";
    char whole[64], out[64];
    size_t length = escape_text(text, "", whole, sizeof whole);

    (void)state;
    for (size_t bytes = 4; bytes <= length; bytes++) {
        size_t used = escape_text(text, "", out, bytes);

        assert_true(used < bytes);
        assert_int_equal(used, strlen(out));
        assert_string_equal(out + used - 3, "…");
        assert_memory_equal(out, whole, used - 3);
        char next = whole[used - 3];
        assert_true(((unsigned char)next & 0xc0) != 0x80); /* not inside a character … */
        assert_null(strchr("n1x0", next));                 /* … nor inside an escape */
    }
    assert_int_equal(escape_text(text, "", out, length + 1), length);
    assert_string_equal(out, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_text_stays_as_it_is),
        cmocka_unit_test(controls_and_invalid_bytes_become_visible),
        cmocka_unit_test(special_characters_get_a_backslash),
        cmocka_unit_test(every_cut_is_between_characters_and_ends_in_an_ellipsis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
