#include "supervisor/process/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/process/probe_http.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* A probe, the server it asks (if any) and what it said. */
struct bench {
    struct ev_loop *loop;
    struct probe *probe;
    struct probe_target target;
    struct config_check check;
    int listener;
    ev_io accepting;
    const char *const
        *replies;  /* one per connection, "" closes it at once, NULL ends the list: silence from then on */
    int silent[4]; /* connections that were accepted and get nothing */
    size_t silent_count;
    int tries, tries_wanted; /* the loop ends after so many answers, or at a success */
    bool success;
    char answer[256];
    char request[512];
};

static void on_answer(void *arg, bool success, const char *answer)
{
    struct bench *bench = arg;

    bench->success = success;
    snprintf(bench->answer, sizeof bench->answer, "%s", answer);
    if (success || ++bench->tries == bench->tries_wanted)
        ev_break(bench->loop, EVBREAK_ALL);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
    struct bench *bench = io->data;
    int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)loop;
    (void)events;
    if (!*bench->replies) {
        assert_true(bench->silent_count < 4);
        bench->silent[bench->silent_count++] = fd;
        return;
    }
    const char *reply = *bench->replies++;
    struct pollfd asked = { .fd = fd,
                            .events = POLLIN }; /* the request is one small write: it comes as a whole */
    assert_int_equal(poll(&asked, 1, -1), 1);
    ssize_t length = read(fd, bench->request, sizeof bench->request - 1);
    bench->request[length > 0 ? length : 0] = '\0';
    assert_int_equal(send(fd, reply, strlen(reply), MSG_NOSIGNAL), (ssize_t)strlen(reply));
    close(fd);
}

static void bench_open(struct bench *bench, struct config_check check, int tries_wanted)
{
    *bench = (struct bench){ .loop = ev_loop_new(EVFLAG_AUTO), .check = check, .tries_wanted = tries_wanted };
    bench->target = (struct probe_target){
        .check = &bench->check, .envp = environ, .interval_ms = 1, .timeout_ms = 30000
    };
    bench->listener = -1;
}

static void bench_serve(struct bench *bench, const char *const *replies)
{
    bench->replies = replies;
    bench->listener = probe_listen(&bench->target.address, &bench->target.address_length);
    assert_true(bench->listener >= 0);
    ev_io_init(&bench->accepting, on_connection, bench->listener, EV_READ);
    bench->accepting.data = bench;
    ev_io_start(bench->loop, &bench->accepting);
}

static void bench_run(struct bench *bench)
{
    assert_int_equal(probe_start(bench->loop, &bench->target, on_answer, bench, &bench->probe), 0);
    assert_int_equal(bench->tries, 0); /* never from within probe_start() */
    ev_run(bench->loop, 0);
}

static void bench_close(struct bench *bench)
{
    probe_stop(bench->probe);
    if (bench->listener >= 0) {
        ev_io_stop(bench->loop, &bench->accepting);
        close(bench->listener);
    }
    for (size_t i = 0; i < bench->silent_count; i++)
        close(bench->silent[i]);
    ev_run(bench->loop, 0); /* until a command that was killed is reaped */
    ev_loop_destroy(bench->loop);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static struct config_check http(const char *path, int status)
{
    return (struct config_check){ .kind = CHECK_HTTP, .path = (char *)path, .status = status };
}

/* The only try with this reply must end so. */
static void assert_reply(const char *reply, int wanted_status, bool success, const char *answer)
{
    const char *const replies[] = { reply, NULL };
    struct bench bench;

    bench_open(&bench, http("/healthz?x=1", wanted_status), 1);
    bench_serve(&bench, replies);
    bench_run(&bench);
    if (bench.success != success || !strstr(bench.answer, answer))
        fail_msg("%s: %s, expected %s", reply, bench.answer, answer);
    assert_string_equal(bench.request,
                        "GET /healthz?x=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: baton/" BATON_VERSION
                        " (probe)\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    bench_close(&bench);
}

static void the_private_socket_is_on_loopback_only(void **state)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length;
    int fd = probe_listen(&address, &length);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address;

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_not_equal(in->sin_port, 0);
    close(fd);
}

static void the_status_decides(void **state)
{
    (void)state;
    assert_reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, true, "/healthz?x=1 answered 200 in ");
    assert_reply("HTTP/1.0 299\n\n", 0, true, "answered 299 in ");
    assert_reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 0, true, "answered 204 in ");
    assert_reply("HTTP/1.1 503 Busy\r\n\r\n", 0, false, "/healthz?x=1 answered 503, not 2xx");
    assert_reply("HTTP/1.1 301 Moved\r\n\r\n", 0, false, "answered 301, not 2xx");
    assert_reply("HTTP/1.1 418 Teapot\r\n\r\n", 418, true, "answered 418 in ");
    assert_reply("HTTP/1.1 200 OK\r\n\r\n", 418, false, "answered 200, not 418");
}

