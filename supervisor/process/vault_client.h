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

/* An id has 1..24 bytes of [A-Za-z0-9._-]; it is a key ("w12.pidfd"), not a service's name. */
enum { VAULT_ID_BYTES = 25 };

struct vault_entry {
    char id[VAULT_ID_BYTES];
    int fd;      /* ours: a duplicate of the keeper's copy, close-on-exec */
    pid_t pid;   /* 0: not a process; else the process this pidfd stands for */
    bool exited; /* the keeper has reaped it */
    int status;  /* of waitpid(2), when exited; -1: it ended, nobody knows how */
};

/* How this supervisor was started. */
struct vault_start {
    bool restarted;      /* a supervisor ran before under this keeper */
    bool safe_mode;      /* several died quickly: serve, change nothing */
    int previous_status; /* of waitpid(2) of the one before, when restarted */
    unsigned restarts;   /* since the keeper began */
    unsigned long nofile_soft,
        nofile_hard; /* RLIMIT_NOFILE that baton was started with: workers get it back */
};

struct vault_handlers {
    void (*on_stored)(void *arg, const char *id); /* the keeper has it */
    void (*on_exit)(void *arg, const char *id, pid_t pid,
                    int status);             /* the process of entry `id` was reaped */
    void (*on_signal)(void *arg, int signo); /* a signal to the main PID */
    void (*on_closed)(void *arg);            /* the keeper is gone; end */
};

struct vault;

/* Take over `fd` (the channel inherited from the keeper) and receive every entry; waits at most 10 s.
 * `entries` (malloc'd array; the descriptors belong to the caller from now on) and `start` are filled on
 * success. Returns 0; -EPROTO: the keeper speaks another version, -ETIMEDOUT, -ENOMEM, … (fd is closed). */
int vault_open(int fd, const struct vault_handlers *handlers, void *arg, struct vault **out,
               struct vault_entry **entries, size_t *count, struct vault_start *start);

int vault_fd(const struct vault *vault);           /* to watch for reading */
bool vault_wants_write(const struct vault *vault); /* watch for writing too */
void vault_dispatch(struct vault *vault);          /* handle what arrived, send what is queued */

/* Queue: keep a duplicate of `fd` (which stays the caller's) under `id`, replacing an entry of that id.
 * pid > 0: a pidfd of a child of the keeper whose exit is to be recorded. on_stored follows.
 * Returns 0, -EINVAL (id), -ENOMEM, -EPIPE, or what dup gave. */
int vault_store(struct vault *vault, const char *id, pid_t pid, int fd);
int vault_drop(struct vault *vault, const char *id);     /* an unknown id is fine */
int vault_signal_done(struct vault *vault, int signo);   /* recorded: do not tell the next supervisor */
int vault_hello(struct vault *vault);                    /* state restored, serving: this binary works */
int vault_notify(struct vault *vault, const char *text); /* "READY=1\nSTATUS=…" to systemd, if there is one */
/* Everything has ended: the keeper exits with `code` (0..255) as soon as this supervisor has. */
int vault_finish(struct vault *vault, int code);

void vault_close(struct vault *vault); /* the entries' descriptors are not touched */

#endif
