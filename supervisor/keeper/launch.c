#include "supervisor/keeper/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "supervisor/keeper/say.h"

enum { FAST_MS = 2000, FIRST_DELAY_MS = 100, LAST_DELAY_MS = 5000, OLD_MS = 5000 };

extern char **environ;

uint64_t launch_delay_ms(unsigned fast_deaths)
{
    uint64_t delay_ms = FIRST_DELAY_MS;

    if (fast_deaths < 2)
        return 0;
    while (--fast_deaths >= 2 && delay_ms < LAST_DELAY_MS)
        delay_ms *= 2;
    return delay_ms < LAST_DELAY_MS ? delay_ms : LAST_DELAY_MS;
}

bool launch_is_crash_loop(const struct launch *launch)
{
    return launch->fast_deaths >= LAUNCH_SAFE_MODE && !launch->hello;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Whether `fd` is the binary that died before HELLO. A changed file is another one. */
static bool is_refused(const struct launch *launch, int fd)
{
    struct stat status;

    return launch->refused.st_ino != 0 && fstat(fd, &status) == 0 && is_same_file(&status, &launch->refused);
}

/* The file at the supervisor's path, or the one that worked. A descriptor or -errno. */
static int open_executable(const struct launch *launch, struct vault_table *table)
{
    const struct vault_record *proven = vault_find(table, VAULT_EXECUTABLE);
    int fd = open(launch->argv[0], O_PATH | O_CLOEXEC), error = errno;

    if (proven && (fd < 0 || is_refused(launch, fd))) {
        say("%s %s: starting the supervisor that worked before", launch->argv[0],
            fd < 0 ? "cannot be opened" : "does not work");
        if (fd >= 0)
            close(fd);
        fd = fcntl(proven->fd, F_DUPFD_CLOEXEC, 0);
        error = errno;
    }
    return fd < 0 ? -error : fd;
}

/* The death signal is set last and then checked against a keeper that is gone already. A session of its own
 * keeps what is sent to the keeper's group, Ctrl-C for instance, from the supervisor. */
static _Noreturn void become_supervisor(const struct launch *launch, int channel, pid_t keeper)
{
    char number[16];
    sigset_t none;

    snprintf(number, sizeof number, "%d", channel);
    sigemptyset(&none);
    if (setenv("BATON_KEEPER", number, 1) == 0 && fcntl(channel, F_SETFD, 0) == 0 && setsid() > 0 &&
        sigprocmask(SIG_SETMASK, &none, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
        getppid() == keeper)
        execveat(launch->executable, "", launch->argv, environ, AT_EMPTY_PATH);
    say("cannot execute %s: %s", launch->argv[0], strerror(errno));
    _exit(LAUNCH_NOT_EXECUTED);
}

static int run(struct launch *launch, int ends[2])
{
    pid_t keeper = getpid();
    int error = channel_pair(ends);

    if (error)
        return error;
    launch->pid = fork();
    if (launch->pid == 0)
        become_supervisor(launch, ends[1], keeper);
    error = launch->pid < 0 ? -errno : 0;
    close(ends[1]);
    if (error) {
        launch->pid = 0;
        close(ends[0]);
    }
    return error;
}

bool launch_end_old(struct vault_table *table)
{
    struct vault_record *record = vault_find(table, VAULT_SUPERVISOR);
    struct pollfd gone = { .fd = record ? record->fd : -1, .events = POLLIN };

    if (!record)
        return false;
    syscall(SYS_pidfd_send_signal, record->fd, SIGKILL, NULL, 0);
    poll(&gone, 1, OLD_MS);
    vault_remove(table, VAULT_SUPERVISOR);
    return true;
}

int launch_start(struct launch *launch, struct vault_table *table, uint64_t now_ms)
{
    struct vault_record *record;
    int ends[2], pidfd, error = 0;

    if (launch->executable >= 0)
        close(launch->executable);
    launch->executable = open_executable(launch, table);
    error = launch->executable < 0 ? launch->executable : run(launch, ends);
    if (error) {
        say("cannot start %s: %s", launch->argv[0], strerror(-error));
        launch->fast_deaths++;
        launch->start_at_ms = now_ms + FIRST_DELAY_MS + launch_delay_ms(launch->fast_deaths);
        return error;
    }
    pidfd = (int)syscall(SYS_pidfd_open, launch->pid, 0);
    if (pidfd >= 0)
        vault_put(table, VAULT_SUPERVISOR, 0, pidfd, now_ms, &record);
    launch->starts++;
    launch->hello = launch->broken = false;
    launch->started_ms = now_ms;
    return ends[0];
}

void launch_hello(struct launch *launch, struct vault_table *table, uint64_t now_ms)
{
    struct vault_record *proven = vault_find(table, VAULT_EXECUTABLE);
    struct stat running, before;
    int copy;

    launch->hello = true;
    launch->refused.st_ino = 0;
    if (fstat(launch->executable, &running) < 0 ||
        (proven && fstat(proven->fd, &before) == 0 && is_same_file(&running, &before)))
        return;
    copy = fcntl(launch->executable, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
        vault_put(table, VAULT_EXECUTABLE, 0, copy, now_ms, &proven);
}

static bool is_fast(const struct launch *launch, int status, uint64_t lived_ms)
{
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

    return !launch->hello || launch->broken || (lived_ms < FAST_MS && !killed);
}

static void write_obituary(const struct launch *launch, int status, uint64_t lived_ms, uint64_t delay_ms)
{
    bool signaled = WIFSIGNALED(status);

    say("supervisor ended pid=%d %s=%d lived_ms=%llu hello=%s next_start_ms=%llu safe_mode=%s", launch->pid,
        signaled ? "signal" : "status", signaled ? WTERMSIG(status) : WEXITSTATUS(status),
        (unsigned long long)lived_ms, launch->hello ? "yes" : "no", (unsigned long long)delay_ms,
        launch->fast_deaths >= LAUNCH_SAFE_MODE ? "yes" : "no");
}

void launch_died(struct launch *launch, struct vault_table *table, int status, uint64_t now_ms)
{
    uint64_t lived_ms = now_ms - launch->started_ms;

    launch->fast_deaths = is_fast(launch, status, lived_ms) ? launch->fast_deaths + 1 : 0;
    if (!launch->hello && vault_find(table, VAULT_EXECUTABLE))
        fstat(launch->executable, &launch->refused);
    launch->previous_status = status;
    launch->start_at_ms = now_ms + launch_delay_ms(launch->fast_deaths);
    write_obituary(launch, status, lived_ms, launch->start_at_ms - now_ms);
    launch->pid = 0;
    launch->hello = false;
}

void launch_kill(const struct launch *launch)
{
    if (launch->pid > 0)
        kill(launch->pid, SIGKILL); /* not reaped yet, so the number is still its own */
}
