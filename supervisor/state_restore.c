/* Reading a recorded state: every value is looked at with its type; what is missing or odd ends the whole
 * restore. */
#include "supervisor/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *wrong; /* the first thing that did not fit; static */
    struct runtime *runtime;
    struct events *events;
    const struct service_handlers *handlers;
    struct vault_entry *entries;
    size_t count;
    struct state *state;
    struct kept_release **releases; /* restored, without references */
    size_t release_count;
};

static uint64_t get_number(struct reader *reader, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        reader->wrong = key;
    return (uint64_t)json_integer_value(value);
}

static double get_real(struct reader *reader, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_number(value))
        reader->wrong = key;
    return json_number_value(value);
}

static bool get_bool(struct reader *reader, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        reader->wrong = key;
    return json_is_true(value);
}

/* Borrowed; "" and reader->wrong when it is missing. */
static const char *get_string(struct reader *reader, json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (!value)
        reader->wrong = key;
    return value ? value : "";
}

static char *get_copy(struct reader *reader, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : strdup(get_string(reader, object, key));
}

static void get_text(struct reader *reader, json_t *object, const char *key, char *out, size_t bytes)
{
    snprintf(out, bytes, "%s", get_string(reader, object, key));
}

static int get_state(struct reader *reader, json_t *object, int (*parse)(const char *name))
{
    int state = parse(get_string(reader, object, "state"));

    if (state < 0)
        reader->wrong = "state";
    return state < 0 ? 0 : state;
}

static char **get_strings(struct reader *reader, json_t *object, const char *key)
{
    json_t *array = json_object_get(object, key), *element;
    char **list = calloc(json_array_size(array) + 1, sizeof *list);
    size_t i;

    if (!json_is_array(array))
        reader->wrong = key;
    json_array_foreach (array, i, element) {
        if (list)
            list[i] = strdup(json_is_string(element) ? json_string_value(element) : "");
    }
    return list;
}

/* The descriptor of entry `id`, now the caller's; -1: not in the vault. */
static int steal_entry(struct reader *reader, const char *id)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (!strcmp(reader->entries[i].id, id)) {
            int fd = reader->entries[i].fd;
            reader->entries[i].fd = -1;
            return fd;
        }
    }
    return -1;
}

static void read_files(struct reader *reader, json_t *json, struct release *release)
{
    json_t *files = json_object_get(json, "files"), *element;
    size_t i;

    release->files = calloc(json_array_size(files) + 1, sizeof *release->files);
    release->file_count = release->files ? json_array_size(files) : 0;
    if (release->file_count == 0)
        reader->wrong = "files";
    json_array_foreach (files, i, element) {
        if (i >= release->file_count)
            break;
        release->files[i] = (struct release_file){
            .path = strdup(get_string(reader, element, "path")),
            .device = get_number(reader, element, "device"),
            .inode = get_number(reader, element, "inode"),
            .size = get_number(reader, element, "size"),
            .mtime_ns = (int64_t)get_number(reader, element, "mtime_ns"),
            .argument = (int)get_number(reader, element, "argument"),
        };
    }
}

static void read_release(struct reader *reader, json_t *json)
{
    struct release *release = calloc(1, sizeof *release);

    if (!release) {
        reader->wrong = "memory";
        return;
    }
    *release = (struct release){
        .executable = -1,
        .script = get_bool(reader, json, "script"),
        .interpreter = get_copy(reader, json, "interpreter"),
        .build_id = get_copy(reader, json, "build_id"),
        .directory = get_copy(reader, json, "directory"),
        .directory_device = get_number(reader, json, "directory_device"),
        .directory_inode = get_number(reader, json, "directory_inode"),
        .argv = get_strings(reader, json, "argv"),
        .environment_digest = get_number(reader, json, "environment_digest"),
    };
    read_files(reader, json, release);
    struct kept_release *kept =
        kept_release_restore(reader->runtime, release, get_number(reader, json, "serial"));
    for (size_t i = 0; kept && i < reader->count; i++) {
        if (kept_release_take_entry(kept, &reader->entries[i]))
            reader->entries[i].fd = -1;
    }
    if (kept)
        reader->releases[reader->release_count++] = kept;
}

static void read_releases(struct reader *reader, json_t *json)
{
    json_t *releases = json_object_get(json, "releases"), *element;
    const char *key;

    reader->releases = calloc(json_object_size(releases) + 1, sizeof *reader->releases);
    if (!json_is_object(releases) || !reader->releases) {
        reader->wrong = "releases";
        return;
    }
    json_object_foreach (releases, key, element) {
        read_release(reader, element);
    }
}

