#include "supervisor/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static void on_worker_ready(void *arg, struct worker *worker)
{
    struct generation *generation = arg;

    if (generation->state == GENERATION_SERVING) { /* a respawned or added worker */
        worker_event(worker, WORKER_EV_ENLIST);
        return;
    }
    if (all_wanted(generation, WORKER_READY, WORKER_SERVING))
        generation_event(generation, GENERATION_EV_ALL_READY);
}

static void on_worker_serving(void *arg, struct worker *worker)
{
    struct generation *generation = arg;

    worker_tell_role(worker, generation->keep);
    if (all_wanted(generation, WORKER_SERVING, WORKER_SERVING))
        generation_event(generation, GENERATION_EV_ALL_SERVING);
}

/* "worker 2 (pid 412) exited with status 1 after 0.1 s. Its last words: …" */
static void describe_failure(struct generation *generation, const struct worker *worker, char *text,
                             size_t bytes)
{
    char *words = output_last_words(&generation->service->output, generation->output_from, LAST_WORDS_LINES);
    int length;

    if (generation->service->workers > 1)
        length = snprintf(text, bytes, "worker %u %s", worker->number, worker->reason);
    else
        length = snprintf(text, bytes, "%s", worker->reason);
    if (words && (size_t)length < bytes)
        snprintf(text + length, bytes - (size_t)length, ". Its last words: %s", words);
    free(words);
}

static void on_worker_failed(void *arg, struct worker *worker)
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

static void on_worker_gone(void *arg, struct worker *worker)
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

static void on_worker_notice(void *arg, struct worker *worker, const char *text)
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

static void on_quiesced(void *arg)
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
        lanes_quiesce(generation->all_lanes, on_quiesced, generation);
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

bool generation_exited(struct generation *generation, const char *id, int status)
{
    for (unsigned i = 0; i < generation->worker_count; i++) {
        if (worker_exited(generation->workers[i], id, status))
            return true;
    }
    return false;
}

/* --- making and ending --- */

static void make_plan(struct generation *generation)
{
    generation->plan = (struct worker_plan){
        .runtime = generation->runtime,
        .generation = generation->number,
        .service = generation->service,
        .release = generation->kept->release,
        .user = &generation->user,
        .output = generation->output,
        .listeners = generation->listeners,
        .listener_count = generation->listener_count,
        .drain_ms = generation->drain_ms ? generation->drain_ms : generation->service->drain_timeout_ms,
        .on_ready = on_worker_ready,
        .on_serving = on_worker_serving,
        .on_failed = on_worker_failed,
        .on_gone = on_worker_gone,
        .on_notice = on_worker_notice,
        .arg = generation,
    };
}

static int parse_definition(struct generation *generation)
{
    struct config_errors errors = { 0 };
    int error = config_parse_text(generation->definition, &generation->config, &errors);

    config_errors_free(&errors);
    if (error)
        return error;
    if (generation->config->service_count != 1)
        return -EINVAL;
    generation->service = &generation->config->services[0];
    while (generation->service->listen[generation->listener_count])
        generation->listener_count++;
    generation->lanes = calloc(generation->listener_count + 1, sizeof *generation->lanes);
    generation->listeners = calloc(generation->listener_count + 1, sizeof *generation->listeners);
    return generation->lanes && generation->listeners ? 0 : -ENOMEM;
}

static int resolve_user(struct generation *generation, char **reason)
{
    const struct config_service *service = generation->service;
    const char *what = "user";
    int error = spawn_user_resolve(service->user, service->group, &generation->user, &what);

    if (error == -EPERM && asprintf(reason, "only root can start it as user %s", service->user) < 0)
        *reason = NULL;
    else if (error && error != -EPERM &&
             asprintf(reason, "there is no %s %s", what,
                      !strcmp(what, "group") ? service->group : service->user) < 0)
        *reason = NULL;
    return error;
}

static int open_output(struct generation *generation, char **reason)
{
    const struct config_output *output = &generation->service->output;
    bool fallback = false;
    int error = output_open(output, generation->service->name, generation->number, &generation->output,
                            &fallback, reason);

    if (error)
        return error;
    generation->output_from = output_size(output);
    if (fallback)
        generation->handlers->on_notice(
            generation->arg, generation, NULL,
            "there is no journal on this machine: its output goes to baton's stderr");
    return 0;
}

static int store_lane(struct generation *generation, struct lane *lane)
{
    char id[VAULT_ID_BYTES];

    if (lane->serial)
        return 0;
    lane->serial = runtime_next_serial(generation->runtime);
    snprintf(id, sizeof id, "l%llu", (unsigned long long)lane->serial);
    return vault_store(generation->runtime->vault, id, 0, lane->fd);
}

