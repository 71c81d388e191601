/* What each verb of the control socket does; the JSON is described in proto/PROTOCOL.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/jsonline.h"
#include "supervisor/reload.h"
#include "supervisor/status.h"
#include "supervisor/supervisor.h"

enum { EVENTS_DEFAULT = 50 };

static bool get_flag(json_t *parameters, const char *name)
{
    return json_is_true(json_object_get(parameters, name));
}

static const char *get_service_name(json_t *parameters)
{
    return json_string_value(json_object_get(parameters, "service"));
}

static void describe_peer(struct control_request *request, char text[SERVICE_ASKED_BYTES])
{
    snprintf(text, SERVICE_ASKED_BYTES, "uid %u", (unsigned)control_peer(request)->uid);
}

/* The services a request is about: the named one, or all. False: there is none of that name (answered). */
static bool choose(struct supervisor *supervisor, struct control_request *request, json_t *parameters,
                   struct service **only)
{
    const char *name = get_service_name(parameters);

    *only = NULL;
    if (!name)
        return true;
    *only = supervisor_find_service(supervisor, name);
    if (!*only)
        control_answer(request, SERVICE_USAGE, NULL, "there is no service \"%s\"; baton status lists them",
                       name);
    return *only != NULL;
}

/* The only service, or the named one; answered when that is not one. */
static struct service *choose_one(struct supervisor *supervisor, struct control_request *request,
                                  json_t *parameters)
{
    struct service *service;

    if (!choose(supervisor, request, parameters, &service))
        return NULL;
    if (!service && supervisor->state.services && !supervisor->state.services->next)
        service = supervisor->state.services;
    if (!service)
        control_answer(request, SERVICE_USAGE, NULL,
                       "name the service: there are several; baton status lists them");
    return service;
}

static bool refuse(struct supervisor *supervisor, struct control_request *request)
{
    const char *why = supervisor_refusal(supervisor);

    if (why)
        control_answer(request, SERVICE_REFUSED, NULL, "refused: %s", why);
    return why != NULL;
}

static void run_status(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    struct service *only;
    json_t *services = json_array();

    if (!choose(supervisor, request, parameters, &only)) {
        json_decref(services);
        return;
    }
    for (const struct service *s = supervisor->state.services; s; s = s->next) {
        if (!only || s == only)
            json_array_append_new(services, status_service(s));
    }
    json_t *status =
        json_pack("{s:i, s:s, s:i, s:i, s:f, s:i, s:b, s:b, s:o, s:o}", "version", 1, "name",
                  supervisor->name, "pid", (int)getppid(), "supervisor_pid", (int)getpid(), "started",
                  supervisor->state.started, "supervisor_restarts", (int)supervisor->start.restarts,
                  "safe_mode", supervisor->safe_mode, "stopping", supervisor->state.stopping, "config",
                  jsonline_text(supervisor->config_path), "services", services);
    control_answer(request, SERVICE_OK, json_pack("{s:o}", "status", status), "%s", "");
}

/* One service of an upgrade: begun and waited for, or refused. Waiting begins first, to hear everything. */
static void upgrade_one(struct service *service, struct waiting *waiting, const char *peer, bool replace,
                        bool wait)
{
    char text[SERVICE_TEXT_BYTES];
    uint32_t generation, next = service->attempt + 1;

    if (wait)
        waiting_add(waiting, service, next, false);
    enum service_result result = service_upgrade(service, peer, replace, &generation, text);
    if (result == SERVICE_OK && wait)
        return;
    if (result == SERVICE_OK && generation == 0) /* it starts when the one it replaces has ended */
        snprintf(text, sizeof text, "generation %" PRIu32 " is to follow", generation = next);
    else if (result == SERVICE_OK)
        snprintf(text, sizeof text, "generation %" PRIu32 " is starting", generation);
    waiting_add_result(waiting, service->name, generation, result, text);
}

static void run_upgrade(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    struct service *only;
    char peer[SERVICE_ASKED_BYTES];

    if (!choose(supervisor, request, parameters, &only) || refuse(supervisor, request))
        return;
    struct waiting *waiting = waiting_begin(&supervisor->waiting, request);
    if (!waiting)
        return;
    describe_peer(request, peer);
    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (!only || s == only)
            upgrade_one(s, waiting, peer, get_flag(parameters, "replace"), get_flag(parameters, "wait"));
    }
    waiting_commit(waiting, "there is no service");
}

static void run_rollback(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    char peer[SERVICE_ASKED_BYTES], text[SERVICE_TEXT_BYTES];
    uint32_t generation;

    if (refuse(supervisor, request))
        return;
    struct service *service = choose_one(supervisor, request, parameters);
    struct waiting *waiting = service ? waiting_begin(&supervisor->waiting, request) : NULL;
    if (!waiting)
        return;
    describe_peer(request, peer);
    bool reverting = rollout_running(service->state), wait = get_flag(parameters, "wait");
    if (wait)
        waiting_add(waiting, service, reverting ? service->attempt : service->attempt + 1, reverting);
    enum service_result result = service_rollback(service, peer, &generation, text);
    if (result == SERVICE_OK && reverting)
        snprintf(text, sizeof text, "generation %" PRIu32 " is being reverted", generation);
    else if (result == SERVICE_OK)
        snprintf(text, sizeof text,
                 "generation %" PRIu32 " is starting with the release of generation %" PRIu32, generation,
                 service->previous.number);
    if (result != SERVICE_OK || !wait)
        waiting_add_result(waiting, service->name, generation, result, text);
    waiting_commit(waiting, "");
}