static struct kept_release *find_release(struct reader *reader, uint64_t serial)
{
    for (size_t i = 0; i < reader->release_count; i++) {
        if (reader->releases[i]->serial == serial)
            return kept_release_ref(reader->releases[i]);
    }
    reader->wrong = "release";
    return NULL;
}

static void read_lane(struct reader *reader, json_t *json)
{
    struct config_errors errors = { 0 };
    struct config *config = NULL;
    uint64_t serial = get_number(reader, json, "serial");
    char id[VAULT_ID_BYTES];

    snprintf(id, sizeof id, "l%" PRIu64, serial);
    int fd = steal_entry(reader, id);
    if (fd < 0 || config_parse_text(get_string(reader, json, "listener"), &config, &errors) != 0 ||
        config->listener_count != 1 ||
        !lanes_restore(&reader->state->lanes, &config->listeners[0], fd, serial))
        reader->wrong = "lanes";
    config_errors_free(&errors);
    config_free(config);
}

static void read_worker(struct reader *reader, json_t *json, struct generation *generation)
{
    struct worker *worker = malloc(sizeof *worker);

    if (!worker || generation->worker_count == GENERATION_WORKERS_MAX) {
        free(worker);
        reader->wrong = "workers";
        return;
    }
    worker_init(worker, &generation->plan, (unsigned)get_number(reader, json, "number"));
    worker->state = (enum worker_state)get_state(reader, json, worker_state_parse);
    worker->wanted = get_bool(reader, json, "wanted");
    worker->serial = get_number(reader, json, "serial");
    worker->started_ms = get_number(reader, json, "started_ms");
    worker->deadline_ms = get_number(reader, json, "deadline_ms");
    worker->failures = (unsigned)get_number(reader, json, "failures");
    worker->restarts = (unsigned)get_number(reader, json, "restarts");
    worker->greeted = get_bool(reader, json, "greeted");
    worker->probe_given = get_bool(reader, json, "probe_given");
    worker->enlisted = get_bool(reader, json, "enlisted");
    worker->cut = (unsigned)get_number(reader, json, "cut");
    worker->has_status = get_bool(reader, json, "has_status");
    worker->status = (struct native_status){
        .active = (uint32_t)get_number(reader, json, "active"),
        .idle = (uint32_t)get_number(reader, json, "idle"),
        .requests = get_number(reader, json, "requests"),
        .errors = get_number(reader, json, "errors"),
    };
    get_text(reader, json, "reason", worker->reason, sizeof worker->reason);
    get_text(reader, json, "said", worker->said, sizeof worker->said);
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->entries[i].fd >= 0 && worker_take_entry(worker, &reader->entries[i]))
            reader->entries[i].fd = -1;
    }
    generation->workers[generation->worker_count++] = worker;
}

static void read_generation_lanes(struct reader *reader, json_t *json, struct generation *generation)
{
    json_t *lanes = json_object_get(json, "lanes");

    for (size_t i = 0; i < generation->listener_count; i++) {
        uint64_t serial = (uint64_t)json_integer_value(json_array_get(lanes, i));

        generation->listeners[i] =
            (struct native_listener){ .name = generation->service->listen[i], .fd = -1 };
        for (struct lane *lane = reader->state->lanes.first; serial && lane; lane = lane->next) {
            if (lane->serial != serial)
                continue;
            lanes_use(lane);
            generation->lanes[i] = lane;
            generation->listeners[i].fd = lane->fd;
        }
        if (serial && !generation->lanes[i])
            reader->wrong = "lanes";
    }
}

static void read_generation(struct reader *reader, json_t *json, struct service *service)
{
    struct generation *generation = calloc(1, sizeof *generation);
    json_t *element;
    size_t i;

    if (!generation) {
        reader->wrong = "memory";
        return;
    }
    generation->number = (uint32_t)get_number(reader, json, "number");
    generation->state = (enum generation_state)get_state(reader, json, generation_state_parse);
    generation->definition = get_copy(reader, json, "definition");
    generation->kept = find_release(reader, get_number(reader, json, "release"));
    generation->release_of = (uint32_t)get_number(reader, json, "release_of");
    generation->output_from = (long long)get_number(reader, json, "output_from");
    generation->keep = get_bool(reader, json, "keep");
    generation->failed = get_bool(reader, json, "failed");
    generation->successor = (uint32_t)get_number(reader, json, "successor");
    generation->drain_ms = get_number(reader, json, "drain_ms");
    generation->cut = (unsigned)get_number(reader, json, "cut");
    generation->started = get_real(reader, json, "started");
    generation->started_ms = get_number(reader, json, "started_ms");
    get_text(reader, json, "reason", generation->reason, sizeof generation->reason);
    generation->next = service->generations; /* the array is read backwards */
    service->generations = generation;
    if (reader->wrong)
        return;
    if (service_attach(service, generation) != 0)
        reader->wrong = "definition";
    else
        read_generation_lanes(reader, json, generation);
    json_array_foreach (json_object_get(json, "workers"), i, element) {
        if (!reader->wrong)
            read_worker(reader, element, generation);
    }
}

