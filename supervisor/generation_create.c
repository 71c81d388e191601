/* Making a generation, putting it back after a restart, and ending it. */
#include "supervisor/generation_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/core/config_words.h"
#include "supervisor/process/output.h"

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
        .on_ready = generation_on_worker_ready,
        .on_serving = generation_on_worker_serving,
        .on_failed = generation_on_worker_failed,
        .on_gone = generation_on_worker_gone,
        .on_notice = generation_on_worker_notice,
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
    generation->listener_count = config_words_count(generation->service->listen);
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
        lanes_quiesce(generation->all_lanes, generation_on_quiesced, generation);
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
