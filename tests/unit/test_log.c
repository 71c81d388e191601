#include "supervisor/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char path[] = "/tmp/baton-log-XXXXXX";
static char moved[sizeof path + 2];

static struct config_output to_file(void)
{
    return (struct config_output){ .kind = OUTPUT_FILE, .path = path };
}

static const char *content_of(const char *file)
{
    static char text[16384];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof text - 1);

    assert_true(length >= 0);
    close(fd);
    text[length] = '\0';
    return text;
}

static void assert_stamped(const char *line, const char *rest)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (const char *f = form; *f; f++, line++) {
        if (*f == 'd' ? *line < '0' || *line > '9' : *line != *f)
            fail_msg("not a time: %s", line);
    }
    assert_string_equal(line, rest);
}

/* Put `fd` in the place of stderr; gives what was there. */
static int replace_stderr(int fd)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    assert_true(saved >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    return saved;
}

static void restore_stderr(int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void a_line_has_time_level_and_text(void **state)
{
    struct config_output output = to_file();

    (void)state;
    assert_int_equal(log_open(&output), 0);
    log_info("service=%s generation=%d", "blog", 8);
    log_close();
    assert_stamped(content_of(path), "info service=blog generation=8\n");
}

static void a_line_stays_one_line_whatever_is_in_it(void **state)
{
    struct config_output output = to_file();

    (void)state;
    assert_int_equal(log_open(&output), 0);
    log_error("said=%s", "a\nerror forged\x1b[2J");
    log_close();
    assert_stamped(content_of(path), "error said=a\\nerror forged\\x1b[2J\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    struct config_output output = to_file();
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(log_open(&output), 0);
    log_warn("%s", text);
    log_close();
    const char *written = content_of(path);
    assert_true(strlen(written) <= 2048);
    assert_string_equal(written + strlen(written) - 5, "x…\n");
}

static void lines_below_the_level_are_left_out(void **state)
{
    struct config_output output = to_file();

    (void)state;
    assert_int_equal(log_open(&output), 0);
    log_debug("unseen");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("seen");
    log_set_level(LOG_LEVEL_INFO);
    log_close();
    assert_stamped(content_of(path), "debug seen\n");
}

static void reopening_follows_a_rotation(void **state)
{
    struct config_output output = to_file();

    (void)state;
    assert_int_equal(log_open(&output), 0);
    log_info("before");
    assert_return_code(rename(path, moved), errno);
    assert_int_equal(log_reopen(), 0);
    log_info("after");
    log_close();
    assert_stamped(content_of(path), "info after\n");
    assert_stamped(content_of(moved), "info before\n");
    unlink(moved);
}

static void a_place_that_cannot_be_opened_leaves_the_old_one(void **state)
{
    struct config_output output = to_file(),
                         missing = { .kind = OUTPUT_FILE, .path = (char *)"/nonexistent/log" };

    (void)state;
    assert_int_equal(log_open(&output), 0);
    assert_int_equal(log_open(&missing), -ENOENT);
    log_info("still here");
    log_close();
    assert_stamped(content_of(path), "info still here\n");
}

static void in_the_journal_the_level_is_a_prefix_and_there_is_no_time(void **state)
{
    struct config_output output = { .kind = OUTPUT_STDERR };
    char stream[64], text[64] = "";
    struct stat st;
    int ends[2];

    (void)state;
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    int saved = replace_stderr(ends[1]);
    fstat(ends[1], &st);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_int_equal(log_open(&output), 0);
    log_error("one");
    log_debug("none");
    log_warn("two");
    unsetenv("JOURNAL_STREAM");
    log_close();
    restore_stderr(saved);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "<3>one\n<4>two\n");
    close(ends[0]);
    close(ends[1]);
}

static void a_full_pipe_drops_lines_and_says_how_many(void **state)
{
    static char text[1 << 17];
    struct config_output output = { .kind = OUTPUT_STDERR };
    int ends[2], lines = 0;

    (void)state;
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    int saved = replace_stderr(ends[1]);
    assert_int_equal(log_open(&output), 0);
    for (struct pollfd end = { .fd = ends[1], .events = POLLOUT }; poll(&end, 1, 0) == 1; lines++)
        log_info("line");
    log_info("dropped"); /* must return */
    log_info("dropped");
    ssize_t length = read(ends[0], text, sizeof text - 1);
    assert_true(length > 0);
    log_info("again");
    length = read(ends[0], text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = '\0';
    log_close();
    restore_stderr(saved);
    assert_true(lines > 1);
    assert_non_null(strstr(text, "warn lines_dropped=2\n"));
    assert_non_null(strstr(text, "info again\n"));
    close(ends[0]);
    close(ends[1]);
}

static void a_pipe_without_a_reader_is_survived(void **state)
{
    struct config_output output = { .kind = OUTPUT_STDERR };
    int ends[2];

    (void)state;
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    int saved = replace_stderr(ends[1]);
    assert_int_equal(log_open(&output), 0);
    close(ends[0]);
    errno = EXDEV;
    log_info("nobody reads this");
    assert_int_equal(errno, EXDEV); /* a log line never changes what the caller is about to look at */
    log_close();
    restore_stderr(saved);
    close(ends[1]);
}

static void values_are_quoted_when_they_need_it(void **state)
{
    char out[32];

    (void)state;
    assert_string_equal(log_value("plain:/a.b-c", out, sizeof out), "plain:/a.b-c");
    assert_string_equal(log_value("", out, sizeof out), "\"\"");
    assert_string_equal(log_value("two words", out, sizeof out), "\"two words\"");
    assert_string_equal(log_value("a=b", out, sizeof out), "\"a=b\"");
    assert_string_equal(log_value("say \"hi\"\n", out, sizeof out), "\"say \\\"hi\\\"\\n\"");
    assert_string_equal(log_value("back\\slash", out, sizeof out), "\"back\\\\slash\"");
    assert_string_equal(log_value("0123456789", out, 8), "\"01…\"");
}

static int fresh_file(void **state)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    close(fd);
    return guard_setup(state);
}

static int make_path(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    signal(SIGPIPE, SIG_IGN);
    return close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_file, guard_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_time_level_and_text),
        TEST(a_line_stays_one_line_whatever_is_in_it),
        TEST(a_long_line_is_cut_and_still_ends),
        TEST(lines_below_the_level_are_left_out),
        TEST(reopening_follows_a_rotation),
        TEST(a_place_that_cannot_be_opened_leaves_the_old_one),
        TEST(in_the_journal_the_level_is_a_prefix_and_there_is_no_time),
        TEST(a_full_pipe_drops_lines_and_says_how_many),
        TEST(a_pipe_without_a_reader_is_survived),
        TEST(values_are_quoted_when_they_need_it),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