static void what_is_no_answer_says_why(void **state)
{
    (void)state;
    assert_reply("SSH-2.0-OpenSSH\r\n", 0, false, "/healthz?x=1: the answer is not HTTP");
    assert_reply("HTTP/1.1 200 OK\r\n", 0, false, "closed in the middle of the answer");
    assert_reply("", 0, false, "/healthz?x=1: the connection was closed without an answer");
}

static void headers_without_end_are_given_up(void **state)
{
    static char reply[20000] = "HTTP/1.1 200 OK\r\n";

    (void)state;
    memset(reply + strlen(reply), 'x', sizeof reply - strlen(reply) - 1);
    assert_reply(reply, 0, false, "the headers of the answer are too long");
}

static void every_prefix_of_an_answer_is_incomplete_and_never_misread(void **state)
{
    static const char answer[] =
        "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nServer: y\r\n\r\nbody";
    size_t head = (size_t)(strstr(answer, "body") - answer);

    (void)state;
    for (size_t length = 0; length < head; length++) {
        char *exact = malloc(length ? length : 1); /* a read behind the end is seen by the sanitizer */

        memcpy(exact, answer, length);
        assert_int_equal(probe_http_status(exact, length), 0);
        free(exact);
    }
    assert_int_equal(probe_http_status(answer, head), 200);
    assert_int_equal(probe_http_status("HTTP/1.1 2000\r\n\r\n", 17), -EPROTO);
    assert_int_equal(probe_http_status("HTTP/1.1 099 x\r\n\r\n", 18), -EPROTO);
    assert_int_equal(probe_http_status("HTTP/2.0 200 x\r\n\r\n", 18), -EPROTO);
    assert_int_equal(probe_http_status("HTTP/1.1  200\r\n\r\n", 17), -EPROTO);
}

static void it_asks_again_until_it_is_answered_well(void **state)
{
    const char *const replies[] = { "HTTP/1.1 500 x\r\n\r\n", "", "HTTP/1.1 200 OK\r\n\r\n", NULL };
    struct bench bench;

    (void)state;
    bench_open(&bench, http("/", 0), -1);
    bench_serve(&bench, replies);
    bench_run(&bench);
    assert_int_equal(bench.tries, 2);
    assert_true(bench.success);
    bench_close(&bench);
}

static void silence_is_timed_out(void **state)
{
    const char *const replies[] = { NULL };
    struct bench bench;

    (void)state;
    bench_open(&bench, http("/slow", 0), 2);
    bench_serve(&bench, replies);
    bench.target.timeout_ms = 5;
    bench_run(&bench);
    assert_false(bench.success);
    assert_string_equal(bench.answer, "/slow did not answer within 5ms");
    bench_close(&bench);
}

static void nobody_listening_is_a_failed_try(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, http("/", 0), 2);
    close(probe_listen(&bench.target.address, &bench.target.address_length));
    bench_run(&bench);
    assert_false(bench.success);
    assert_string_equal(bench.answer, "/: Connection refused");
    bench_close(&bench);
}

static struct config_check command(const char *script, char *argv[4])
{
    argv[0] = (char *)"sh";
    argv[1] = (char *)"-c";
    argv[2] = (char *)script;
    argv[3] = NULL;
    return (struct config_check){ .kind = CHECK_EXEC, .argv = argv };
}

/* The only try of this shell command must end so. */
static void assert_command(const char *script, bool success, const char *answer)
{
    char *argv[4];
    struct bench bench;

    bench_open(&bench, command(script, argv), 1);
    bench_run(&bench);
    if (bench.success != success || !strstr(bench.answer, answer))
        fail_msg("%s: %s, expected %s", script, bench.answer, answer);
    bench_close(&bench);
}

static void the_exit_status_of_a_command_decides(void **state)
{
    (void)state;
    assert_command("exit 0", true, "sh succeeded in ");
    assert_command("exit 3", false, "sh exited with status 3");
    assert_command("kill -SEGV $$", false, "sh was killed by signal 11 (Segmentation fault)");
}

static void a_command_that_cannot_be_started_is_a_failed_try(void **state)
{
    char *argv[] = { (char *)"no-such-check", NULL };
    struct bench bench;

    (void)state;
    bench_open(&bench, (struct config_check){ .kind = CHECK_EXEC, .argv = argv }, 2);
    bench_run(&bench);
    assert_false(bench.success);
    assert_non_null(strstr(bench.answer, "command \"no-such-check\" not found in PATH ("));
    bench_close(&bench);
    bench_open(&bench, (struct config_check){ .kind = CHECK_EXEC, .argv = argv }, 1);
    argv[0] = (char *)"/bin/sh";
    bench.target.directory = "/proc/self/fd/no-such-directory";
    bench_run(&bench);
    assert_non_null(strstr(bench.answer, "sh could not be started: chdir: No such file or directory"));
    bench_close(&bench);
}

