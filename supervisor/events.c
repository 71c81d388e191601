#include "supervisor/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/counters.h"
#include "supervisor/event_file.h"
#include "supervisor/event_ring.h"
#include "supervisor/jsonline.h"
#include "supervisor/log.h"
#include "supervisor/prose.h"

struct events {
    struct event_ring ring;
    int directory; /* -1: nothing is kept in files */
    struct event_file file;
    bool events_warned, counters_warned; /* the last write failed and that was said */
    struct counters counters;
    uint64_t last_id;
    events_listener_fn *listener;
    void *listener_arg;
};

/* Say it when a file begins to fail, and when it works again; not each time. */
static void report(bool *warned, const char *file, int error)
{
    if (error && !*warned)
        log_warn("state file=%s error=\"%s\": kept in memory only until it can be written", file,
                 strerror(-error));
    if (!error && *warned)
        log_info("state file=%s: written again", file);
    *warned = error != 0;
}

static void counters_to_ring(struct events *events, size_t index)
{
    const struct counter *counter = &events->counters.list[index];
    int error = event_ring_put_counter(&events->ring, index, counter->service, counter->generation);

    if (error)
        log_warn("state memory=counters service=%s error=\"%s\"", counter->service, strerror(-error));
}

static void counters_to_file(struct events *events)
{
    if (events->directory >= 0)
        report(&events->counters_warned, "generations.json",
               counters_save(&events->counters, events->directory));
}

/* An event of the file: into the new ring. Its generation counts too, should generations.json be lost. */
static void on_line(void *arg, uint64_t id, const json_t *event, const char *text, size_t bytes)
{
    struct events *events = arg;
    const char *service = json_string_value(json_object_get(event, "service"));
    json_int_t generation = json_integer_value(json_object_get(event, "generation"));

    event_ring_put(&events->ring, id, text, bytes);
    if (service && generation > 0 && generation <= UINT32_MAX)
        counters_raise(&events->counters, service, (uint32_t)generation, NULL);
}

static int attach(struct events *events, int ring)
{
    char service[CONFIG_NAME_MAX + 1];
    uint32_t generation;
    int error = event_ring_attach(&events->ring, ring);

    for (size_t i = 0; !error && event_ring_get_counter(&events->ring, i, service, &generation); i++)
        error = counters_raise(&events->counters, service, generation, NULL);
    return error;
}

static void read_counters(struct events *events)
{
    struct counters saved = { 0 };
    int error = counters_load(&saved, events->directory);
    bool behind = false;

    if (error)
        log_warn("state file=generations.json error=\"%s\": numbers are taken from the events",
                 strerror(-error));
    for (size_t i = 0; i < events->counters.count; i++) {
        const struct counter *counter = &events->counters.list[i];

        behind = behind || counters_get(&saved, counter->service) < counter->generation;
    }
    for (size_t i = 0; i < saved.count; i++)
        counters_raise(&events->counters, saved.list[i].service, saved.list[i].generation, NULL);
    counters_free(&saved);
    if (behind)
        counters_to_file(events);
    for (size_t i = 0; i < events->counters.count; i++)
        counters_to_ring(events, i);
}

static void read_events(struct events *events, bool ring_is_new)
{
    int error = event_file_open(&events->file, events->directory, ring_is_new ? on_line : NULL, events);

    events->last_id = events->ring.newest;
    if (events->last_id < events->file.last_id)
        events->last_id = events->file.last_id;
    if (!error && (events->file.flawed || events->file.last_id < events->ring.newest))
        error = event_file_rewrite(&events->file, &events->ring);
    report(&events->events_warned, "events.jsonl", error);
}

static void open_directory(struct events *events, const char *state_dir, bool ring_is_new)
{
    events->directory = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (events->directory < 0) {
        log_warn("state directory=%s error=\"%s\": events and generation numbers do not survive a stop",
                 state_dir, strerror(errno));
        return;
    }
    read_events(events, ring_is_new);
    read_counters(events);
}

static int open_ring(struct events *events, int ring, bool *is_new)
{
    int error = ring >= 0 ? attach(events, ring) : 0;

    *is_new = ring < 0 || error == -EPROTO;
    if (error == -EPROTO)
        log_warn("state memory=events: not of this version: begun anew from the state directory");
    return *is_new ? event_ring_create(&events->ring) : error;
}

int events_open(int ring, const char *state_dir, struct events **out)
{
    struct events *events = calloc(1, sizeof *events);
    bool ring_is_new;

    if (!events) {
        if (ring >= 0)
            close(ring);
        return -ENOMEM;
    }
    events->ring.fd = events->directory = events->file.fd = -1;
    int error = open_ring(events, ring, &ring_is_new);
    if (error) {
        events_close(events);
        return error;
    }
    events->last_id = events->ring.newest;
    if (state_dir)
        open_directory(events, state_dir, ring_is_new);
    *out = events;
    return 0;
}

int events_ring_fd(const struct events *events)
{
    return events->ring.fd;
}

