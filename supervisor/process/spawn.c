#include "supervisor/process/spawn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/channel.h"
#include "supervisor/process/spawn_child.h"

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2) /* Linux 6.9 */
#endif

static const char *const step_names[SPAWN_STEPS] = {
    [SPAWN_STEP_SESSION] = "setsid",
    [SPAWN_STEP_STDIN] = "open /dev/null",
    [SPAWN_STEP_DESCRIPTORS] = "place descriptors",
    [SPAWN_STEP_LIMITS] = "setrlimit",
    [SPAWN_STEP_GROUPS] = "setgroups",
    [SPAWN_STEP_GID] = "setgid",
    [SPAWN_STEP_UID] = "setuid",
    [SPAWN_STEP_DIRECTORY] = "chdir",
    [SPAWN_STEP_DEATH_SIGNAL] = "prctl",
    [SPAWN_STEP_EXEC] = "exec",
};

static int plan_prepare(struct spawn_plan *plan, const struct spawn_request *request, int gate)
{
    size_t count = 0;

    while (request->envp[count])
        count++;
    *plan = (struct spawn_plan){
        .request = request,
        .parent = getpid(),
        .gate = gate,
        .executable = request->executable,
        .moved = calloc(3 + request->fd_count, sizeof *plan->moved),
        .envp = calloc(count + 1, sizeof *plan->envp),
        .listen_pid = SPAWN_LISTEN_PID,
    };
    if (!plan->moved || !plan->envp)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        plan->envp[i] = strcmp(request->envp[i], SPAWN_LISTEN_PID) ? request->envp[i] : plan->listen_pid;
    return 0;
}

static void plan_free(struct spawn_plan *plan)
{
    free(plan->moved);
    free(plan->envp);
}

/* Not fork(): its handlers belong to libraries, and only clone can make a sibling. clone3 is refused under
 * RestrictNamespaces=. Signals are blocked so that no handler of ours runs in the child. Returns the pid or
 * -errno. */
static pid_t clone_child(struct spawn_plan *plan, int *pidfd)
{
    unsigned long flags = SIGCHLD | CLONE_PIDFD | (plan->request->helper ? 0 : CLONE_PARENT);
    sigset_t all, before;
    long pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
    if (pid == 0)
        spawn_child(plan);
    if (pid < 0)
        pid = -errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return (pid_t)pid;
}

int spawn_start(const struct spawn_request *request, struct spawn *out)
{
    struct spawn_plan plan;
    int ends[2], pidfd = -1;
    pid_t pid;
    int error = channel_pair(ends);

    if (error)
        return error;
    error = plan_prepare(&plan, request, ends[1]);
    pid = error ? error : clone_child(&plan, &pidfd);
    plan_free(&plan);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return pid;
    }
    *out = (struct spawn){ .pid = pid, .pidfd = pidfd, .gate = ends[0] };
    return 0;
}

int spawn_go(struct spawn *spawn)
{
    return channel_send(spawn->gate, "go", 2, NULL, 0) == 0 ? 0 : -EPIPE;
}

static void read_report(const struct channel_packet *packet, struct spawn_failure *failure)
{
    struct spawn_report report = { .step = -1 };

    if (packet->size == sizeof report)
        memcpy(&report, packet->bytes, sizeof report);
    failure->error = report.error;
    failure->step = report.step >= 0 && report.step < SPAWN_STEPS ? step_names[report.step] : "unknown";
}

int spawn_result(struct spawn *spawn, struct spawn_failure *failure)
{
    struct channel_packet packet;
    int outcome;

    if (spawn->gate < 0)
        return SPAWN_EXECUTED;
    outcome = channel_receive(spawn->gate, &packet);
    if (outcome == CHANNEL_AGAIN)
        return SPAWN_PENDING;
    close(spawn->gate);
    spawn->gate = -1;
    if (outcome != 0)
        return SPAWN_EXECUTED;
    read_report(&packet, failure);
    channel_packet_close(&packet);
    return SPAWN_FAILED;
}

static int send_signal(int pidfd, int signo, unsigned flags)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, flags) == 0 ? 0 : -errno;
}

static int signal_group(const struct spawn *spawn, int signo)
{
    int error = send_signal(spawn->pidfd, signo, PIDFD_SIGNAL_PROCESS_GROUP);

    if (error != -EINVAL)
        return error;
    /* An older kernel. As long as the leader has not been reaped, its number is not another's group. */
    error = send_signal(spawn->pidfd, 0, 0);
    if (error)
        return error;
    return kill(-spawn->pid, signo) == 0 ? 0 : -errno;
}

int spawn_signal(const struct spawn *spawn, int signo, bool group)
{
    int error = group ? signal_group(spawn, signo) : -ESRCH;

    /* A child that was cloned a moment ago has no group yet. */
    return error == -ESRCH ? send_signal(spawn->pidfd, signo, 0) : error;
}

static const char *exec_hint(int error, const char *path)
{
    struct stat status;

    switch (error) {
    case ENOEXEC:
        return " (built for another architecture, or a script without a #! line)";
    case ENOENT:
        return stat(path, &status) == 0 ? " (the file is there, its interpreter or loader is not)" : "";
    case EACCES:
        return " (not executable, not reachable for this user, or on a noexec file system)";
    case E2BIG:
        return " (arguments and environment are too large)";
    default:
        return "";
    }
}

char *spawn_failure_text(const struct spawn_failure *failure, const struct spawn_request *request)
{
    const struct spawn_user *user = request->user && request->user->change ? request->user : NULL;
    const char *why = strerror(failure->error), *step = failure->step;
    char who[80] = "";
    char *text;
    int length;

    if (user && user->name)
        snprintf(who, sizeof who, " as user %.64s", user->name);
    else if (user)
        snprintf(who, sizeof who, " as uid %u", user->uid);
    if (!strcmp(step, step_names[SPAWN_STEP_EXEC]))
        length = asprintf(&text, "cannot execute %s%s: %s%s", request->path, who, why,
                          exec_hint(failure->error, request->path));
    else if (!strcmp(step, step_names[SPAWN_STEP_DIRECTORY]))
        length = asprintf(&text, "cannot enter the directory %s%s: %s", request->directory, who, why);
    else
        length = asprintf(&text, "cannot start %s%s: %s: %s", request->path, who, step, why);
    return length < 0 ? NULL : text;
}
