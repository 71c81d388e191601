/* A keeper under test, with tests/workers/minisup as its supervisor.
 *
 * A failing step fails the cmocka test that runs. What supervisors report is kept in a bag until it is asked
 * for, so that the order of independent events does not matter. */
#ifndef BATON_TESTS_RIG_H
#define BATON_TESTS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rig {
    pid_t keeper;
    pid_t supervisor;
    int listener; /* supervisors connect here */
    int talk;     /* to the supervisor; -1: none */
    int words;    /* stderr of the keeper: a memfd */
    char name[64];
    char **bag;
    size_t bagged;
    /* What the last supervisor said at its start. */
    unsigned restarts, entries;
    int restarted, safe_mode, previous_status;
    unsigned long nofile_soft, nofile_hard;
};

struct rig_options {
    const char *supervisor;         /* path; NULL: minisup of the build */
    const char *const *environment; /* KEY=VALUE, NULL-terminated; on top of ours */
    const int *fds;                 /* become 3, 4, … with LISTEN_FDS; names in the environment */
    size_t fd_count;
    unsigned long nofile_soft, nofile_hard; /* 0: ours */
    bool pid_namespace;                     /* the keeper is PID 1 of its own */
};

/* Start a keeper and wait for its first supervisor. rig_launch() does not wait. false: a pid namespace is not
 * permitted here. */
bool rig_launch(struct rig *rig, const struct rig_options *options);
void rig_start(struct rig *rig, const struct rig_options *options);

/* Wait for the next supervisor, and for all it says at its start. */
void rig_accept(struct rig *rig);

/* Give a command; wait until it was obeyed. */
void rig_do(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Give a command that the supervisor does not live to answer. */
void rig_tell(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Wait for a report that begins with these words; its text, valid until the next call. */
const char *rig_await(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The entry of `id` as the last supervisor saw it at its start, "PID EXITED STATUS TARGET"; NULL: none. */
const char *rig_entry(struct rig *rig, const char *id);

/* Send `signo` to the supervisor; wait for the next one. */
void rig_replace(struct rig *rig, int signo);

/* Wait for the keeper's end; its status of waitpid(2). */
int rig_wait(struct rig *rig);

/* End everything: FINISH 0. Fails when the keeper does not exit with 0 or leaves a process behind. */
void rig_stop(struct rig *rig);

/* Free after rig_wait(); rig_stop() does it. Fails when a process was left behind. */
void rig_free(struct rig *rig);

/* Whether the keeper has said that on stderr. */
bool rig_said(const struct rig *rig, const char *words);

/* Parent and state ('Z': zombie) of a process; false: there is none. */
bool rig_process(pid_t pid, pid_t *parent, char *state);

/* The children of `parent`, at most `max`; zombies are left out. */
size_t rig_children(pid_t parent, pid_t *children, size_t max);

#endif
