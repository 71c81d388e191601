#include "supervisor/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *strings_json(char *const *strings)
{
    json_t *array = json_array();

    for (; strings && *strings; strings++)
        json_array_append_new(array, json_string(*strings));
    return array;
}

static json_t *optional_string(const char *string)
{
    return string ? json_string(string) : json_null();
}

static json_t *release_json(const struct kept_release *kept)
{
    const struct release *release = kept->release;
    json_t *files = json_array();

    for (size_t i = 0; i < release->file_count; i++) {
        const struct release_file *file = &release->files[i];
        json_array_append_new(files, json_pack("{s:s, s:I, s:I, s:I, s:I, s:i}", "path", file->path, "device",
                                               (json_int_t)file->device, "inode", (json_int_t)file->inode,
                                               "size", (json_int_t)file->size, "mtime_ns",
                                               (json_int_t)file->mtime_ns, "argument", file->argument));
    }
    return json_pack("{s:I, s:b, s:o, s:o, s:s, s:I, s:I, s:o, s:I, s:o}", "serial", (json_int_t)kept->serial,
                     "script", release->script, "interpreter", optional_string(release->interpreter),
                     "build_id", optional_string(release->build_id), "directory", release->directory,
                     "directory_device", (json_int_t)release->directory_device, "directory_inode",
                     (json_int_t)release->directory_inode, "argv", strings_json(release->argv),
                     "environment_digest", (json_int_t)release->environment_digest, "files", files);
}

/* Each release once, under its serial. */
static void add_release(json_t *releases, const struct kept_release *kept)
{
    char key[24];

    if (!kept)
        return;
    snprintf(key, sizeof key, "%" PRIu64, kept->serial);
    if (!json_object_get(releases, key))
        json_object_set_new(releases, key, release_json(kept));
}

static json_t *worker_json(const struct worker *worker)
{
    return json_pack(
        "{s:I, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:I}",
        "number", (json_int_t)worker->number, "state", worker_state_name(worker->state), "wanted",
        worker->wanted, "serial", (json_int_t)worker->serial, "started_ms", (json_int_t)worker->started_ms,
        "deadline_ms", (json_int_t)worker->deadline_ms, "failures", (json_int_t)worker->failures, "restarts",
        (json_int_t)worker->restarts, "greeted", worker->greeted, "probe_given", worker->probe_given,
        "enlisted", worker->enlisted, "cut", (json_int_t)worker->cut, "reason", worker->reason, "said",
        worker->said, "has_status", worker->has_status, "active", (json_int_t)worker->status.active, "idle",
        (json_int_t)worker->status.idle, "requests", (json_int_t)worker->status.requests, "errors",
        (json_int_t)worker->status.errors);
}

static json_t *generation_json(const struct generation *generation, json_t *releases)
{
    json_t *workers = json_array(), *lanes = json_array();

    add_release(releases, generation->kept);
    for (unsigned i = 0; i < generation->worker_count; i++)
        json_array_append_new(workers, worker_json(generation->workers[i]));
    for (size_t i = 0; i < generation->listener_count; i++)
        json_array_append_new(
            lanes, json_integer(generation->lanes[i] ? (json_int_t)generation->lanes[i]->serial : 0));
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:o, s:b, s:b, s:I, s:I, s:I, s:f, s:I, s:s, s:o}",
                     "number", (json_int_t)generation->number, "state",
                     generation_state_name(generation->state), "definition", generation->definition,
                     "release", (json_int_t)generation->kept->serial, "release_of",
                     (json_int_t)generation->release_of, "output_from", (json_int_t)generation->output_from,
                     "lanes", lanes, "keep", generation->keep, "failed", generation->failed, "successor",
                     (json_int_t)generation->successor, "drain_ms", (json_int_t)generation->drain_ms, "cut",
                     (json_int_t)generation->cut, "started", generation->started, "started_ms",
                     (json_int_t)generation->started_ms, "reason", generation->reason, "workers", workers);
}

static json_t *previous_json(const struct service_previous *previous, json_t *releases)
{
    if (!previous->definition)
        return json_null();
    add_release(releases, previous->kept);
    return json_pack("{s:s, s:I, s:I}", "definition", previous->definition, "release",
                     (json_int_t)previous->kept->serial, "number", (json_int_t)previous->number);
}

static json_t *outcome_json(const struct service_outcome *outcome)
{
    return json_pack("{s:i, s:f, s:I, s:s}", "result", (int)outcome->result, "time", outcome->time,
                     "generation", (json_int_t)outcome->generation, "text", outcome->text);
}

static json_t *service_json(const struct service *service, json_t *releases)
{
    json_t *generations = json_array();

    for (const struct generation *g = service->generations; g; g = g->next)
        json_array_append_new(generations, generation_json(g, releases));
    json_t *json = json_pack(
        "{s:s, s:s, s:f, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:o, s:o, s:o}", "name",
        service->name, "state", rollout_state_name(service->state), "state_since", service->state_since,
        "wanted", service->wanted, "workers", (json_int_t)service->workers, "stable",
        (json_int_t)(service->stable ? service->stable->number : 0), "candidate",
        (json_int_t)(service->candidate ? service->candidate->number : 0), "attempt",
        (json_int_t)service->attempt, "attempt_ms", (json_int_t)service->attempt_ms, "failed_starts",
        (json_int_t)service->failed_starts, "retry_deadline_ms", (json_int_t)service->retry_deadline_ms,
        "asked_by", service->asked_by, "reason", service->reason, "last", outcome_json(&service->last),
        "previous", previous_json(&service->previous, releases), "generations", generations);
    json_t *flags = json_pack("{s:f, s:b, s:b, s:b, s:b, s:b, s:b}", "serving_since", service->serving_since,
                              "going_back", service->going_back, "replaced", service->replaced, "remembered",
                              service->remembered, "retrying", service->retrying, "removed", service->removed,
                              "settled", service->settled);
    json_object_update(json, flags);
    json_decref(flags);
    return json;
}

json_t *state_save(const struct state *state, const struct runtime *runtime)
{
    json_t *services = json_array(), *lanes = json_array(), *releases = json_object();

    for (const struct lane *lane = state->lanes.first; lane; lane = lane->next) {
        char *text = config_listener_text(lane->listener);
        json_array_append_new(
            lanes, json_pack("{s:I, s:s}", "serial", (json_int_t)lane->serial, "listener", text ? text : ""));
        free(text);
    }
    for (const struct service *service = state->services; service; service = service->next)
        json_array_append_new(services, service_json(service, releases));
    return json_pack("{s:i, s:I, s:s, s:f, s:b, s:b, s:I, s:o, s:o, s:o}", "version", STATE_VERSION, "serial",
                     (json_int_t)runtime->serial, "accepted", state->accepted ? state->accepted : "",
                     "started", state->started, "announced", state->announced, "stopping", state->stopping,
                     "stop_drain_ms", (json_int_t)state->stop_drain_ms, "lanes", lanes, "releases", releases,
                     "services", services);
}
