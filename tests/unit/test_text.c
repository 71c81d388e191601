#include "proto/text.h"

#include <string.h>

#include "tests/unit/unit.h"

static void names_are_short_and_plain(void **state)
{
    static const char *const bad[] = { "", "a b", "a/b", "a:b", "caf\xc3\xa9", "a\n", "[" };
    char name[TEXT_NAME_BYTES + 1];

    (void)state;
    assert_true(text_is_name("w"));
    assert_true(text_is_name("Web-1_a.b"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (text_is_name(bad[i]))
            fail_msg("accepted: \"%s\"", bad[i]);
    memset(name, 'a', sizeof name);
    name[63] = '\0';
    assert_true(text_is_name(name));
    name[63] = 'a';
    name[64] = '\0';
    assert_false(text_is_name(name));
}

static const char *const bad_characters[] = {
    "\n",
    "\t",
    "\x1b[31m",
    "\x7f",
    "\xc2\x80",
    "\xc2\x9f",
    "\x80",
    "\xff",
    "\xc3",
    "\xc3(",
    "\xe2\x82",
    "\xc0\xaf",
    "\xe0\x80\xaf",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xf0\x8f\xbf\xbf",
    "\xf8\x88\x80\x80",
};

static void sentences_are_utf8_without_control_characters(void **state)
{
    (void)state;
    assert_true(text_is_sentence(""));
    assert_true(text_is_sentence("cannot open /var/lib/blog/blog.db: Permission denied"));
    assert_true(
        text_is_sentence("\xc2\xa0 \xc3\xa9 \xe2\x82\xac \xed\x9f\xbf \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf"));
    for (size_t i = 0; i < sizeof bad_characters / sizeof *bad_characters; i++)
        if (text_is_sentence(bad_characters[i]))
            fail_msg("accepted: number %zu", i);
}

static void sentences_end_at_200_bytes(void **state)
{
    char text[TEXT_BYTES + 1];

    (void)state;
    memset(text, 'a', sizeof text);
    text[200] = '\0';
    assert_true(text_is_sentence(text));
    text[200] = 'a';
    text[201] = '\0';
    assert_false(text_is_sentence(text));
    memcpy(text + 199, "\xc3\xa9", 2); /* the last character would end at byte 201 */
    assert_false(text_is_sentence(text));
}

static void cleaning_makes_a_sentence_of_anything(void **state)
{
    char out[TEXT_BYTES];

    (void)state;
    text_clean(out, NULL);
    assert_string_equal(out, "");
    text_clean(out, "line one\nline \xc3\xa9 two\xff");
    assert_string_equal(out, "line one?line \xc3\xa9 two?");
    for (size_t i = 0; i < sizeof bad_characters / sizeof *bad_characters; i++) {
        text_clean(out, bad_characters[i]);
        assert_true(text_is_sentence(out));
        assert_int_equal(out[0], '?');
    }
}

static void cleaning_never_cuts_a_character(void **state)
{
    char text[300], out[TEXT_BYTES];

    (void)state;
    for (size_t before = 190; before <= 201; before++) {
        memset(text, 'a', sizeof text);
        memcpy(text + before, "\xf0\x9f\x98\x80", 5);
        text_clean(out, text);
        assert_true(text_is_sentence(out));
        assert_int_equal(strlen(out), before <= 196 ? before + 4 : before <= 200 ? before : 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_short_and_plain),
        cmocka_unit_test(sentences_are_utf8_without_control_characters),
        cmocka_unit_test(sentences_end_at_200_bytes),
        cmocka_unit_test(cleaning_makes_a_sentence_of_anything),
        cmocka_unit_test(cleaning_never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
