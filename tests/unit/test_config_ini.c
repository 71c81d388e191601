#include "supervisor/core/config_ini.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* What the reader told, one line per call: "1 [a]", "2 k=v", "3 ! what". */
struct told {
    char text[64 * 1024];
    size_t used;
    int fail_at; /* the call that fails, counted from 1; 0: none */
    int calls;
};

static int tell(struct told *told, int line, const char *a, const char *b, const char *c)
{
    int n = snprintf(told->text + told->used, sizeof told->text - told->used, "%d %s%s%s\n", line, a, b, c);

    assert_true(n > 0 && told->used + (size_t)n < sizeof told->text);
    told->used += (size_t)n;
    return ++told->calls == told->fail_at ? -ENOMEM : 0;
}

static int on_section(void *arg, int line, const char *header)
{
    return header ? tell(arg, line, "[", header, "]") : tell(arg, line, "[?]", "", "");
}

static int on_key(void *arg, int line, const char *key, const char *value)
{
    return tell(arg, line, key, "=", value);
}

static int on_wrong(void *arg, int line, const char *what)
{
    return tell(arg, line, "! ", what, "");
}

static const struct config_ini_handler handler = { on_section, on_key, on_wrong };

static void assert_told_bytes(const char *bytes, size_t length, const char *expected)
{
    static struct told told;
    char *copy = malloc(length + 1); /* of exactly that size: the sanitizer sees a byte too far */

    memset(&told, 0, sizeof told);
    memcpy(copy, bytes, length);
    copy = realloc(copy, length ? length : 1);
    assert_int_equal(config_ini_read(copy, length, &handler, &told), 0);
    assert_string_equal(told.text, expected);
    free(copy);
}

static void assert_told(const char *text, const char *expected)
{
    assert_told_bytes(text, strlen(text), expected);
}

static void sections_keys_and_comments_are_read(void **state)
{
    (void)state;
    assert_told("; c\n# c\n\n[a]\nk=v\n  k2  =  v 2  ; c\n\t[ b c ] ; c\nk = a=b;c\n",
                "4 [a]\n5 k=v\n6 k2=v 2\n7 [b c]\n8 k=a=b;c\n");
    assert_told("", "");
    assert_told("\n\n", "");
    assert_told("k =\nk = ; c\n", "1 k=\n2 k=\n");
    assert_told("k = v", "1 k=v\n"); /* no newline at the end */
}

static void comments_end_where_quotes_protect(void **state)
{
    (void)state;
    assert_told("k = sh -c \"a ; b\" ; c\n", "1 k=sh -c \"a ; b\"\n");
    assert_told("k = 'a ; b' ; 'c'\n", "1 k='a ; b'\n");
    assert_told("k = a;b # c\n", "1 k=a;b # c\n");
}

static void a_byte_order_mark_and_crlf_are_taken_away(void **state)
{
    (void)state;
    assert_told("\xef\xbb\xbf[a]\r\nk = v\r\nj = a \\\r\n b\r\n", "1 [a]\n2 k=v\n3 j=a  b\n");
    assert_told("\xef\xbb\xbf", "");
    assert_told("k = a\rb\n",
                "1 ! the line contains a control character; in $'…' it can be written as \\xHH\n");
}

static void a_backslash_joins_lines(void **state)
{
    (void)state;
    assert_told("k = a \\\n  b\\\nc\nj = d\n", "1 k=a   bc\n4 j=d\n");
    assert_told("[a\\\nb]\nk\\\n = v\n", "1 [ab]\n3 k=v\n");
    assert_told("k = a\\\\\nj = b\n", "1 k=a\\\\\n2 j=b\n"); /* an escaped backslash */
    assert_told("k = a\\\\\\\nb\n", "1 k=a\\\\b\n");
}

static void what_a_backslash_would_hide_is_refused(void **state)
{
    (void)state;
    assert_told("k = a \\", "1 ! the last line ends in a backslash\n");
    assert_told("k = a \\\n", "1 ! the last line ends in a backslash\n");
    assert_told("k = a \\ \nj = b\n", "1 ! blanks follow the backslash at the line's end\n2 j=b\n");
    assert_told("k = a \\\n; --old \\\n b\nj = c\n",
                "1 ! a comment cannot stand inside a line that goes on\n4 j=c\n");
    assert_told("k = a \\\n# --old\nj = c\n",
                "1 ! a comment cannot stand inside a line that goes on\n3 j=c\n");
    assert_told("k = a ; c \\\n b\nj = c\n",
                "1 ! a comment cannot stand inside a line that goes on\n3 j=c\n");
    assert_told("[a] ; c \\\nk = b\n", "1 ! a comment cannot stand inside a line that goes on\n1 [?]\n");
}

