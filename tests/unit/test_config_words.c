#include "supervisor/core/config_words.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* `text` splits into the words of `expected` (NULL-terminated). */
static void assert_words(const char *text, const char *const *expected)
{
    const char *why = NULL;
    char **words;
    size_t i = 0;

    if (config_words_split(text, &words, &why) != 0)
        fail_msg("%s: %s", text, why);
    for (; expected[i] && words[i]; i++)
        assert_string_equal(words[i], expected[i]);
    assert_null(expected[i]);
    assert_null(words[i]);
    config_words_free(words);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void plain_words_are_split_at_blanks(void **state)
{
    (void)state;
    assert_words("a b\t c  ", WORDS("a", "b", "c"));
    assert_words("", WORDS(NULL));
    assert_words(" \t ", WORDS(NULL));
    assert_words("a;b # c", WORDS("a;b", "#", "c"));
}

static void quotes_are_the_shells(void **state)
{
    (void)state;
    assert_words("sh -c 'a  b'", WORDS("sh", "-c", "a  b"));
    assert_words("sh -c \"a ; b\"", WORDS("sh", "-c", "a ; b"));
    assert_words("'' \"\"", WORDS("", ""));
    assert_words("a'b'\"c\"d", WORDS("abcd"));
    assert_words("'a\\b' 'a\"b' \"a'b\"", WORDS("a\\b", "a\"b", "a'b"));
    assert_words("\"a\\\"b\\\\c\\$d\\`e\\nf\"", WORDS("a\"b\\c$d`e\\nf"));
    assert_words("a\\ b \\\\ \\' \\;", WORDS("a b", "\\", "'", ";"));
}

static void nothing_is_expanded(void **state)
{
    (void)state;
    assert_words("$HOME * ~ ?x `id` {a,b} a&b", WORDS("$HOME", "*", "~", "?x", "`id`", "{a,b}", "a&b"));
    assert_words("\"$HOME\" $ $$", WORDS("$HOME", "$", "$$"));
}

static void any_byte_can_be_written(void **state)
{
    (void)state;
    assert_words("$'a\\nb\\t\\r\\\\\\'\\\"' x$'\\xff\\x01'y", WORDS("a\nb\t\r\\'\"", "x\xff\x01y"));
}

static void what_is_not_a_list_of_words_is_refused(void **state)
{
    static const char *const bad[] = { "'",      "a 'b",     "\"",       "\"a\\\"",  "a\\",  "$'a",
                                       "$'\\q'", "$'\\x1'",  "$'\\x00'", "$'\\xgg'", "$'\\", "a | b",
                                       "a && b", "a > file", "a >file",  "a 2>&1",   "; b",  "a < f",
                                       "a &",    "a || b",   "a 2> f" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        char **words;

        if (config_words_split(bad[i], &words, &why) != CONFIG_WORDS_REFUSED)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(why);
    }
}

static void quoted_operators_are_words(void **state)
{
    (void)state;
    assert_words("find . -exec x '{}' ';' \\| \"&&\" '2>&1'",
                 WORDS("find", ".", "-exec", "x", "{}", ";", "|", "&&", "2>&1"));
    assert_words("2 22", WORDS("2", "22"));
}

static void comments_begin_outside_quotes_behind_a_blank(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        { "a ; b", 2 }, { "a;b", 3 },      { "'a ; b'", 7 }, { "\"a ; b\" ; c", 8 },    { " ; b", 1 },
        { "; b", 3 },   { "a\\ ; b", 6 },  { "a \\; b", 6 }, { "$'a ; \\' ; ' ;", 13 }, { "a\t; b", 2 },
        { "", 0 },      { "a 'b ; c", 8 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (config_words_comment(cases[i].text) != cases[i].length)
            fail_msg("%s: %zu", cases[i].text, config_words_comment(cases[i].text));
    }
}

/* Bytes that mean something somewhere, and any other. */
static void random_word(char *word, size_t bytes)
{
    static const char special[] = " \t\n\r'\"\\$;#|&<>=[]x0\x01\x7f\xc3\xa4\xff\xed\xa0\x80";
    size_t length = (size_t)(rand() % (int)bytes);

    for (size_t i = 0; i < length; i++)
        word[i] = rand() % 3 ? special[(size_t)rand() % (sizeof special - 1)] : (char)(rand() % 255 + 1);
    word[length] = '\0';
}

static void every_word_survives_quoting(void **state)
{
    (void)state;
    srand(20);
    for (int round = 0; round < 20000; round++) {
        char word[24], *text = NULL;
        size_t bytes;
        FILE *to = open_memstream(&text, &bytes);

        random_word(word, sizeof word);
        config_words_quote(word, to);
        fputs(" end", to);
        fclose(to);
        assert_null(strpbrk(text, "\n\r"));
        assert_int_equal(config_words_comment(text), strlen(text));
        assert_words(text, WORDS(word, "end"));
        free(text);
    }
}

static void lists_grow_and_are_copied(void **state)
{
    char **list = NULL;

    (void)state;
    assert_int_equal(config_words_append(&list, (char *[]){ (char *)"a", (char *)"b", NULL }), 0);
    assert_int_equal(config_words_append(&list, (char *[]){ (char *)"c", NULL }), 0);
    assert_int_equal(config_words_count(list), 3);
    assert_string_equal(list[2], "c");
    assert_int_equal(config_words_count(NULL), 0);
    config_words_free(list);
    config_words_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(plain_words_are_split_at_blanks),
        GUARDED(quotes_are_the_shells),
        GUARDED(nothing_is_expanded),
        GUARDED(any_byte_can_be_written),
        GUARDED(what_is_not_a_list_of_words_is_refused),
        GUARDED(quoted_operators_are_words),
        GUARDED(comments_begin_outside_quotes_behind_a_blank),
        GUARDED(every_word_survives_quoting),
        GUARDED(lists_grow_and_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
