/* What happened: the last 1,000 events, kept in a memfd ring (survives the supervisor) and in a file of
 * the state directory (survives a stop), with the generation counters that must never go back.
 *
 * An event is a JSON object on one line: {"id": 17, "time": 1764043331.123, "type": "committed", "service":
 * "blog", "generation": 8, "text": "one sentence for people", …}. `id` grows by one for ever, over restarts
 * and stops. An event that would be longer than EVENT_BYTES_MAX loses the end of its sentence, then its other
 * fields, and has "shortened": true. */
#ifndef BATON_EVENTS_H
#define BATON_EVENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENTS_KEPT = 1000, EVENT_BYTES_MAX = 2048 };

struct events;

/* Called for each new event, in order (control connections that follow). The object is borrowed. */
typedef void events_listener_fn(void *arg, json_t *event);

/* `ring` is the memfd from the vault or -1 (then a new one is made; sealed); taken. One of another layout is
 * replaced by a new one: store events_ring_fd() in the vault in any case. `state_dir` or NULL: nothing is
 * kept in files. With a new ring the events of the file are loaded. The file is appended with one
 * write(2) per event and compacted (write new, fsync, rename) when it holds more than 2 * EVENTS_KEPT; a torn
 * last line is dropped; an unwritable or full directory is a warning once, never a failure. 0 or -errno. */
int events_open(int ring, const char *state_dir, struct events **out);
int events_ring_fd(const struct events *events); /* for the vault; stays ours */

/* Record; `fields` (taken, may be NULL) are added to the object. `service` may be NULL, `generation` 0: left
 * out. */
void events_record(struct events *events, const char *type, const char *service, uint32_t generation,
                   json_t *fields, const char *text_format, ...) __attribute__((format(printf, 6, 7)));

/* New array of the events after `after_id` (0: all), of `service` or of all (NULL), at most `limit` newest,
 * oldest first. */
json_t *events_list(const struct events *events, uint64_t after_id, const char *service, size_t limit);

void events_subscribe(struct events *events, events_listener_fn *listener,
                      void *arg); /* one subscriber: the control server */

/* The highest generation number ever given to `service` (0: none); set before it is used: it is in the ring
 * and in the file when the call returns, and survives the end of any process (the disk is not waited for). It
 * never goes back. */
uint32_t events_last_generation(const struct events *events, const char *service);
void events_set_last_generation(struct events *events, const char *service, uint32_t generation);

void events_close(struct events *events);

#endif
