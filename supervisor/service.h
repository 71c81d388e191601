/* One service: its generations and its rollout. Facts become events of the table in core/rollout.h, the
 * table's actions are carried out here with generations, releases and listeners.
 *
 * Events are queued: an action may raise the next one, and nothing is freed while it is being told. The loop
 * works the queue off with service_run() before it sleeps. */
#ifndef BATON_SERVICE_H
#define BATON_SERVICE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/rollout.h"
#include "supervisor/events.h"
#include "supervisor/generation.h"

/* Results, as the exit codes of the command line. */
enum service_result {
    SERVICE_OK = 0,
    SERVICE_FAILED = 1,
    SERVICE_USAGE = 2,
    SERVICE_ROLLED_BACK = 3,
    SERVICE_REFUSED = 4
};

enum { SERVICE_TEXT_BYTES = 1024, SERVICE_ASKED_BYTES = 64 };

struct service;

struct service_handlers {
    /* The rollout to `generation` has ended: `result` and one or more sentences (without the service's name).
     */
    void (*on_outcome)(void *arg, struct service *service, uint32_t generation, enum service_result result,
                       const char *text);
    /* The state changed (systemd's STATUS, waiting clients). */
    void (*on_change)(void *arg, struct service *service);
    void *arg;
};

struct service_outcome {
    enum service_result result;
    double time; /* unix; 0: none yet */
    uint32_t generation;
    char text[SERVICE_TEXT_BYTES];
};

/* A release to go back to. */
struct service_previous {
    char *definition; /* NULL: there is none */
    struct kept_release *kept;
    uint32_t number;
};

struct service_item; /* queue element, service.c */

struct service {
    struct service *next;
    char *name;
    enum rollout_state state;
    double state_since;                    /* unix time */
    double serving_since;                  /* unix time; 0: nothing serves */
    char *wanted;                          /* accepted definition, canonical text */
    uint32_t max_old;                      /* of the wanted definition */
    unsigned workers;                      /* wanted; from the definition or from scale */
    struct generation *generations;        /* all that live, newest first */
    struct generation *stable, *candidate; /* in that list, or NULL */
    struct service_previous previous;

    uint32_t attempt;                     /* number of the rollout that runs, or ran last */
    uint64_t attempt_ms;                  /* when it began, monotonic */
    bool going_back;                      /* the rollout is a rollback to `previous` */
    bool replaced;                        /* it was abandoned for another one */
    bool remembered;                      /* an upgrade was asked for meanwhile */
    bool retrying;                        /* the next start uses the same number again */
    bool removed;                         /* stops because the configuration no longer has it */
    bool settled;                         /* has served or failed once */
    unsigned failed_starts;               /* in a row, without any stable generation */
    uint64_t retry_deadline_ms;           /* monotonic; 0: none */
    char asked_by[SERVICE_ASKED_BYTES];   /* "uid 1000", "signal", "reload", "start" */
    char reason[GENERATION_REASON_BYTES]; /* why the running rollout is being reverted */
    struct service_outcome last;

    struct runtime *runtime;
    struct lanes *lanes;
    struct events *events;
    const struct service_handlers *handlers;
    struct runtime_later start; /* the generation, once it is recorded that it is wanted */
    ev_timer retry_timer, overdue_timer;
    struct service_item *posts;
    size_t post_count, post_capacity;
    bool running; /* the queue is being worked off */
};

/* An idle service; `definition` is the canonical text of one service and its listeners (copied). NULL: no
 * memory. */
struct service *service_create(const char *name, const char *definition, struct runtime *runtime,
                               struct lanes *lanes, struct events *events,
                               const struct service_handlers *handlers);

/* A new definition is wanted from now on (copied); nothing is started. 0 or -errno. */
int service_want(struct service *service, const char *definition);

/* Start a new generation of what is wanted. `replace`: instead of one that is on its way.
 * SERVICE_OK: *generation is the number whose outcome will be told (0: not known yet, after a replace);
 * SERVICE_REFUSED with a sentence in `text`. */
enum service_result service_upgrade(struct service *service, const char *asked_by, bool replace,
                                    uint32_t *generation, char text[SERVICE_TEXT_BYTES]);

/* Back: revert what is on its way, or start the previous release as a new generation. As above. */
enum service_result service_rollback(struct service *service, const char *asked_by, uint32_t *generation,
                                     char text[SERVICE_TEXT_BYTES]);

/* An upgrade as soon as possible: now, or when the running one has ended (remembered once). */
void service_upgrade_soon(struct service *service, const char *asked_by);

/* Retired generations end now. Returns how many there are. */
unsigned service_drain(struct service *service);

/* Workers of the stable generation (and of later ones, until the definition changes). REFUSED without a
 * stable one. */
enum service_result service_scale(struct service *service, unsigned workers, char text[SERVICE_TEXT_BYTES]);

/* End everything; `drain_ms`: how long connections may take (CONFIG_INFINITE_MS), or as configured with 0. */
void service_stop(struct service *service, uint64_t drain_ms);
void service_hurry(struct service *service); /* a second stop: no more draining */

/* Work off what has been raised. */
void service_run(struct service *service);

/* The keeper's news. True: it was for this service. */
bool service_stored(struct service *service, const char *id);
bool service_refused(struct service *service, const char *id, int error);
bool service_exited(struct service *service, const char *id, int status);

/* While restoring: give a generation whose fields were read its surroundings. 0 or -errno. */
int service_attach(struct service *service, struct generation *generation);

/* After a restore: generations are attached; resume timers, workers and what the rollout was doing. */
void service_resume(struct service *service);

/* Whether what serves was started from another definition than the wanted one. */
bool service_differs(const struct service *service);

unsigned
service_retired(const struct service *service); /* generations that are ending, the candidate not counted */

void service_free(struct service *service); /* processes are not signalled */

#endif