static json_t *build(uint64_t id, const char *type, const char *service, uint32_t generation,
                     const char *text, json_t *fields)
{
    json_t *event = json_object();
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(event, "id", json_integer((json_int_t)id));
    json_object_set_new(event, "time", json_real((double)now.tv_sec + (double)(now.tv_nsec / 1000000) / 1e3));
    json_object_set_new(event, "type", json_string(type));
    if (service)
        json_object_set_new(event, "service", json_string(service));
    if (generation)
        json_object_set_new(event, "generation", json_integer(generation));
    json_object_set_new(event, "text", json_string(text));
    json_object_update_missing(event, fields);
    return event;
}

static void cut_text(json_t *event, size_t bytes)
{
    const char *text = json_string_value(json_object_get(event, "text"));
    char *copy = text ? strdup(text) : NULL;

    if (copy) {
        prose_cut(copy, bytes);
        json_object_set_new(event, "text", json_string(copy));
    }
    free(copy);
}

static void drop_fields(json_t *event, json_t *fields)
{
    static const char *const kept[] = { "id", "time", "type", "service", "generation", "text" };
    const char *key;
    json_t *value;

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_del(fields, kept[i]);
    json_object_foreach (fields, key, value)
        json_object_del(event, key);
}

/* Write the event to `line`, making it shorter until it fits: a long sentence, then the fields, then what is
 * left of the sentence (a byte that is escaped takes six). Returns its bytes; 0: out of memory. */
static size_t fit(json_t *event, json_t *fields, char line[EVENT_RING_TEXT_MAX])
{
    size_t bytes = json_dumpb(event, line, EVENT_RING_TEXT_MAX, JSONLINE_FLAGS);

    for (int step = 1; bytes > EVENT_RING_TEXT_MAX && step <= 3; step++) {
        if (step == 2)
            drop_fields(event, fields);
        else
            cut_text(event, step == 1 ? EVENT_RING_TEXT_MAX / 2 : EVENT_RING_TEXT_MAX / 8);
        json_object_set_new(event, "shortened", json_true());
        bytes = json_dumpb(event, line, EVENT_RING_TEXT_MAX, JSONLINE_FLAGS);
    }
    return bytes <= EVENT_RING_TEXT_MAX ? bytes : 0;
}

static void keep(struct events *events, const char *line, size_t bytes)
{
    int error = event_ring_put(&events->ring, events->last_id, line, bytes);

    if (error)
        log_warn("state memory=events id=%" PRIu64 " error=\"%s\"", events->last_id, strerror(-error));
    if (events->directory < 0)
        return;
    error = event_file_append(&events->file, events->last_id, line, bytes);
    if (!error && (events->file.flawed || events->file.lines > 2 * EVENTS_KEPT))
        error = event_file_rewrite(&events->file, &events->ring);
    report(&events->events_warned, "events.jsonl", error);
    if (!error && events->counters_warned)
        counters_to_file(events);
}

void events_record(struct events *events, const char *type, const char *service, uint32_t generation,
                   json_t *fields, const char *text_format, ...)
{
    char line[EVENT_RING_TEXT_MAX];
    va_list arguments;

    va_start(arguments, text_format);
    char *text = prose_format(text_format, arguments);
    va_end(arguments);
    json_t *event = build(++events->last_id, type, service, generation, text ? text : "", fields);
    free(text);
    size_t bytes = fit(event, fields, line);
    if (bytes > 0) {
        keep(events, line, bytes);
        if (events->listener)
            events->listener(events->listener_arg, event);
    }
    json_decref(event);
    json_decref(fields);
}

static bool concerns(const json_t *event, const char *service)
{
    const char *of = json_string_value(json_object_get(event, "service"));

    return !service || (of && !strcmp(of, service));
}

json_t *events_list(const struct events *events, uint64_t after_id, const char *service, size_t limit)
{
    char text[EVENT_BYTES_MAX];
    json_t *list = json_array();
    uint64_t oldest = event_ring_oldest(&events->ring);

    if (after_id >= events->ring.newest)
        return list;
    if (oldest <= after_id)
        oldest = after_id + 1;
    for (uint64_t id = events->ring.newest; id >= oldest && json_array_size(list) < limit; id--) {
        size_t bytes = event_ring_get(&events->ring, id, text);
        json_t *event = bytes > 0 ? json_loadb(text, bytes, 0, NULL) : NULL;

        if (event && concerns(event, service))
            json_array_insert_new(list, 0, event);
        else
            json_decref(event);
    }
    return list;
}

void events_subscribe(struct events *events, events_listener_fn *listener, void *arg)
{
    events->listener = listener;
    events->listener_arg = arg;
}

uint32_t events_last_generation(const struct events *events, const char *service)
{
    return counters_get(&events->counters, service);
}

void events_set_last_generation(struct events *events, const char *service, uint32_t generation)
{
    size_t index;
    int error = counters_raise(&events->counters, service, generation, &index);

    if (error) {
        log_error("state service=%s error=\"%s\": its generation number is not kept", service,
                  strerror(-error));
        return;
    }
    counters_to_ring(events, index);
    counters_to_file(events);
}

void events_close(struct events *events)
{
    event_file_close(&events->file);
    event_ring_close(&events->ring);
    if (events->directory >= 0)
        close(events->directory);
    counters_free(&events->counters);
    free(events);
}
