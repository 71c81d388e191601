#include "supervisor/process/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/process/journal.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/baton-output-XXXXXX";
static char path[sizeof directory + 16];

static struct config_output to_file(void)
{
    return (struct config_output){ .kind = OUTPUT_FILE, .path = path };
}

static int open_or_fail(const struct config_output *output, bool *fallback)
{
    char *reason = NULL;
    int fd = -1;

    if (output_open(output, "blog", 7, &fd, fallback, &reason))
        fail_msg("%s", reason);
    return fd;
}

static void write_file(const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
}

static void assert_words(const char *content, long long from, unsigned lines, const char *expected)
{
    struct config_output output = to_file();

    write_file(content, strlen(content));
    char *words = output_last_words(&output, from, lines);
    if (!expected) {
        assert_null(words);
        return;
    }
    assert_non_null(words);
    assert_string_equal(words, expected);
    free(words);
}

static void a_file_is_appended_to_and_readable_by_its_group_only(void **state)
{
    struct config_output output = to_file();
    bool fallback = true;
    struct stat st;

    (void)state;
    unlink(path);
    assert_int_equal(output_size(&output), 0);
    mode_t before = umask(0);
    int fd = open_or_fail(&output, &fallback);
    umask(before);
    assert_false(fallback);
    assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_WRONLY | O_APPEND);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_return_code(fstat(fd, &st), errno);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    assert_int_equal(write(fd, "abc\n", 4), 4);
    close(fd);
    fd = open_or_fail(&output, &fallback);
    assert_int_equal(write(fd, "def\n", 4), 4);
    close(fd);
    assert_int_equal(output_size(&output), 8);
}

static void what_cannot_be_opened_is_named(void **state)
{
    struct config_output output = { .kind = OUTPUT_FILE, .path = (char *)"/nonexistent/app.log" };
    char *reason = NULL;
    bool fallback;
    int fd = -1;

    (void)state;
    assert_int_equal(output_open(&output, "blog", 7, &fd, &fallback, &reason), -ENOENT);
    assert_string_equal(reason, "cannot open the output /nonexistent/app.log: No such file or directory");
    assert_int_equal(fd, -1);
    free(reason);
}

static void a_fifo_without_a_reader_is_refused_at_once(void **state)
{
    char fifo[64];

    (void)state;
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    assert_return_code(mkfifo(fifo, 0600), errno);
    assert_int_equal(output_open_file(fifo), -ENXIO);
    unlink(fifo);
}

static void stderr_is_given_as_a_duplicate(void **state)
{
    struct config_output output = { .kind = OUTPUT_STDERR };
    struct stat ours, given;
    bool fallback = true;
    int fd = open_or_fail(&output, &fallback);

    (void)state;
    assert_false(fallback);
    assert_true(fd > STDERR_FILENO);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    fstat(STDERR_FILENO, &ours);
    fstat(fd, &given);
    assert_int_equal(ours.st_ino, given.st_ino);
    assert_null(output_last_words(&output, 0, 5));
    assert_int_equal(output_size(&output), -1);
    close(fd);
}

static void without_a_journal_the_output_falls_back_to_stderr(void **state)
{
    struct config_output output = { .kind = OUTPUT_JOURNAL };
    bool fallback = false;

    (void)state;
    int there = journal_open(JOURNAL_SOCKET, "baton/test", 6, true);
    if (there >= 0)
        close(there);
    int fd = open_or_fail(&output, &fallback);
    assert_int_equal(fallback, there < 0);
    close(fd);
}

static void a_journal_stream_begins_with_its_header(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int journal = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[128] = "";

    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/stdout", directory);
    assert_int_equal(journal_open(address.sun_path, "baton/blog#7", 6, true), -ENOENT);
    assert_return_code(bind(journal, (struct sockaddr *)&address, sizeof address), errno);
    assert_return_code(listen(journal, 1), errno);
    int stream = journal_open(address.sun_path, "baton/blog#7", 6, true);
    assert_true(stream >= 0);
    assert_true(fcntl(stream, F_GETFD) & FD_CLOEXEC);
    assert_false(fcntl(stream, F_GETFL) & O_NONBLOCK);
    assert_int_equal(write(stream, "<3>hello\n", 9), 9);
    int peer = accept4(journal, NULL, NULL, SOCK_CLOEXEC);
    close(stream);
    assert_true(recv(peer, text, sizeof text - 1, MSG_WAITALL) > 0);
    assert_string_equal(text, "baton/blog#7\n\n6\n1\n0\n0\n0\n<3>hello\n");
    unlink(address.sun_path);
    close(peer);
    close(journal);
}

static void last_words_are_the_last_lines_since_the_start(void **state)
{
    (void)state;
    assert_words("old\none\ntwo\nthree\n", 4, 2, "two\nthree");
    assert_words("old\none\ntwo\n", 4, 9, "one\ntwo");
    assert_words("one\ntwo", 0, 9, "one\ntwo"); /* it died in the middle of a line */
    assert_words("one\n\n\r\n\ntwo\r\n\n", 0, 2, "one\ntwo");
    assert_words("old\n", 4, 9, NULL);
    assert_words("\n\n", 0, 9, NULL);
    assert_words("one\n", 0, 0, NULL);
    assert_words("new\n", 100, 9, "new"); /* truncated by a rotation meanwhile */
    assert_words("\x1b[31mred\xff\n", 0, 1, "\\x1b[31mred\\xff");
}

static void last_words_survive_nul_bytes_and_floods(void **state)
{
    static char flood[1 << 20];
    struct config_output output = to_file();

    (void)state;
    memset(flood, 'x', sizeof flood);
    write_file(flood, sizeof flood);
    char *words = output_last_words(&output, 0, 5);
    assert_non_null(words);
    assert_true(strlen(words) > 1024 && strlen(words) < 2048);
    free(words);
    memset(flood, '\x01', sizeof flood); /* four bytes each when escaped */
    write_file(flood, sizeof flood);
    words = output_last_words(&output, 0, 5);
    assert_non_null(words);
    assert_true(strlen(words) < 2048);
    free(words);
    write_file("a\0b\n", 4);
    words = output_last_words(&output, 0, 5);
    assert_string_equal(words, "a?b");
    free(words);
}

static void a_missing_file_has_no_last_words(void **state)
{
    struct config_output output = { .kind = OUTPUT_FILE, .path = (char *)"/nonexistent/app.log" };

    (void)state;
    assert_null(output_last_words(&output, 0, 5));
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/app.log", directory);
    return 0;
}

static int remove_directory(void **state) /* fails when a test left something behind */
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_file_is_appended_to_and_readable_by_its_group_only),
        GUARDED(what_cannot_be_opened_is_named),
        GUARDED(a_fifo_without_a_reader_is_refused_at_once),
        GUARDED(stderr_is_given_as_a_duplicate),
        GUARDED(without_a_journal_the_output_falls_back_to_stderr),
        GUARDED(a_journal_stream_begins_with_its_header),
        GUARDED(last_words_are_the_last_lines_since_the_start),
        GUARDED(last_words_survive_nul_bytes_and_floods),
        GUARDED(a_missing_file_has_no_last_words),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
