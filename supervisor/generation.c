#include "supervisor/generation_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/process/output.h"

/* Deaths in a row after which a generation without a serving worker is said to crash-loop. */
enum { CRASH_LOOP_FAILURES = 3 };

enum { LAST_WORDS_LINES = 3 };

/* --- counting --- */

static bool all_wanted(const struct generation *generation, enum worker_state from, enum worker_state to)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < generation->worker_count; i++) {
        const struct worker *worker = generation->workers[i];
        if (!worker->wanted)
            continue;
        if (worker->state < from || worker->state > to)
            return false;
        wanted++;
    }
    return wanted > 0;
}

unsigned generation_alive(const struct generation *generation)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < generation->worker_count; i++)
        alive += worker_alive(generation->workers[i]);
    return alive;
}

unsigned generation_serving(const struct generation *generation)
{
    unsigned serving = 0;

    for (unsigned i = 0; i < generation->worker_count; i++)
        serving += generation->workers[i]->state == WORKER_SERVING;
    return serving;
}

bool generation_crash_loops(const struct generation *generation)
{
    bool looping = false;

    for (unsigned i = 0; i < generation->worker_count; i++)
        looping |= generation->workers[i]->failures >= CRASH_LOOP_FAILURES;
    return looping && generation_serving(generation) == 0;
}

/* --- told by the workers --- */

void generation_on_worker_ready(void *arg, struct worker *worker)
{
    struct generation *generation = arg;

    if (generation->state == GENERATION_SERVING) { /* a respawned or added worker */
        worker_event(worker, WORKER_EV_ENLIST);
        return;
    }
    if (all_wanted(generation, WORKER_READY, WORKER_SERVING))
        generation_event(generation, GENERATION_EV_ALL_READY);
}

void generation_on_worker_serving(void *arg, struct worker *worker)
{
    struct generation *generation = arg;

    worker_tell_role(worker, generation->keep);
    if (all_wanted(generation, WORKER_SERVING, WORKER_SERVING))
        generation_event(generation, GENERATION_EV_ALL_SERVING);
}

/* Lines as one sentence: each once, with " / " between them. `words` is changed. */
static void join_lines(char *words, char *out, size_t bytes)
{
    const char *previous = "";
    size_t used = 0;

    out[0] = '\0';
    for (char *rest = words, *line; (line = strsep(&rest, "\n")) && used < bytes;) {
        if (!line[0] || !strcmp(line, previous))
            continue;
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", used ? " / " : "", line);
        previous = line;
    }
}

/* "(worker 2) exited with status 1 after 96 ms. Its last words: …" */
static void describe_failure(struct generation *generation, const struct worker *worker, char *text,
                             size_t bytes)
{
    char *words = output_last_words(&generation->service->output, generation->output_from, LAST_WORDS_LINES);
    char joined[GENERATION_REASON_BYTES];
    int length;

    if (generation->worker_count > 1)
        length = snprintf(text, bytes, "(worker %u) %s", worker->number, worker->reason);
    else
        length = snprintf(text, bytes, "%s", worker->reason);
    if (words && (size_t)length < bytes) {
        join_lines(words, joined, sizeof joined);
        snprintf(text + length, bytes - (size_t)length, ". Its last words: %s", joined);
    }
    free(words);
}

void generation_on_worker_failed(void *arg, struct worker *worker)
{
    struct generation *generation = arg;
    char text[GENERATION_REASON_BYTES];

    if (!worker->wanted)
        return;
    describe_failure(generation, worker, text, sizeof text);
    if (generation->keep) {
        generation->handlers->on_notice(generation->arg, generation, worker, text);
    } else if (!generation->reason[0]) {
        memcpy(generation->reason, text, sizeof text);
    }
    generation_event(generation, GENERATION_EV_WORKER_FAILED);
}

/* A slot that was scaled away and is empty now. */
static void remove_slot(struct generation *generation, struct worker *worker)
{
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (generation->workers[i] != worker)
            continue;
        memmove(&generation->workers[i], &generation->workers[i + 1],
                (generation->worker_count - i - 1) * sizeof(struct worker *));
        generation->worker_count--;
        worker_free(worker);
        free(worker);
        return;
    }
}

void generation_on_worker_gone(void *arg, struct worker *worker)
{
    struct generation *generation = arg;

    generation->cut += worker->cut;
    worker->cut = 0;
    bool keep = generation->keep && generation->state == GENERATION_SERVING;
    if (keep && worker->wanted) {
        worker_event(worker, WORKER_EV_RESPAWN);
        return;
    }
    if (keep) {
        remove_slot(generation, worker);
        return;
    }
    if (generation_alive(generation) == 0)
        generation_event(generation, GENERATION_EV_ALL_GONE);
}

void generation_on_worker_notice(void *arg, struct worker *worker, const char *text)
{
    struct generation *generation = arg;

    generation->handlers->on_notice(generation->arg, generation, worker, text);
}

/* --- the table --- */

static void each_worker(struct generation *generation, enum worker_event event)
{
    /* Backwards: a slot may vanish while it is told. */
    for (unsigned i = generation->worker_count; i-- > 0;)
        worker_event(generation->workers[i], event);
}

