/* The only fork and exec of the supervisor: workers (children of the keeper, behind a gate) and
 * helpers (exec: checks and hooks; our own children, killed when we die).
 *
 * A child inherits exactly what the request lists: stdin is /dev/null, stdout and stderr as given,
 * `fds` from 3 on, everything else is closed; default signal dispositions, empty mask, its own session
 * and process group, no controlling terminal. Limits are set before the user changes (raising one may
 * need root), the directory is entered after it: the target user's permissions decide. */
#ifndef BATON_SPAWN_H
#define BATON_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn_user {
    bool change; /* false: as baton itself */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary; malloc'd by spawn_user_resolve() */
    size_t group_count;
    char *name, *home; /* for USER, LOGNAME, HOME; NULL without an account */
};

struct spawn_request {
    /* Descriptor (O_PATH will do) of a binary, or -1: exec `path` (scripts: an interpreter would be given the
     * number of a descriptor that is closed by then). While `path` still is the same file it is executed
     * under that name: before Linux 6.14 a program started from a descriptor shows up as "5" in ps and top.
     */
    int executable;
    const char *path; /* resolved path; also what errors name */
    char *const *argv;
    char *const *envp;             /* an element "LISTEN_PID=" (empty) gets the child's pid filled in */
    const char *directory;         /* NULL: stay */
    const struct spawn_user *user; /* NULL: as baton itself */
    mode_t umask;
    uint64_t nofile_soft, nofile_hard; /* both 0: leave */
    int stdout_fd, stderr_fd;          /* -1: /dev/null */
    const int *fds; /* become 3, 4, …; close-on-exec cleared in the child; -1: /dev/null */
    size_t fd_count;
    bool helper; /* false: clone(CLONE_PARENT): the keeper's child, waits at the gate.
                  * true: our child, no gate, SIGKILL when we die (set after the user change, then getppid()
                  * is checked) */
};

/* A started child. */
struct spawn {
    pid_t pid;
    int pidfd; /* owned by the caller, close-on-exec */
    int gate;  /* readable when spawn_result() has something to say; -1 after that */
};

/* Where exec failed; the child has exited. */
struct spawn_failure {
    const char *step; /* "chdir", "setgroups", "setuid", "exec", … (static) */
    int error;        /* errno of that step */
};

enum { SPAWN_EXECUTED = 1, SPAWN_FAILED = 2, SPAWN_PENDING = 3 };

/* Exit status of a child whose gate closed without "go" (its supervisor died before the keeper had it), and
 * of one that could not be executed. */
enum { SPAWN_EXIT_ORPHANED = 122, SPAWN_EXIT_FAILED = 127 };

/* Look up `user` (name or number) and `group` (name, number, or NULL: the user's own); NULL user and group:
 * `change` false. Asks the name service, which may read files or the network. Ends by spawn_user_free(). 0,
 * or -ENOENT (`what`: "user", "group", or "group of a user without an account"; static), -EPERM: not root and
 * another user or group is asked for, -ENOMEM. */
int spawn_user_resolve(const char *user, const char *group, struct spawn_user *out, const char **what);
void spawn_user_free(struct spawn_user *user);

/* Start; a worker waits at its gate until spawn_go(), everything but the exec already done. The request may
 * be freed afterwards. Returns 0 or -errno (EAGAIN: process limit, EMFILE, ENOMEM). */
int spawn_start(const struct spawn_request *request, struct spawn *out);

/* Open the gate: call it after the keeper has STORED the pidfd. 0, or -EPIPE when the child is gone already:
 * spawn_result() says why. */
int spawn_go(struct spawn *spawn);

/* Non-blocking: SPAWN_EXECUTED (the exec succeeded), SPAWN_FAILED (`failure` is filled; EOF of a killed child
 * counts as executed: its exit tells the rest), SPAWN_PENDING. The gate is closed unless pending; without a
 * gate (-1) the answer is SPAWN_EXECUTED. */
int spawn_result(struct spawn *spawn, struct spawn_failure *failure);

/* Send a signal through the pidfd: to the process, or (`group`) to its whole process group. 0, or -ESRCH, or
 * -EPERM. Before Linux 6.9 the group of a leader that was reaped cannot be reached safely: -ESRCH. */
int spawn_signal(const struct spawn *spawn, int signo, bool group);

/* A sentence for people: "cannot execute /srv/app: Exec format error (…)". malloc'd; NULL: out of memory. */
char *spawn_failure_text(const struct spawn_failure *failure, const struct spawn_request *request);

#endif
