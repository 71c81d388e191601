#include "supervisor/process/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* stdin, stdout and stderr come before the descriptors of the request. */
enum { STANDARD_FDS = 3 };

/* A step that failed is reported on the gate and ends the child. */
static void require(const struct spawn_plan *plan, enum spawn_step step, long result)
{
    struct spawn_report report = { .step = (int32_t)step, .error = errno };

    if (result >= 0)
        return;
    send(plan->gate, &report, sizeof report, MSG_NOSIGNAL);
    _exit(SPAWN_EXIT_FAILED);
}

/* exec keeps what is ignored. The system call itself: sigaction() refuses the two signals that belong to
 * libc, which a parent that used posix_spawn() has left ignored. All zero is the default on every
 * architecture. */
static void reset_dispositions(void)
{
    const unsigned long standard[8] = { 0 };

    for (int signo = 1; signo < NSIG; signo++)
        syscall(SYS_rt_sigaction, signo, standard, NULL, NSIG / 8);
}

static int source_of(const struct spawn_request *request, size_t index)
{
    switch (index) {
    case STDIN_FILENO:
        return -1;
    case STDOUT_FILENO:
        return request->stdout_fd;
    case STDERR_FILENO:
        return request->stderr_fd;
    default:
        return request->fds[index - STANDARD_FDS];
    }
}

/* A copy with a number of at least `above`; the caller's variable changes on success only. */
static int move_above(int above, int *fd)
{
    int copy = fcntl(*fd, F_DUPFD_CLOEXEC, above);

    if (copy >= 0)
        *fd = copy;
    return copy;
}

/* Everything is copied out of the way first, so that no target can hit a source that is still needed. */
static int place_descriptors(struct spawn_plan *plan, int null)
{
    int count = STANDARD_FDS + (int)plan->request->fd_count;
    int above = count + 2; /* behind the gate and the executable */

    for (int i = 0; i < count; i++) {
        int source = source_of(plan->request, (size_t)i);

        plan->moved[i] = source < 0 ? null : source;
        if (move_above(above, &plan->moved[i]) < 0)
            return -1;
    }
    if (move_above(above, &plan->gate) < 0 ||
        (plan->executable >= 0 && move_above(above, &plan->executable) < 0))
        return -1;
    for (int i = 0; i < count; i++)
        if (dup2(plan->moved[i], i) < 0)
            return -1;
    plan->gate = dup3(plan->gate, count, O_CLOEXEC);
    if (plan->executable >= 0)
        plan->executable = dup3(plan->executable, count + 1, O_CLOEXEC);
    return close_range((unsigned)(plan->executable >= 0 ? above : count + 1), ~0U, 0);
}

static int set_limits(const struct spawn_request *request)
{
    struct rlimit limit = { .rlim_cur = request->nofile_soft, .rlim_max = request->nofile_hard };

    if (limit.rlim_cur == 0 && limit.rlim_max == 0)
        return 0;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* The system calls themselves: libc's functions would look for threads of the process this is a copy of. */
static void become_user(const struct spawn_plan *plan, const struct spawn_user *user)
{
    require(plan, SPAWN_STEP_GROUPS, syscall(SYS_setgroups, user->group_count, user->groups));
    require(plan, SPAWN_STEP_GID, syscall(SYS_setresgid, user->gid, user->gid, user->gid));
    require(plan, SPAWN_STEP_UID, syscall(SYS_setresuid, user->uid, user->uid, user->uid));
}

/* A change of user clears the death signal, so it is set after that; the parent may be gone already. */
static void die_with_parent(const struct spawn_plan *plan)
{
    require(plan, SPAWN_STEP_DEATH_SIGNAL, prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (getppid() != plan->parent)
        _exit(SPAWN_EXIT_ORPHANED);
}

static void wait_for_go(const struct spawn_plan *plan)
{
    char go;
    ssize_t size;

    fcntl(plan->gate, F_SETFL, 0); /* this end blocks */
    do
        size = recv(plan->gate, &go, sizeof go, 0);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        _exit(SPAWN_EXIT_ORPHANED);
}

static void write_pid(char *text)
{
    char digits[3 * sizeof(pid_t)];
    size_t count = 0;

    for (pid_t pid = getpid(); pid > 0; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

static bool is_same_file(int fd, const char *path)
{
    struct stat held, named;

    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static int execute(const struct spawn_plan *plan)
{
    const struct spawn_request *request = plan->request;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (plan->executable < 0 || is_same_file(plan->executable, request->path))
        return execve(request->path, request->argv, plan->envp);
    return execveat(plan->executable, "", request->argv, plan->envp, AT_EMPTY_PATH);
}

void spawn_child(struct spawn_plan *plan)
{
    const struct spawn_request *request = plan->request;
    int null;

    reset_dispositions();
    require(plan, SPAWN_STEP_SESSION, setsid());
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    require(plan, SPAWN_STEP_STDIN, null);
    require(plan, SPAWN_STEP_DESCRIPTORS, place_descriptors(plan, null));
    umask(request->umask);
    require(plan, SPAWN_STEP_LIMITS, set_limits(request));
    if (request->user && request->user->change)
        become_user(plan, request->user);
    if (request->directory)
        require(plan, SPAWN_STEP_DIRECTORY, chdir(request->directory));
    write_pid(plan->listen_pid + strlen(SPAWN_LISTEN_PID));
    if (request->helper)
        die_with_parent(plan);
    else
        wait_for_go(plan);
    require(plan, SPAWN_STEP_EXEC, execute(plan));
    _exit(SPAWN_EXIT_FAILED);
}
