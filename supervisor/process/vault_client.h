/* The supervisor's side of the keeper: descriptors that must outlive us, exits, signals, systemd.
 *
 * Nothing here blocks but vault_open() (bounded). Messages from the keeper are peeked, handed to the
 * handler, and only then taken; the keeper repeats what was not acknowledged to the next supervisor:
 * exits until the entry is dropped, signals until vault_signal_done(). So a handler records first. */
#ifndef BATON_VAULT_CLIENT_H
#define BATON_VAULT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* An id has 1..24 bytes of [A-Za-z0-9._-]; it is a key ("w12.pidfd"), not a service's name. "supervisor" and
 * "supervisor.exe" are the keeper's own. */
enum { VAULT_ID_BYTES = 25 };

struct vault_entry {
    char id[VAULT_ID_BYTES];
    int fd;      /* ours: a duplicate of the keeper's copy, close-on-exec */
    pid_t pid;   /* 0: not a process; else the process this pidfd stands for; -1: of a process that had ended
                    when a crashed keeper was replaced, so its pid is not known any more */
    bool exited; /* it has ended: the keeper has reaped it, or (after a crash of the keeper) seen its end */
    int status;  /* of waitpid(2), when exited; -1: nobody knows how it ended */
};

/* How this supervisor was started. */
struct vault_start {
    bool restarted;      /* a supervisor ran before, under this keeper or one that crashed */
    bool safe_mode;      /* several died quickly: serve, change nothing */
    int previous_status; /* of waitpid(2) of the one before, when restarted; -1: nobody knows */
    unsigned restarts;   /* since this keeper began */
    unsigned long nofile_soft,
        nofile_hard; /* RLIMIT_NOFILE that baton was started with: workers get it back */
};

/* Each may call any function of this header but vault_dispatch() and vault_close(). */
struct vault_handlers {
    /* The keeper has it, and systemd's store too: said once per vault_store(), in the order of the calls. */
    void (*on_stored)(void *arg, const char *id);
    /* Instead of on_stored (NULL: not of interest): the keeper does not have it. `error` is an errno: ENOSPC:
     * the vault or its limit of descriptors is full, EINVAL: `pid` was given with what is no pidfd, EPERM: an
     * id of the keeper. */
    void (*on_refused)(void *arg, const char *id, int error);
    /* The process of entry `id` has ended; never before on_stored. -1: nobody knows how. */
    void (*on_exit)(void *arg, const char *id, pid_t pid, int status);
    /* A signal to the main PID: USR2 HUP USR1 WINCH TTIN TTOU QUIT TERM INT. */
    void (*on_signal)(void *arg, int signo);
    /* The keeper is gone, or speaks nonsense; said once. End. */
    void (*on_closed)(void *arg);
};

struct vault;

/* Take the channel to the keeper out of the environment (BATON_KEEPER); close-on-exec from then on. The
 * descriptor, or -ENOENT: not started by a keeper, -EINVAL, -EBADF, -ENOTSOCK, -EPROTOTYPE: not a channel. */
int vault_inherited(void);

/* Take over `fd` and receive every entry; waits at most 10 s. `handlers` is copied.
 * `entries` (malloc'd array; the descriptors belong to the caller from now on) and `start` are filled on
 * success. Returns 0; -EPROTO: the keeper speaks another version, -ETIMEDOUT, -EPIPE: it is gone, -ENOMEM, …
 * (fd is closed, and so is every descriptor that had arrived). */
int vault_open(int fd, const struct vault_handlers *handlers, void *arg, struct vault **out,
               struct vault_entry **entries, size_t *count, struct vault_start *start);

int vault_fd(const struct vault *vault);           /* to watch for reading; -1 after on_closed */
bool vault_wants_write(const struct vault *vault); /* watch for writing too */
void vault_dispatch(struct vault *vault);          /* handle what arrived, send what is queued */

/* Queue: keep a duplicate of `fd` (which stays the caller's) under `id`, replacing an entry of that id.
 * pid > 0: a pidfd of a child of the keeper whose exit is to be recorded. on_stored or on_refused follows,
 * unless the entry is dropped before. What was queued when this process dies is lost, what was sent is not;
 * it is sent at once as long as vault_wants_write() is false. Returns 0, -EINVAL (id), -ENOMEM, -EPIPE (the
 * keeper is gone), or what dup gave. */
int vault_store(struct vault *vault, const char *id, pid_t pid, int fd);

/* The others are queued in the same order. Returns 0, -EINVAL, -ENOMEM, -EPIPE. */
int vault_drop(struct vault *vault, const char *id);     /* an unknown id is fine */
int vault_signal_done(struct vault *vault, int signo);   /* recorded: do not tell the next supervisor */
int vault_hello(struct vault *vault);                    /* state restored, serving: this binary works */
int vault_notify(struct vault *vault, const char *text); /* "READY=1\nSTATUS=…" to systemd, if there is one;
                                                            at most 1023 bytes, else -EINVAL */
/* Everything has ended: the keeper exits with `code` (0..255) as soon as this supervisor has. Processes that
 * still are in the vault are killed then. */
int vault_finish(struct vault *vault, int code);

void vault_close(struct vault *vault); /* the entries' descriptors are not touched; NULL is fine */

#endif
