#include "proto/control_client.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "proto/control_line.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/baton-control-XXXXXX";
static char path[64];
static pid_t server;
static struct control_client *client;

static int listen_at_path(int backlog)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void reply(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);

        if (written <= 0)
            _exit(1);
        bytes += written;
        size -= (size_t)written;
    }
}

/* Start a process that accepts one connection and serves it. */
static void serve(void (*service)(int fd))
{
    int fd = listen_at_path(1);

    server = fork();
    if (server == 0) {
        alarm(GUARD_LIMIT_S);
        service(accept(fd, NULL, NULL));
        _exit(0);
    }
    close(fd);
}

static int setup(void **state)
{
    server = 0;
    client = NULL;
    unlink(path);
    return guard_setup(state);
}

static int teardown(void **state)
{
    control_client_close(client);
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    return guard_teardown(state);
}

/* --- servers -------------------------------------------------------------------------------------- */

static void echo(int fd)
{
    char bytes[5000]; /* odd against the pieces of the client */
    ssize_t size;

    while ((size = read(fd, bytes, sizeof bytes)) > 0)
        reply(fd, bytes, (size_t)size);
}

static void speak_another_version(int fd)
{
    reply(fd, "baton 2\n", 8);
}

static void hang_up(int fd)
{
    close(fd);
}

static void turn_away(int fd)
{
    reply(fd, "baton 1\ntoo many\n", 17);
}

static void say_nothing(int fd)
{
    (void)fd;
    pause();
}

static void greet_and_say_nothing(int fd)
{
    reply(fd, "baton 1\n", 8);
    pause();
}

static void greet_and_stop_inside_a_line(int fd)
{
    reply(fd, "baton 1\nwhole\nhal", 17);
}

static void greet_and_send_too_much(int fd)
{
    static char bytes[CONTROL_LINE_MAX_BYTES + 1];

    memset(bytes, 'x', sizeof bytes);
    reply(fd, "baton 1\n", 8);
    reply(fd, bytes, sizeof bytes);
    pause();
}

/* --- tests ---------------------------------------------------------------------------------------- */

static void assert_received(const char *expected)
{
    char *text;
    size_t length;

    assert_int_equal(control_client_receive(client, &text, &length, -1), 0);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void assert_receive_outcome(int outcome, int timeout_ms)
{
    char *text;
    size_t length;

    assert_int_equal(control_client_receive(client, &text, &length, timeout_ms), outcome);
}

static void lines_go_there_and_back(void **state)
{
    (void)state;
    serve(echo);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_true(control_client_fd(client) >= 0);
    assert_int_equal(control_client_send(client, "{\"verb\":\"status\"}", 17, -1), 0);
    assert_int_equal(control_client_send(client, "", 0, -1), 0);
    assert_received("{\"verb\":\"status\"}");
    assert_received("");
}

/* Longer than any socket buffer: written and read in many pieces, while the server waits for us to
 * read. A child sends, so that both directions move. */
static void a_line_of_one_mebibyte_goes_there_and_back(void **state)
{
    char *large = malloc(CONTROL_LINE_MAX_BYTES + 1);
    int status;

    (void)state;
    assert_non_null(large);
    for (size_t i = 0; i < CONTROL_LINE_MAX_BYTES; i++)
        large[i] = (char)('a' + i % 23);
    large[CONTROL_LINE_MAX_BYTES] = '\0';
    serve(echo);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    pid_t sender = fork();
    if (sender == 0)
        _exit(control_client_send(client, large, CONTROL_LINE_MAX_BYTES, -1) == 0 ? 0 : 1);
    assert_received(large);
    assert_int_equal(waitpid(sender, &status, 0), sender);
    assert_int_equal(status, 0);
    assert_int_equal(control_client_send(client, large, CONTROL_LINE_MAX_BYTES + 1, -1), -EMSGSIZE);
    free(large);
}

static void what_is_no_line_is_not_sent(void **state)
{
    (void)state;
    serve(echo);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_int_equal(control_client_send(client, "a\nb", 3, -1), -EINVAL);
    assert_int_equal(control_client_send(client, "a\0b", 3, -1), -EINVAL);
    assert_receive_outcome(-ETIMEDOUT, 0);
}

static void nobody_there_is_told_apart(void **state)
{
    char too_long[200];

    (void)state;
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(control_client_open(&client, path, -1), -ENOENT);
    assert_int_equal(control_client_open(&client, too_long, -1), -ENAMETOOLONG);
    close(listen_at_path(-1));
    assert_int_equal(control_client_open(&client, path, -1), -ECONNREFUSED);
    assert_null(client);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    serve(speak_another_version);
    assert_int_equal(control_client_open(&client, path, -1), -EPROTONOSUPPORT);
    assert_null(client);
}

static void a_server_that_hangs_up_is_told(void **state)
{
    (void)state;
    serve(hang_up);
    assert_int_equal(control_client_open(&client, path, -1), CONTROL_CLIENT_CLOSED);
    assert_null(client);
}

static void why_a_server_hung_up_can_be_received(void **state)
{
    int outcome;

    (void)state;
    serve(turn_away);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    do
        outcome = control_client_send(client, "x", 1, -1);
    while (outcome == 0);
    assert_int_equal(outcome, CONTROL_CLIENT_CLOSED);
    assert_received("too many");
    assert_receive_outcome(CONTROL_CLIENT_CLOSED, -1);
}

static void a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    serve(say_nothing);
    assert_int_equal(control_client_open(&client, path, 20), -ETIMEDOUT);
    assert_null(client);
}

