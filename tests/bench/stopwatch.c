/* stopwatch upgrade PORT PID: sends SIGUSR2 to PID, the keeper of a service of stamped workers on
 * 127.0.0.1:PORT, and asks for a connection every PACE_US until the new generation answers. Prints in µs
 *
 *     signal -> main() of the new worker, main() -> READY, READY -> listener, READY -> first byte
 *
 * Without the pause, the old generation and this program would keep two processors from the supervisor; so
 * the last figure is known to within about two pauses.
 *
 * stopwatch spawn PROGRAM: starts `stamped` without baton; prints in µs: posix_spawn() -> its main().
 * stopwatch run TIMES COMMAND: prints for each run in ms: posix_spawn() -> its end, which must be a success.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/load_clock.h"

enum { PACE_US = 200, LIMIT_S = 20, EXIT_USAGE = 2, ANSWER_BYTES = 128 };

struct answer {
    uint32_t generation;
    uint64_t main_ns, ready_ns, listeners_ns;
    uint64_t first_byte_ns; /* when it was here */
};

extern char **environ;

static int fail(const char *what)
{
    fprintf(stderr, "stopwatch: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

/* --- an upgrade --- */

/* Connect and read the one line. 0, or -1 with errno. */
static int ask(const struct sockaddr_in *address, struct answer *answer)
{
    char line[ANSWER_BYTES];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return -1;
    ssize_t bytes = recv(fd, line, sizeof line - 1, 0); /* it was sent in one piece */
    answer->first_byte_ns = load_now_ns();
    close(fd);
    line[bytes > 0 ? bytes : 0] = '\0';
    if (sscanf(line, "%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64, &answer->generation, &answer->main_ns,
               &answer->ready_ns, &answer->listeners_ns) == 4)
        return 0;
    errno = bytes < 0 ? errno : EPROTO;
    return -1;
}

static double us(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(int64_t)(to_ns - from_ns) / 1000;
}

static int upgrade(uint16_t port, pid_t keeper)
{
    const struct timespec pace = { .tv_nsec = PACE_US * 1000 };
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons(port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct answer old, new;

    prctl(PR_SET_TIMERSLACK, 1UL); /* a pause is not made longer */
    if (ask(&address, &old) < 0)
        return fail("the old generation does not answer");
    uint64_t signal_ns = load_now_ns();
    if (kill(keeper, SIGUSR2) < 0)
        return fail("SIGUSR2");
    do {
        nanosleep(&pace, NULL);
        if (ask(&address, &new) < 0)
            return fail("a connection was not answered");
    } while (new.generation == old.generation);
    printf("%.1f %.1f %.1f %.1f\n", us(signal_ns, new.main_ns), us(new.main_ns, new.ready_ns),
           us(new.ready_ns, new.listeners_ns), us(new.ready_ns, new.first_byte_ns));
    return EXIT_SUCCESS;
}

/* --- programs --- */

/* Start `argv` with `output` as its standard output. The time of the start, or 0 with errno. */
static uint64_t start(char **argv, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    uint64_t start_ns = load_now_ns();
    errno = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return errno ? 0 : start_ns;
}

static bool succeeded(pid_t pid)
{
    int status;

    errno = EPROTO;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int measure_spawn(char **argv)
{
    char line[ANSWER_BYTES];
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail("pipe");
    uint64_t spawn_ns = start(argv, ends[1], &pid);
    close(ends[1]);
    if (spawn_ns == 0)
        return fail(argv[0]);
    ssize_t bytes = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    line[bytes > 0 ? bytes : 0] = '\0';
    if (!succeeded(pid) || bytes <= 0)
        return fail(argv[0]);
    printf("%.1f\n", us(spawn_ns, strtoull(line, NULL, 10)));
    return EXIT_SUCCESS;
}

static int measure_runs(unsigned long times, char **argv)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t pid;

    while (times-- > 0) {
        uint64_t start_ns = start(argv, null, &pid);
        if (start_ns == 0 || !succeeded(pid))
            return fail(argv[0]);
        printf("%.3f\n", us(start_ns, load_now_ns()) / 1000);
    }
    return EXIT_SUCCESS;
}

static unsigned long number(const char *text, unsigned long max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (value >= 1 && value <= max && !*end)
        return value;
    fprintf(stderr, "stopwatch: %s: a number from 1 to %lu\n", text, max);
    exit(EXIT_USAGE);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    alarm(LIMIT_S);
    if (argc == 4 && !strcmp(what, "upgrade"))
        return upgrade((uint16_t)number(argv[2], UINT16_MAX), (pid_t)number(argv[3], INT32_MAX));
    if (argc == 3 && !strcmp(what, "spawn"))
        return measure_spawn(argv + 2);
    if (argc >= 4 && !strcmp(what, "run"))
        return measure_runs(number(argv[2], 1000), argv + 3);
    fprintf(stderr, "usage: stopwatch upgrade PORT PID | spawn PROGRAM | run TIMES COMMAND [ARGUMENT]...\n");
    return EXIT_USAGE;
}