static void a_comment_ends_with_its_line(void **state)
{
    (void)state;
    assert_told("; k = a \\\nj = b\n", "2 j=b\n");
    assert_told("# c \\ \nj = b\n", "2 j=b\n");
    assert_told("; c \\", "");
}

static void what_is_no_text_is_refused_with_its_line(void **state)
{
    static const char nul[] = "a = b\nk = v\0w\nj = c\n";

    (void)state;
    assert_told_bytes(nul, sizeof nul - 1, "1 a=b\n2 ! the line contains a NUL byte\n3 j=c\n");
    assert_told("k = \xe4\nj = c\n", "1 ! the line is not valid UTF-8\n2 j=c\n");
    assert_told("k = \xc3\n", "1 ! the line is not valid UTF-8\n");
    assert_told("k = \xed\xa0\x80\n", "1 ! the line is not valid UTF-8\n");
    assert_told("k = \xc3\xa4\xf0\x9f\x98\x80\n", "1 k=\xc3\xa4\xf0\x9f\x98\x80\n");
    assert_told("k = a \\\n \x01 \\\n b\nj = c\n",
                "1 ! the line contains a control character; in $'…' it can be written as \\xHH\n4 j=c\n");
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    assert_told("foo\nk = v\nfoo: bar\nfoo:.\n",
                "1 ! neither [SECTION] nor KEY = VALUE\n2 k=v\n3 ! neither [SECTION] nor KEY = VALUE\n"
                "4 ! neither [SECTION] nor KEY = VALUE\n");
    assert_told("a:b = c\n", "1 ! neither [SECTION] nor KEY = VALUE\n");
    assert_told("a ; b = c\n", "1 ! neither [SECTION] nor KEY = VALUE\n");
    assert_told("= v\n", "1 ! there is no key before the =\n");
    assert_told("[a\nk = v\n", "1 ! the ] is missing\n1 [?]\n2 k=v\n");
    assert_told("[a] b\nk = v\n", "1 ! there is something behind the ]\n1 [?]\n2 k=v\n");
    assert_told("foo", "1 ! neither [SECTION] nor KEY = VALUE\n");
}

/* An indented line would be a continuation for inih. */
static void indentation_means_nothing(void **state)
{
    (void)state;
    assert_told("[a]\nk = v\n   j = w\n\tfoo\n",
                "1 [a]\n2 k=v\n3 j=w\n4 ! neither [SECTION] nor KEY = VALUE\n");
}

/* inih's own limits are 200 bytes for a line and 49 for a section or key. */
static void nothing_is_cut(void **state)
{
    enum { LONG = 20000 };
    char *text = calloc(1, 3 * LONG), *expected = calloc(1, 3 * LONG), *value = calloc(1, LONG + 1);

    (void)state;
    for (int length = 1; length <= LONG; length = length < 260 ? length + 1 : length * 3) {
        memset(value, 'v', (size_t)length);
        value[length] = '\0';
        snprintf(text, 3 * LONG, "[service %s]\nkey = %s\n", value, value);
        snprintf(expected, 3 * LONG, "1 [service %s]\n2 key=%s\n", value, value);
        assert_told(text, expected);
    }
    free(text);
    free(expected);
    free(value);
}

static void a_long_key_is_whole_or_refused(void **state)
{
    char key[200] = "", text[256], expected[256];

    (void)state;
    for (int length = 1; length < 190; length++) {
        memset(key, 'k', (size_t)length);
        snprintf(text, sizeof text, "%s = v\nj = w\n", key);
        if (length <= 64)
            snprintf(expected, sizeof expected, "1 %s=v\n2 j=w\n", key);
        else
            snprintf(expected, sizeof expected, "1 ! no key is that long\n2 j=w\n");
        assert_told(text, expected);
    }
}

static void a_handler_that_fails_ends_the_reading(void **state)
{
    static const char text[] = "[a]\nk = v\nfoo\n[b\nj = w\n";

    (void)state;
    for (int call = 1; call <= 6; call++) {
        static struct told told;

        memset(&told, 0, sizeof told);
        told.fail_at = call;
        assert_int_equal(config_ini_read(text, strlen(text), &handler, &told), -ENOMEM);
        assert_int_equal(told.calls, call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(sections_keys_and_comments_are_read),
        GUARDED(comments_end_where_quotes_protect),
        GUARDED(a_byte_order_mark_and_crlf_are_taken_away),
        GUARDED(a_backslash_joins_lines),
        GUARDED(what_a_backslash_would_hide_is_refused),
        GUARDED(a_comment_ends_with_its_line),
        GUARDED(what_is_no_text_is_refused_with_its_line),
        GUARDED(what_is_no_line_is_refused),
        GUARDED(indentation_means_nothing),
        GUARDED(nothing_is_cut),
        GUARDED(a_long_key_is_whole_or_refused),
        GUARDED(a_handler_that_fails_ends_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
