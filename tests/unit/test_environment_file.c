#include "supervisor/process/environment_file.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

/* `text` must say exactly `expected` (entries joined by '|'). */
static void assert_says(const char *text, const char *expected)
{
    struct environment environment = { 0 };
    char joined[512] = "";
    const char *wrong = NULL;
    unsigned line;

    if (environment_file_parse(&environment, text, strlen(text), &line, &wrong))
        fail_msg("%s: line %u: %s", text, line, wrong);
    for (size_t i = 0; i < environment.count; i++) {
        strcat(joined, i ? "|" : "");
        strcat(joined, environment.list[i]);
    }
    assert_string_equal(joined, expected);
    environment_free(&environment);
}

static void assert_refused(const char *bytes, size_t length, unsigned expected_line, const char *words)
{
    struct environment environment = { 0 };
    const char *wrong = NULL;
    unsigned line = 0;

    assert_int_equal(environment_file_parse(&environment, bytes, length, &line, &wrong), -EINVAL);
    assert_int_equal(line, expected_line);
    if (!strstr(wrong, words))
        fail_msg("\"%s\" does not say \"%s\"", wrong, words);
    environment_free(&environment);
}

static void plain_lines_are_taken_to_their_end(void **state)
{
    (void)state;
    assert_says("", "");
    assert_says("A=1\nB=two words\n", "A=1|B=two words");
    assert_says("  A= 1 \t\n\n\tB=2", "A=1|B=2");
    assert_says("EMPTY=\nA=x", "EMPTY=|A=x");
    assert_says("URL=postgres://u:p@h/db?x=y#z;q\n", "URL=postgres://u:p@h/db?x=y#z;q");
    assert_says("SAID=it's 5\" long\n", "SAID=it's 5\" long");
    assert_says("\xef\xbb\xbf"
                "A=1\r\nB=2\r\n",
                "A=1|B=2");
    assert_says("BYTES=\xff\xfe\n", "BYTES=\xff\xfe");
}

static void comments_are_skipped(void **state)
{
    (void)state;
    assert_says("# A=1\n ; B=2 \\\nC=3 # not a comment\n#", "C=3 # not a comment");
}

static void quotes_and_backslashes_work_as_in_systemd(void **state)
{
    (void)state;
    assert_says("A=\"  kept  \"  \n", "A=  kept  ");
    assert_says("A='$x \\n \"'\n", "A=$x \\n \"");
    assert_says("A=\"\\\" \\\\ \\` \\$ \\n\"\n", "A=\" \\ ` $ \\n");
    assert_says("A='one'\"two\" 'three'\n", "A=onetwothree");
    assert_says("A='x'y'z'\n", "A=xy'z'");
    assert_says("A=\"first\nsecond\"\nB=1", "A=first\nsecond|B=1");
    assert_says("A=one\\\ntwo\\\r\nthree\nB=1", "A=onetwothree|B=1");
    assert_says("A=\\ x\\\\y\\\n", "A= x\\y");
    assert_says("A=x\\", "A=x");
    assert_says("A=''\n", "A=");
}

static void the_last_of_one_name_wins(void **state)
{
    (void)state;
    assert_says("A=1\nB=2\nA=3\nAB=4\n", "A=3|B=2|AB=4");
}

static void what_is_wrong_has_its_line(void **state)
{
    static const char nul[] = "A=1\nB=\0x\n";

    (void)state;
    assert_refused("A=1\nexport B=2\n", 15, 2, "NAME=VALUE");
    assert_refused("A", 1, 1, "NAME=VALUE");
    assert_refused("=x", 2, 1, "NAME=VALUE");
    assert_refused("\n\n1A=x", 6, 3, "NAME=VALUE");
    assert_refused("A-B=x", 5, 1, "NAME=VALUE");
    assert_refused("A=1\nB=\"open\nC=2\n", 16, 2, "has no end");
    assert_refused("A=\"x\ny\"\nB='", 11, 3, "has no end");
    assert_refused("A=\"x\\", 5, 1, "has no end");
    assert_refused(nul, sizeof nul - 1, 2, "NUL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_are_taken_to_their_end),
        cmocka_unit_test(comments_are_skipped),
        cmocka_unit_test(quotes_and_backslashes_work_as_in_systemd),
        cmocka_unit_test(the_last_of_one_name_wins),
        cmocka_unit_test(what_is_wrong_has_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