static void a_command_sees_the_generation_but_not_the_workers_sockets(void **state)
{
    char *const envp[] = { (char *)"BATON_GENERATION=8",
                           (char *)"PATH=/usr/bin:/bin",
                           (char *)"LISTEN_FDS=2",
                           (char *)"LISTEN_PID=",
                           (char *)"BATON_CHANNEL=5",
                           (char *)"NOTIFY_SOCKET=@x",
                           (char *)"BATON_CHANNELS_ARE=fine",
                           NULL };
    char *argv[4];
    struct bench bench;

    (void)state;
    bench_open(
        &bench,
        command("[ \"$BATON_GENERATION $BATON_CHANNELS_ARE\" = '8 fine' ] && "
                "[ -z \"$LISTEN_FDS$LISTEN_PID$BATON_CHANNEL$NOTIFY_SOCKET\" ] && [ \"$PWD\" = /proc ]",
                argv),
        1);
    bench.target.envp = envp;
    bench.target.directory = "/proc";
    bench_run(&bench);
    if (!bench.success)
        fail_msg("%s", bench.answer);
    bench_close(&bench);
}

/* A FIFO that commands keep open: reading from it ends when the last of them is gone. */
static char fifo[] = "/tmp/baton-probe-XXXXXX";

static void make_fifo(void)
{
    strcpy(strrchr(fifo, '-') + 1, "XXXXXX");
    close(mkstemp(fifo));
    unlink(fifo);
    assert_return_code(mkfifo(fifo, 0600), errno);
}

static void assert_all_ended(int reader)
{
    char bytes[64];

    assert_return_code(fcntl(reader, F_SETFL, 0), errno);
    while (read(reader, bytes, sizeof bytes) > 0)
        ;
    close(reader);
    unlink(fifo);
}

static void a_command_that_hangs_is_killed_with_its_children(void **state)
{
    char script[128], *argv[4];
    struct bench bench;

    (void)state;
    make_fifo();
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    snprintf(script, sizeof script, "exec 3>%s; sleep 1000 & wait", fifo);
    bench_open(&bench, command(script, argv), 1);
    bench.target.timeout_ms = 100;
    bench_run(&bench);
    assert_false(bench.success);
    assert_string_equal(bench.answer, "sh did not end within 100ms");
    bench_close(&bench);
    assert_all_ended(reader);
}

static void what_a_command_leaves_running_ends_with_it(void **state)
{
    char script[128], *argv[4];
    struct bench bench;

    (void)state;
    make_fifo();
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    snprintf(script, sizeof script, "exec 3>%s; sleep 1000 & exit 0", fifo);
    bench_open(&bench, command(script, argv), 1);
    bench_run(&bench);
    assert_true(bench.success);
    assert_all_ended(reader);
    bench_close(&bench);
}

static void stop_in_callback(void *arg, bool success, const char *answer)
{
    struct bench *bench = arg;

    on_answer(bench, success, answer);
    probe_stop(bench->probe);
    bench->probe = NULL;
}

static void a_probe_may_be_stopped_at_any_time(void **state)
{
    const char *const replies[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
    char *argv[4];
    struct bench bench;

    (void)state;
    probe_stop(NULL);
    bench_open(&bench, http("/", 0), 1); /* before its first try */
    assert_int_equal(probe_start(bench.loop, &bench.target, on_answer, &bench, &bench.probe), 0);
    bench_close(&bench);
    bench_open(&bench, http("/", 0), 1); /* within the callback, after an answer */
    bench_serve(&bench, replies);
    assert_int_equal(probe_start(bench.loop, &bench.target, stop_in_callback, &bench, &bench.probe), 0);
    ev_run(bench.loop, 0);
    assert_true(bench.success);
    bench_close(&bench);
    bench_open(&bench, command("exit 1", argv), 1); /* within the callback, after a command */
    assert_int_equal(probe_start(bench.loop, &bench.target, stop_in_callback, &bench, &bench.probe), 0);
    ev_run(bench.loop, 0);
    assert_false(bench.success);
    bench_close(&bench);
    bench_open(&bench, command("sleep 1000", argv), 1); /* while a command runs */
    assert_int_equal(probe_start(bench.loop, &bench.target, on_answer, &bench, &bench.probe), 0);
    ev_run(bench.loop, EVRUN_ONCE);
    bench_close(&bench);
    assert_int_equal(bench.tries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(the_private_socket_is_on_loopback_only),
        GUARDED(the_status_decides),
        GUARDED(what_is_no_answer_says_why),
        GUARDED(headers_without_end_are_given_up),
        cmocka_unit_test(every_prefix_of_an_answer_is_incomplete_and_never_misread),
        GUARDED(it_asks_again_until_it_is_answered_well),
        GUARDED(silence_is_timed_out),
        GUARDED(nobody_listening_is_a_failed_try),
        GUARDED(the_exit_status_of_a_command_decides),
        GUARDED(a_command_that_cannot_be_started_is_a_failed_try),
        GUARDED(a_command_sees_the_generation_but_not_the_workers_sockets),
        GUARDED(a_command_that_hangs_is_killed_with_its_children),
        GUARDED(what_a_command_leaves_running_ends_with_it),
        GUARDED(a_probe_may_be_stopped_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