static void a_server_that_does_not_accept_is_given_up(void **state)
{
    int fd = listen_at_path(0), waiting[8], count = 0;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    bool full = false;

    (void)state;
    strcpy(address.sun_path, path);
    while (!full && count < 8) {
        waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        full = connect(waiting[count++], (struct sockaddr *)&address, sizeof address) == -1;
    }
    assert_true(full);
    assert_int_equal(control_client_open(&client, path, 20), -ETIMEDOUT);
    assert_int_equal(control_client_open(&client, path, 0), -ETIMEDOUT);
    while (count > 0)
        close(waiting[--count]);
    close(fd);
}

static void an_answer_that_does_not_come_is_given_up(void **state)
{
    (void)state;
    serve(greet_and_say_nothing);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_receive_outcome(-ETIMEDOUT, 20);
    assert_receive_outcome(-ETIMEDOUT, 0);
}

static void a_request_nobody_reads_is_given_up(void **state)
{
    char *large = malloc(CONTROL_LINE_MAX_BYTES);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', CONTROL_LINE_MAX_BYTES);
    serve(greet_and_say_nothing);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_int_equal(control_client_send(client, large, CONTROL_LINE_MAX_BYTES, 20), -ETIMEDOUT);
    free(large);
}

static void the_end_comes_after_the_whole_lines(void **state)
{
    (void)state;
    serve(greet_and_stop_inside_a_line);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_received("whole");
    assert_receive_outcome(CONTROL_CLIENT_CLOSED, -1);
    assert_int_equal(control_client_send(client, "x", 1, -1), CONTROL_CLIENT_CLOSED);
}

static void a_line_that_is_too_long_is_refused(void **state)
{
    (void)state;
    serve(greet_and_send_too_much);
    assert_int_equal(control_client_open(&client, path, -1), 0);
    assert_receive_outcome(-EMSGSIZE, -1);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(lines_go_there_and_back),
        WITH_SERVER(a_line_of_one_mebibyte_goes_there_and_back),
        WITH_SERVER(what_is_no_line_is_not_sent),
        WITH_SERVER(nobody_there_is_told_apart),
        WITH_SERVER(another_version_is_refused),
        WITH_SERVER(a_server_that_hangs_up_is_told),
        WITH_SERVER(why_a_server_hung_up_can_be_received),
        WITH_SERVER(a_server_that_says_nothing_is_given_up),
        WITH_SERVER(a_server_that_does_not_accept_is_given_up),
        WITH_SERVER(an_answer_that_does_not_come_is_given_up),
        WITH_SERVER(a_request_nobody_reads_is_given_up),
        WITH_SERVER(the_end_comes_after_the_whole_lines),
        WITH_SERVER(a_line_that_is_too_long_is_refused),
    };
    int failed;

    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/control.sock", directory);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(directory);
    return failed;
}
