#include "supervisor/process/probe_exec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"
#include "supervisor/process/command.h"
#include "supervisor/process/spawn.h"

enum { ANSWER_BYTES = 256 };

struct probe_exec {
    struct ev_loop *loop;
    const char *name;          /* the command's last path component */
    probe_answer_fn *answered; /* NULL: stopped, or answered; it lives on until its child is reaped */
    void *arg;
    struct timespec began;
    struct spawn child;
    ev_io io; /* the pidfd: readable when the child has ended */
    bool running;
};

static bool is_the_workers_own(const char *variable)
{
    static const char *const prefixes[] = { "LISTEN_", "BATON_CHANNEL=", "NOTIFY_SOCKET=", "WATCHDOG_" };

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (!strncmp(variable, prefixes[i], strlen(prefixes[i])))
            return true;
    }
    return false;
}

/* `envp` less what belongs to the worker; the strings are borrowed. */
static char **environment_of(char *const *envp)
{
    size_t count = 0, kept = 0;

    while (envp[count])
        count++;
    char **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++) {
        if (!is_the_workers_own(envp[i]))
            list[kept++] = envp[i];
    }
    return list;
}

static int spawn_check(const struct probe_target *target, struct spawn *child, char **reason)
{
    char *const *argv = target->check->argv;
    char *path, **envp;
    int fd;
    int error = command_find(argv[0], command_search_path(target->envp),
                             target->directory ? target->directory : "/", &fd, &path, reason);

    if (error)
        return error;
    close(fd);
    envp = environment_of(target->envp);
    struct spawn_request request = {
        .executable = -1,
        .path = path,
        .argv = argv,
        .envp = envp,
        .directory = target->directory,
        .user = target->user,
        .umask = 022,
        .stdout_fd = -1,
        .stderr_fd = STDERR_FILENO,
        .helper = true,
    };
    error = envp ? spawn_start(&request, child) : -ENOMEM;
    free(envp);
    free(path);
    return error ? sentence(reason, error, "cannot start %s: %s", argv[0], strerror(-error)) : 0;
}

static long elapsed_ms(const struct probe_exec *exec)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - exec->began.tv_sec) * 1000 + (now.tv_nsec - exec->began.tv_nsec) / 1000000;
}

static void answer_end(struct probe_exec *exec, const siginfo_t *end)
{
    bool exited = end->si_code == CLD_EXITED, success = false;
    struct spawn_failure failure;
    char answer[ANSWER_BYTES];

    if (spawn_result(&exec->child, &failure) == SPAWN_FAILED)
        snprintf(answer, sizeof answer, "%.100s could not be started: %s: %s", exec->name, failure.step,
                 strerror(failure.error));
    else if (end->si_pid == 0)
        snprintf(answer, sizeof answer, "%.100s ended, but its status is lost", exec->name);
    else if (exited && end->si_status)
        snprintf(answer, sizeof answer, "%.100s exited with status %d", exec->name, end->si_status);
    else if (!exited)
        snprintf(answer, sizeof answer, "%.100s was killed by signal %d (%s)", exec->name, end->si_status,
                 strsignal(end->si_status));
    else
        success =
            snprintf(answer, sizeof answer, "%.100s succeeded in %ld ms", exec->name, elapsed_ms(exec)) > 0;
    exec->answered(exec->arg, success, answer);
}

/* The group, and the child itself: just after its start it may not have a group of its own yet. */
static void kill_all(const struct probe_exec *exec)
{
    spawn_signal(&exec->child, SIGKILL, true);
    spawn_signal(&exec->child, SIGKILL, false);
}

static void on_ended(struct ev_loop *loop, ev_io *io, int events)
{
    struct probe_exec *exec = io->data;
    siginfo_t end = { 0 };

    (void)events;
    ev_io_stop(loop, io);
    exec->running = false;
    spawn_signal(&exec->child, SIGKILL,
                 true); /* before the leader is reaped: then the group is still its own */
    if (waitid(P_PIDFD, (id_t)exec->child.pidfd, &end, WEXITED | WNOHANG))
        end.si_pid = 0;
    if (exec->answered)
        answer_end(exec, &end);
    else
        probe_exec_stop(exec);
}

int probe_exec_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered,
                     void *arg, struct probe_exec **out, char **reason)
{
    struct probe_exec *exec = calloc(1, sizeof *exec);
    const char *slash = strrchr(target->check->argv[0], '/');

    if (!exec)
        return sentence(reason, -ENOMEM, "out of memory");
    int error = spawn_check(target, &exec->child, reason);
    if (error) {
        free(exec);
        return error;
    }
    exec->loop = loop;
    exec->name = slash ? slash + 1 : target->check->argv[0];
    exec->answered = answered;
    exec->arg = arg;
    exec->running = true;
    clock_gettime(CLOCK_MONOTONIC, &exec->began);
    ev_io_init(&exec->io, on_ended, exec->child.pidfd, EV_READ);
    exec->io.data = exec;
    ev_io_start(loop, &exec->io);
    *out = exec;
    return 0;
}

void probe_exec_stop(struct probe_exec *exec)
{
    if (exec->running) {
        exec->answered = NULL;
        kill_all(exec);
        return; /* on_ended() comes back here */
    }
    close(exec->child.pidfd);
    if (exec->child.gate >= 0)
        close(exec->child.gate);
    free(exec);
}
