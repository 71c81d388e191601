#include "supervisor/keeper/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Whatever is opened later must not become somebody's stderr. */
static void fill_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void setup_descriptors(int first)
{
    const char *text = getenv("BATON_LOCK");
    int lock = text ? atoi(text) : -1;

    unsetenv("BATON_LOCK");
    if (lock == first)
        fcntl(lock, F_SETFD, FD_CLOEXEC);
    else if (lock > first)
        lock = dup3(lock, first, O_CLOEXEC);
    close_range((unsigned)(lock == first ? first + 1 : first), ~0U, 0);
    fill_standard();
}

void setup_limit(struct rlimit *before)
{
    struct rlimit raised;

    *before = (struct rlimit){ 0 };
    getrlimit(RLIMIT_NOFILE, before);
    raised = (struct rlimit){ .rlim_cur = before->rlim_max, .rlim_max = before->rlim_max };
    setrlimit(RLIMIT_NOFILE, &raised);
}

int setup_signals(void)
{
    static const int wanted[] = { SIGCHLD, SIGUSR2, SIGHUP,  SIGUSR1, SIGWINCH,
                                  SIGTTIN, SIGTTOU, SIGQUIT, SIGTERM, SIGINT };
    sigset_t blocked, read;
    int fd;

    sigemptyset(&read);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&read, wanted[i]);
    sigfillset(&blocked);
    sigdelset(&blocked, SIGTSTP);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    fd = signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}