static struct generation *find_generation(const struct service *service, uint64_t number)
{
    struct generation *g = service->generations;

    while (g && g->number != number)
        g = g->next;
    return number ? g : NULL;
}

static void read_previous(struct reader *reader, json_t *json, struct service *service)
{
    if (json_is_null(json))
        return;
    service->previous = (struct service_previous){
        .definition = get_copy(reader, json, "definition"),
        .kept = find_release(reader, get_number(reader, json, "release")),
        .number = (uint32_t)get_number(reader, json, "number"),
    };
}

static void read_outcome(struct reader *reader, json_t *json, struct service_outcome *outcome)
{
    outcome->result = (enum service_result)get_number(reader, json, "result");
    outcome->time = get_real(reader, json, "time");
    outcome->generation = (uint32_t)get_number(reader, json, "generation");
    get_text(reader, json, "text", outcome->text, sizeof outcome->text);
}

static void read_service_fields(struct reader *reader, json_t *json, struct service *service)
{
    service->state = (enum rollout_state)get_state(reader, json, rollout_state_parse);
    service->state_since = get_real(reader, json, "state_since");
    service->serving_since = get_real(reader, json, "serving_since");
    service->workers = (unsigned)get_number(reader, json, "workers");
    service->attempt = (uint32_t)get_number(reader, json, "attempt");
    service->attempt_ms = get_number(reader, json, "attempt_ms");
    service->failed_starts = (unsigned)get_number(reader, json, "failed_starts");
    service->retry_deadline_ms = get_number(reader, json, "retry_deadline_ms");
    service->going_back = get_bool(reader, json, "going_back");
    service->replaced = get_bool(reader, json, "replaced");
    service->remembered = get_bool(reader, json, "remembered");
    service->retrying = get_bool(reader, json, "retrying");
    service->removed = get_bool(reader, json, "removed");
    service->settled = get_bool(reader, json, "settled");
    get_text(reader, json, "asked_by", service->asked_by, sizeof service->asked_by);
    get_text(reader, json, "reason", service->reason, sizeof service->reason);
    read_outcome(reader, json_object_get(json, "last"), &service->last);
    read_previous(reader, json_object_get(json, "previous"), service);
}

static void read_service(struct reader *reader, json_t *json)
{
    json_t *generations = json_object_get(json, "generations");
    struct service *service =
        service_create(get_string(reader, json, "name"), get_string(reader, json, "wanted"), reader->runtime,
                       &reader->state->lanes, reader->events, reader->handlers);

    if (!service) {
        reader->wrong = "services";
        return;
    }
    service->next = reader->state->services; /* the array is read backwards */
    reader->state->services = service;
    read_service_fields(reader, json, service);
    for (size_t i = json_array_size(generations); i-- > 0 && !reader->wrong;)
        read_generation(reader, json_array_get(generations, i), service);
    service->stable = find_generation(service, get_number(reader, json, "stable"));
    service->candidate = find_generation(service, get_number(reader, json, "candidate"));
}

int state_restore(json_t *json, struct runtime *runtime, struct events *events,
                  const struct service_handlers *handlers, struct vault_entry *entries, size_t count,
                  struct state *state, const char **reason)
{
    struct reader reader = { .runtime = runtime,
                             .events = events,
                             .handlers = handlers,
                             .entries = entries,
                             .count = count,
                             .state = state };
    json_t *lanes = json_object_get(json, "lanes"), *services = json_object_get(json, "services"), *element;
    size_t i;

    if (json_integer_value(json_object_get(json, "version")) != STATE_VERSION) {
        *reason = "its version is not known";
        return -EPROTO;
    }
    runtime->serial = get_number(&reader, json, "serial");
    state->accepted = get_copy(&reader, json, "accepted");
    state->started = get_real(&reader, json, "started");
    state->announced = get_bool(&reader, json, "announced");
    state->stopping = get_bool(&reader, json, "stopping");
    state->stop_drain_ms = get_number(&reader, json, "stop_drain_ms");
    read_releases(&reader, json);
    json_array_foreach (lanes, i, element) {
        read_lane(&reader, element);
    }
    for (i = json_array_size(services); i-- > 0 && !reader.wrong;)
        read_service(&reader, json_array_get(services, i));
    free(reader.releases);
    *reason = reader.wrong;
    return reader.wrong ? -EPROTO : 0;
}