void generation_on_quiesced(void *arg)
{
    generation_event(arg, GENERATION_EV_QUIESCED);
}

static void retire(struct generation *generation)
{
    each_worker(generation, WORKER_EV_RETIRE);
    if (generation->state != GENERATION_GONE && generation_alive(generation) == 0)
        generation_event(generation, GENERATION_EV_ALL_GONE);
}

static void act(struct generation *generation, unsigned actions)
{
    const struct generation_handlers *handlers = generation->handlers;

    if (actions & GENERATION_DO_TELL_READY)
        handlers->on_ready(generation->arg, generation);
    if (actions & GENERATION_DO_TELL_SERVING)
        handlers->on_serving(generation->arg, generation);
    if ((actions & GENERATION_DO_TELL_FAILED) && !generation->keep && !generation->failed) {
        generation->failed = true;
        handlers->on_failed(generation->arg, generation);
    }
    if (actions & GENERATION_DO_ENLIST)
        each_worker(generation, WORKER_EV_ENLIST);
    if (actions & GENERATION_DO_QUIESCE)
        lanes_quiesce(generation->all_lanes, generation_on_quiesced, generation);
    if (actions & GENERATION_DO_RETIRE)
        retire(generation);
    if (actions & GENERATION_DO_TELL_GONE)
        handlers->on_gone(generation->arg, generation);
}

void generation_event(struct generation *generation, enum generation_event event)
{
    struct generation_step step = generation_step(generation->state, event);
    char text[128];

    if (!step.listed) {
        snprintf(text, sizeof text, "unexpected: %s while %s", generation_event_name(event),
                 generation_state_name(generation->state));
        generation->handlers->on_notice(generation->arg, generation, NULL, text);
        return;
    }
    generation->state = step.next;
    generation->runtime->dirty = true;
    act(generation, step.actions);
}

/* --- verification --- */

static void on_worker_verified(void *arg, struct worker *worker, bool success)
{
    struct generation *generation = arg;

    if (generation->unverified == 0)
        return; /* the first failure was told */
    if (!success) {
        generation->unverified = 0;
        describe_failure(generation, worker, generation->reason, sizeof generation->reason);
    } else if (--generation->unverified > 0) {
        return;
    }
    generation->handlers->on_verified(generation->arg, generation, success);
}

void generation_verify(struct generation *generation)
{
    unsigned count = generation->worker_count;

    generation->unverified = count;
    for (unsigned i = 0; i < count && generation->unverified > 0; i++)
        worker_verify(generation->workers[i], on_worker_verified);
}

/* --- workers come and go --- */

static struct worker *add_slot(struct generation *generation, unsigned number)
{
    struct worker *worker;

    if (generation->worker_count == GENERATION_WORKERS_MAX || !(worker = malloc(sizeof *worker)))
        return NULL;
    worker_init(worker, &generation->plan, number);
    generation->workers[generation->worker_count++] = worker;
    return worker;
}

void generation_start(struct generation *generation, unsigned workers)
{
    for (unsigned i = 0; i < workers; i++)
        add_slot(generation, i + 1);
    for (unsigned i = 0; i < generation->worker_count; i++)
        worker_start(generation->workers[i]);
}

void generation_set_stable(struct generation *generation, bool stable)
{
    generation->keep = stable;
    generation->runtime->dirty = true;
    for (unsigned i = 0; i < generation->worker_count; i++)
        worker_tell_role(generation->workers[i], stable);
}

void generation_hurry(struct generation *generation)
{
    each_worker(generation, WORKER_EV_HURRY);
}

/* The smallest number no slot has. */
static unsigned free_number(const struct generation *generation)
{
    unsigned number = 1;

    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (generation->workers[i]->number == number) {
            number++;
            i = (unsigned)-1; /* look again from the beginning */
        }
    }
    return number;
}

void generation_scale(struct generation *generation, unsigned workers)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < generation->worker_count; i++)
        wanted += generation->workers[i]->wanted;
    for (; wanted < workers; wanted++) {
        struct worker *worker = add_slot(generation, free_number(generation));
        if (!worker)
            return;
        worker_start(worker);
    }
    for (unsigned i = generation->worker_count; i-- > 0 && wanted > workers;) {
        struct worker *worker = generation->workers[i];
        if (!worker->wanted)
            continue;
        worker->wanted = false;
        wanted--;
        if (worker->state == WORKER_GONE)
            remove_slot(generation, worker);
        else
            worker_event(worker, WORKER_EV_RETIRE);
    }
}

bool generation_stored(struct generation *generation, const char *id)
{
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (worker_stored(generation->workers[i], id))
            return true;
    }
    return false;
}

bool generation_refused(struct generation *generation, const char *id, int error)
{
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (worker_refused(generation->workers[i], id, error))
            return true;
    }
    return false;
}

bool generation_exited(struct generation *generation, const char *id, int status)
{
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (worker_exited(generation->workers[i], id, status))
            return true;
    }
    return false;
}
