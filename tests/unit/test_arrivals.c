/* Listeners that were inherited: LISTEN_FDS, through libbaton as a worker sees them. */
#include "proto/arrivals.h"

#include <sys/wait.h>

#include "tests/unit/fake_supervisor.h"

/* What a child does with descriptors 3 and 4; returns its exit status, 0 is well. */
static int in_child(int (*child)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        char number[16];

        alarm(GUARD_LIMIT_S);
        for (int fd = 3; fd <= 4; fd++)
            dup2(STDERR_FILENO, fd);
        close(5);
        snprintf(number, sizeof number, "%d", (int)getpid());
        setenv("LISTEN_PID", number, 1);
        setenv("LISTEN_FDS", "2", 1);
        setenv("LISTEN_FDNAMES", "web:tls", 1);
        memset(&worker, 0, sizeof worker);
        _exit(child());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static int take_inherited(void)
{
    CHECK(baton_open(&worker.baton, &handlers, &worker) == 0);
    CHECK(baton_fd(worker.baton) == -1);
    CHECK(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && !getenv("LISTEN_FDNAMES"));
    CHECK(worker.sets == 0);
    CHECK(baton_dispatch(worker.baton) == 0);
    CHECK(baton_dispatch(worker.baton) == 0);
    CHECK(worker.sets == 1 && worker.count == 2);
    CHECK(worker.fds[0] == 3 && !strcmp(worker.names[0], "web"));
    CHECK(worker.fds[1] == 4 && !strcmp(worker.names[1], "tls"));
    CHECK(baton_ready(worker.baton) == -EPIPE);
    baton_close(worker.baton);
    CHECK(fcntl(3, F_GETFD) == FD_CLOEXEC);
    return 0;
}

static int take_inherited_beside_a_channel(void)
{
    int ends[2];

    CHECK(channel_pair(ends) == 0);
    put_channel_into_environment(ends[1]);
    CHECK(baton_open(&worker.baton, &handlers, &worker) == 0);
    CHECK(baton_wants_write(worker.baton)); /* so that the first dispatch comes without a message */
    CHECK(baton_dispatch(worker.baton) == 0);
    CHECK(worker.sets == 1 && worker.count == 2);
    CHECK(!baton_wants_write(worker.baton));
    supervisor = ends[0];
    hear(MESSAGE_HELLO);
    say_welcome();
    CHECK(hear(MESSAGE_HELLO)->hello.listeners_held == 2);
    baton_close(worker.baton);
    return 0;
}

static int take_unnamed(void)
{
    unsetenv("LISTEN_FDNAMES");
    CHECK(baton_open(&worker.baton, &handlers, &worker) == 0);
    CHECK(baton_dispatch(worker.baton) == 0);
    CHECK(worker.count == 2);
    CHECK(!strcmp(worker.names[0], "unknown") && !strcmp(worker.names[1], "unknown"));
    baton_close(worker.baton);
    return 0;
}

static int leave_what_is_for_another_process(void)
{
    setenv("LISTEN_PID", "1", 1);
    CHECK(baton_open(&worker.baton, &handlers, &worker) == -ENOENT);
    CHECK(getenv("LISTEN_FDS"));
    CHECK(fcntl(3, F_GETFD) == 0);
    return 0;
}

static int refuse_contradictions(void)
{
    static const char *const bad[][2] = {
        { "LISTEN_FDS", "3" },    { "LISTEN_FDS", "x" },       { "LISTEN_FDS", "-1" },
        { "LISTEN_FDS", "4097" }, { "LISTEN_FDNAMES", "web" }, { "LISTEN_FDNAMES", "a:b:c" },
        { "LISTEN_FDNAMES", "" }, { "LISTEN_PID", "x" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *before = strdup(getenv(bad[i][0]));

        setenv(bad[i][0], bad[i][1], 1);
        CHECK(baton_open(&worker.baton, &handlers, &worker) == -EINVAL);
        CHECK(!worker.baton);
        CHECK(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0);
        CHECK(!strcmp(getenv(bad[i][0]), bad[i][1]));
        setenv(bad[i][0], before, 1);
        free(before);
    }
    return 0;
}

static int close_undelivered(void)
{
    CHECK(baton_open(&worker.baton, &handlers, &worker) == 0);
    baton_close(worker.baton);
    CHECK(fcntl(3, F_GETFD) == -1 && fcntl(4, F_GETFD) == -1);
    return 0;
}

static void listen_fds_are_delivered_by_the_first_dispatch(void **state)
{
    (void)state;
    assert_int_equal(in_child(take_inherited), 0);
    assert_int_equal(in_child(take_inherited_beside_a_channel), 0);
    assert_int_equal(in_child(take_unnamed), 0);
}

static void listen_fds_that_are_not_ours_or_wrong_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(in_child(leave_what_is_for_another_process), 0);
    assert_int_equal(in_child(refuse_contradictions), 0);
}

static void listen_fds_that_were_never_delivered_are_closed(void **state)
{
    (void)state;
    assert_int_equal(in_child(close_undelivered), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(listen_fds_are_delivered_by_the_first_dispatch),
        GUARDED(listen_fds_that_are_not_ours_or_wrong_are_left_alone),
        GUARDED(listen_fds_that_were_never_delivered_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
