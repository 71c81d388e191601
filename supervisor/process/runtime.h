/* What the modules that run processes need from the supervisor, in one place. */
#ifndef BATON_RUNTIME_H
#define BATON_RUNTIME_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/process/vault_client.h"

/* Something to be done when the state as it is now has been recorded: what a successor could not guess. Part
 * of the object that wants it; `run` may queue it again. */
struct runtime_later {
    struct runtime_later *next;
    bool queued;
    void (*run)(void *arg);
    void *arg;
};

struct runtime {
    struct ev_loop *loop;
    struct vault *vault;
    uint64_t serial;                        /* last one given; part of vault ids, never reused */
    const char *name;                       /* of this instance */
    const char *directory;                  /* working directory baton was started in */
    unsigned long nofile_soft, nofile_hard; /* for workers: what baton was started with */

    /* Something that is part of the state changed: it is written before the loop sleeps again. */
    bool dirty;
    /* Write the whole state now: called before something happens that a successor could not guess. */
    void (*record)(void *arg);
    void *arg;
    struct runtime_later *first_later, *last_later;
};

static inline uint64_t runtime_next_serial(struct runtime *runtime)
{
    return ++runtime->serial;
}

/* Queue; one record serves all that wait for it. Queued already: nothing happens. */
void runtime_after_record(struct runtime *runtime, struct runtime_later *later);
void runtime_forget(struct runtime *runtime, struct runtime_later *later); /* not queued: fine */

/* The state has been recorded: run at most `limit` of those that were queued before. Returns how many. */
unsigned runtime_run_later(struct runtime *runtime, unsigned limit);

/* The monotonic clock of the loop in ms; the same clock in every supervisor, so it may be recorded. */
uint64_t runtime_now_ms(void);

/* "96 ms", "1.2 s": a time for people. */
void runtime_format_ms(uint64_t ms, char text[32]);

#endif