static void run_drain(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    struct service *only;
    unsigned count = 0;

    if (!choose(supervisor, request, parameters, &only))
        return;
    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (!only || s == only)
            count += service_drain(s);
    }
    if (count)
        control_answer(request, SERVICE_OK, NULL, "%u old generation%s stopped now", count,
                       count == 1 ? " is" : "s are");
    else
        control_answer(request, SERVICE_OK, NULL, "no old generation is draining");
}

static void run_scale(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    json_int_t workers = json_integer_value(json_object_get(parameters, "workers"));
    char text[SERVICE_TEXT_BYTES];

    if (refuse(supervisor, request))
        return;
    struct service *service = choose_one(supervisor, request, parameters);
    if (!service)
        return;
    if (workers < 1 || workers > GENERATION_WORKERS_MAX) {
        control_answer(request, SERVICE_USAGE, NULL, "a number of workers is from 1 to %d",
                       GENERATION_WORKERS_MAX);
        return;
    }
    unsigned before = service->workers;
    enum service_result result = service_scale(service, (unsigned)workers, text);
    if (result == SERVICE_OK)
        snprintf(text, sizeof text, "%u -> %u workers", before, (unsigned)workers);
    control_answer(request, result, NULL, "%s: %s", service->name, text);
}

static void run_reload(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    char peer[SERVICE_ASKED_BYTES], *text = NULL;

    if (refuse(supervisor, request))
        return;
    struct waiting *waiting = waiting_begin(&supervisor->waiting, request);
    if (!waiting)
        return;
    describe_peer(request, peer);
    enum service_result result = reload_run(supervisor, peer, waiting, get_flag(parameters, "wait"), &text);
    if (result != SERVICE_OK)
        waiting_refuse(waiting, result, text ? text : "out of memory, nothing was changed");
    else
        waiting_commit(waiting, "nothing changed");
    free(text);
}

static void run_stop(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    struct waiting *waiting = waiting_begin(&supervisor->waiting, request);

    if (!waiting)
        return;
    for (struct service *s = supervisor->state.services; s; s = s->next)
        waiting_add(waiting, s, UINT32_MAX, false);
    supervisor_stop(supervisor, 0);
    if (get_flag(parameters, "fast"))
        supervisor_stop(supervisor, 0);
    waiting_commit(waiting, "stopped");
}

static size_t get_limit(json_t *parameters)
{
    json_int_t limit = json_integer_value(json_object_get(parameters, "limit"));

    return limit > 0 && limit <= EVENTS_KEPT ? (size_t)limit : EVENTS_DEFAULT;
}

/* With "after": first what was missed since that event. */
static void follow_events(struct supervisor *supervisor, struct control_request *request, json_t *parameters)
{
    const char *service = get_service_name(parameters);
    json_int_t after = json_integer_value(json_object_get(parameters, "after"));
    json_t *missed, *event;
    size_t i;

    if (after > 0) {
        missed = events_list(supervisor->events, (uint64_t)after, service, EVENTS_KEPT);
        json_array_foreach (missed, i, event)
            control_tell(request, event);
        json_decref(missed);
    }
    control_follow(request, service);
}

static void run_events(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    const char *service = get_service_name(parameters);
    json_int_t after = json_integer_value(json_object_get(parameters, "after"));

    if (get_flag(parameters, "follow")) {
        follow_events(supervisor, request, parameters);
        return;
    }
    json_t *list =
        events_list(supervisor->events, after > 0 ? (uint64_t)after : 0, service, get_limit(parameters));
    control_answer(request, SERVICE_OK, json_pack("{s:o}", "events", list), "%s", "");
}

static bool is_history(json_t *event)
{
    static const char *const types[] = { "committed", "reverted", "failed", "rolled-back" };
    const char *type = json_string_value(json_object_get(event, "type"));

    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++) {
        if (!strcmp(type, types[i]))
            return true;
    }
    return false;
}

static void run_history(void *arg, struct control_request *request, json_t *parameters)
{
    struct supervisor *supervisor = arg;
    json_t *all = events_list(supervisor->events, 0, get_service_name(parameters), EVENTS_KEPT);
    json_t *history = json_array(), *event;
    size_t limit = get_limit(parameters), i;

    json_array_foreach (all, i, event) {
        if (is_history(event))
            json_array_append(history, event);
    }
    while (json_array_size(history) > limit)
        json_array_remove(history, 0);
    json_decref(all);
    control_answer(request, SERVICE_OK, json_pack("{s:o}", "events", history), "%s", "");
}

const struct control_verb supervisor_verbs[] = {
    { "status", true, run_status },      { "events", true, run_events },
    { "history", true, run_history },    { "upgrade", false, run_upgrade },
    { "rollback", false, run_rollback }, { "drain", false, run_drain },
    { "scale", false, run_scale },       { "reload", false, run_reload },
    { "stop", false, run_stop },         { 0 },
};