static int open_lanes(struct generation *generation, char **reason)
{
    for (size_t i = 0; i < generation->listener_count; i++) {
        const char *name = generation->service->listen[i];
        const struct config_listener *listener = config_find_listener(generation->config, name);

        if (!listener)
            return -EINVAL;
        int error = lanes_acquire(generation->all_lanes, listener, &generation->lanes[i], reason);
        if (!error)
            error = store_lane(generation, generation->lanes[i]);
        if (error)
            return error;
        generation->listeners[i] = (struct native_listener){ .name = name, .fd = generation->lanes[i]->fd };
    }
    return 0;
}

static int resolve_release(struct generation *generation, char **reason)
{
    struct release *release = NULL;

    if (generation->kept)
        return release_verify(generation->kept->release, reason);
    int error = release_resolve(generation->service, generation->runtime->directory, &release, reason);
    return error ? error : kept_release_create(generation->runtime, release, &generation->kept);
}

int generation_create(struct runtime *runtime, struct lanes *lanes, uint32_t number, const char *definition,
                      struct kept_release *kept, const struct generation_handlers *handlers, void *arg,
                      struct generation **out, char **reason)
{
    struct generation *generation = calloc(1, sizeof *generation);
    struct timespec now;

    *reason = NULL;
    if (!generation) {
        kept_release_unref(kept);
        return -ENOMEM;
    }
    *generation = (struct generation){ .number = number,
                                       .kept = kept,
                                       .output = -1,
                                       .runtime = runtime,
                                       .all_lanes = lanes,
                                       .handlers = handlers,
                                       .arg = arg };
    clock_gettime(CLOCK_REALTIME, &now);
    generation->started = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    generation->started_ms = runtime_now_ms();
    generation->definition = strdup(definition);
    int error = generation->definition ? parse_definition(generation) : -ENOMEM;
    if (!error)
        error = resolve_user(generation, reason);
    if (!error)
        error = resolve_release(generation, reason);
    if (!error)
        error = open_lanes(generation, reason);
    if (!error)
        error = open_output(generation, reason);
    if (error) {
        generation_free(generation);
        return error;
    }
    make_plan(generation);
    *out = generation;
    return 0;
}

int generation_attach(struct generation *generation, struct runtime *runtime, struct lanes *lanes,
                      const struct generation_handlers *handlers, void *arg)
{
    char *reason = NULL;

    generation->runtime = runtime;
    generation->all_lanes = lanes;
    generation->handlers = handlers;
    generation->arg = arg;
    generation->output = -1;
    int error = parse_definition(generation);
    if (error)
        return error;
    resolve_user(generation, &reason); /* an account that is gone only hinders a respawn: exec then says so */
    free(reason);
    reason = NULL;
    open_output(generation, &reason);
    free(reason);
    make_plan(generation);
    return 0;
}

void generation_resume(struct generation *generation)
{
    make_plan(generation); /* the listeners are attached by now */
    for (unsigned i = 0; i < generation->worker_count; i++)
        worker_resume(generation->workers[i]);
    if (generation->state == GENERATION_QUIESCING)
        lanes_quiesce(generation->all_lanes, on_quiesced, generation);
    if (generation->state == GENERATION_RETIRING && generation_alive(generation) == 0)
        generation_event(generation, GENERATION_EV_ALL_GONE);
}

void generation_release_lanes(struct generation *generation)
{
    char id[VAULT_ID_BYTES];
    uint64_t serial;

    for (size_t i = 0; generation->lanes && i < generation->listener_count; i++) {
        struct lane *lane = generation->lanes[i];

        generation->lanes[i] = NULL;
        if (!lane || !lanes_release(generation->all_lanes, lane, &serial) || !serial)
            continue;
        snprintf(id, sizeof id, "l%llu", (unsigned long long)serial);
        vault_drop(generation->runtime->vault, id);
    }
    generation->plan.listener_count = 0;
}

void generation_free(struct generation *generation)
{
    if (!generation)
        return;
    for (unsigned i = 0; i < generation->worker_count; i++) {
        worker_free(generation->workers[i]);
        free(generation->workers[i]);
    }
    generation_release_lanes(generation);
    if (generation->output >= 0)
        close(generation->output);
    kept_release_unref(generation->kept);
    spawn_user_free(&generation->user);
    config_free(generation->config);
    free(generation->listeners);
    free(generation->lanes);
    free(generation->definition);
    free(generation);
}
