/* One generation while it lives: its definition, its release, its workers.
 *
 * The table of core/lifecycle.h decides; this module carries out and tells the service, which puts what
 * it is told into a queue, so nothing here is freed under its own feet. */
#ifndef BATON_GENERATION_H
#define BATON_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/config.h"
#include "supervisor/core/lifecycle.h"
#include "supervisor/kept_release.h"
#include "supervisor/net/lanes.h"
#include "supervisor/process/worker.h"

struct generation;

struct generation_handlers {
    void (*on_ready)(void *arg, struct generation *generation);
    void (*on_verified)(void *arg, struct generation *generation, bool success);
    void (*on_serving)(void *arg, struct generation *generation);
    void (*on_failed)(void *arg, struct generation *generation); /* generation->reason says why */
    void (*on_gone)(void *arg, struct generation *generation);
    /* A worker of a kept generation died, or something else a person should know. */
    void (*on_notice)(void *arg, struct generation *generation, const struct worker *worker,
                      const char *text);
};

enum { GENERATION_REASON_BYTES = 640, GENERATION_WORKERS_MAX = 64 };

struct generation {
    struct generation *next; /* in the service's list, newest first */
    uint32_t number;
    enum generation_state state;
    char *definition;      /* canonical text of the service and its listeners */
    struct config *config; /* that text, parsed: exactly one service */
    const struct config_service *service;
    struct kept_release *kept; /* one reference */
    struct spawn_user user;
    int output;
    long long output_from; /* size of the output file at the start */
    struct lane **lanes;   /* one per listener of the service; NULL entries after release */
    struct native_listener *listeners;
    size_t listener_count;

    struct worker_plan plan;
    struct worker *workers[GENERATION_WORKERS_MAX];
    unsigned worker_count; /* slots in use; scaled-away ones stay until their process is gone */
    bool keep;             /* stable: a worker that dies is started again */
    bool failed;           /* on_failed was told */
    unsigned unverified;   /* workers whose verification is outstanding */
    uint32_t release_of;   /* a rollback: the generation whose release it runs again; 0: its own */
    uint32_t successor;    /* the generation that replaced it; 0: none, or told */
    uint64_t drain_ms;     /* how long its connections may take; 0: as configured */
    unsigned cut;          /* connections cut when its time was up */
    double started;        /* unix time */
    uint64_t started_ms;   /* monotonic */
    char reason[GENERATION_REASON_BYTES];

    struct lanes *all_lanes;
    struct runtime *runtime;
    const struct generation_handlers *handlers;
    void *arg;
};

/* Everything that can go wrong before a process exists is found here: the release is resolved (or `kept`,
 * whose reference is taken, is verified: a rollback), users looked up, listeners opened, output opened.
 * `definition` is canonical text (copied). 0 and *out, or -errno with a sentence in *reason (malloc'd, may be
 * NULL: no memory). */
int generation_create(struct runtime *runtime, struct lanes *lanes, uint32_t number, const char *definition,
                      struct kept_release *kept, const struct generation_handlers *handlers, void *arg,
                      struct generation **out, char **reason);

/* Start `workers` processes. */
void generation_start(struct generation *generation, unsigned workers);

/* The event happened. */
void generation_event(struct generation *generation, enum generation_event event);

/* Ask every worker's `verify`; on_verified once, when all succeeded or the first failed. */
void generation_verify(struct generation *generation);

/* It is the stable one from now on (or no more): respawn, role. */
void generation_set_stable(struct generation *generation, bool stable);

/* Retired generations: do not wait for connections any longer. */
void generation_hurry(struct generation *generation);

/* Add or retire workers until `workers` are wanted. */
void generation_scale(struct generation *generation, unsigned workers);

/* Respawned for the third time in a row, and no worker serves. */
bool generation_crash_loops(const struct generation *generation);

/* Workers with a process; workers that serve. */
unsigned generation_alive(const struct generation *generation);
unsigned generation_serving(const struct generation *generation);

/* The keeper's news. True: it was for one of these workers. */
bool generation_stored(struct generation *generation, const char *id);
bool generation_refused(struct generation *generation, const char *id, int error);
bool generation_exited(struct generation *generation, const char *id, int status);

/* After a restore (state.c fills the fields): parse the definition again and make the plan. 0 or -errno. */
int generation_attach(struct generation *generation, struct runtime *runtime, struct lanes *lanes,
                      const struct generation_handlers *handlers, void *arg);

/* The descriptors are in: workers go on, a quiesce is begun again. */
void generation_resume(struct generation *generation);

/* Let go of its listeners: a listener nobody else uses is closed. */
void generation_release_lanes(struct generation *generation);

void generation_free(struct generation *generation); /* processes are not signalled */

#endif
