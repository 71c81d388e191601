/* One worker: a slot of a generation with the process that fills it and everything that belongs to it:
 * gate, pidfd, channel, notify socket, readiness check, timers. Turns facts into events of the table in
 * core/lifecycle.h and carries the table's actions out.
 *
 * Vault entries of a process: "w<serial>.c" channel, ".n" notify socket, ".q" probe socket, ".p" pidfd (last:
 * when the keeper has it, it has all). */
#ifndef BATON_WORKER_H
#define BATON_WORKER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/config.h"
#include "supervisor/core/lifecycle.h"
#include "supervisor/process/environment.h"
#include "supervisor/process/native.h"
#include "supervisor/process/notify.h"
#include "supervisor/process/probe.h"
#include "supervisor/process/release.h"
#include "supervisor/process/runtime.h"
#include "supervisor/process/spawn.h"

struct worker;

/* What the workers of one generation share; owned by the generation, outlives them. */
struct worker_plan {
    struct runtime *runtime;
    uint32_t generation;
    const struct config_service *service;
    const struct release *release;
    const struct spawn_user *user;
    int output;                              /* stdout and stderr; -1: /dev/null */
    const struct native_listener *listeners; /* the public ones, peeked */
    size_t listener_count;
    uint64_t drain_ms; /* how long a retired worker may drain */

    /* Told from inside a worker's step; may be called while a worker is being told to do something. */
    void (*on_ready)(void *arg, struct worker *worker);
    void (*on_serving)(void *arg, struct worker *worker);
    void (*on_failed)(void *arg, struct worker *worker); /* worker->reason says why */
    void (*on_gone)(void *arg, struct worker *worker);
    void (*on_notice)(void *arg, struct worker *worker,
                      const char *text); /* something a person should know */
    void *arg;
};

enum { WORKER_REASON_BYTES = 512, WORKER_STATUS_BYTES = 256 };

struct worker {
    const struct worker_plan *plan;
    unsigned number; /* 1, 2, … in its generation */
    enum worker_state state;
    bool wanted; /* false: scaled away, its slot is not filled again */

    uint64_t serial; /* of the process; 0: none */
    struct spawn spawn;
    struct native *native; /* NULL: no channel (any more) */
    struct notify notify;
    int probe_socket; /* -1: none */
    struct sockaddr_storage probe_address;
    socklen_t probe_length;
    struct probe *probe;

    bool greeted;                     /* has spoken the native protocol */
    bool probe_given;                 /* native: the probe socket was sent over the channel */
    bool verifying;                   /* `verify` asks */
    uint64_t started_ms, deadline_ms; /* monotonic; deadline 0: no timer */
    unsigned failures;                /* quick deaths in a row */
    unsigned restarts;
    unsigned checks_failed; /* answers of `verify` in a row */
    unsigned cut;           /* connections that were open when its time was up */
    struct native_status status;
    bool has_status;
    char reason[WORKER_REASON_BYTES]; /* of the last failure, one sentence without the subject: "exited with
                                         status 1 after 0.1 s" */
    char said[WORKER_STATUS_BYTES];   /* STATUS= or BYE */
    char answer[WORKER_STATUS_BYTES]; /* last answer of a check */

    struct environment *environment; /* of the process; exec: checks get it too */
    bool enlisted;                   /* the public listeners were sent (or were there at exec) */
    bool resumed;                    /* taken over from a supervisor before us; its HELLO is still to come */
    bool exit_pending;               /* the process is gone, or never was: the loop tells it soon */
    int exit_status;                 /* of the pending exit; meaningless when `reason` is set */
    int restored_channel;            /* from the vault, until worker_resume() */
    struct runtime_later go;         /* open the gate, once it is recorded that it may run */
    ev_io gate_io, notify_io;
    ev_timer timer, lost_timer;
    void (*on_verified)(void *arg, struct worker *worker, bool success);
};

void worker_init(struct worker *worker, const struct worker_plan *plan, unsigned number);

/* Start a process in the slot now. What fails is told as on_failed and on_gone, from the loop. */
void worker_start(struct worker *worker);

/* The event happened; the table decides. */
void worker_event(struct worker *worker, enum worker_event event);

/* Ask `verify` on the private socket; the plan's service says how. Answers once, maybe at once. */
void worker_verify(struct worker *worker, void (*answered)(void *arg, struct worker *worker, bool success));

/* The keeper's news about vault entries. True: it was this worker's. */
bool worker_stored(struct worker *worker, const char *id);
bool worker_refused(struct worker *worker, const char *id, int error);
bool worker_exited(struct worker *worker, const char *id, int status);

/* Tell a native worker whether its generation is the serving one. */
void worker_tell_role(struct worker *worker, bool serving);

/* After a restore: the fields above `gate_io` were read from the state, descriptors are put in by vault id.
 */
bool worker_take_entry(struct worker *worker, const struct vault_entry *entry); /* false: not ours */
void worker_resume(struct worker *worker); /* all entries are in: watch, say WELCOME, arm what was armed,
                                              repeat what is idempotent */

bool worker_alive(const struct worker *worker); /* a process exists */

void worker_free(struct worker *worker); /* nothing is signalled; vault entries are dropped */

#endif
