/* The memfd that keeps events and generation counters while baton runs: it outlives the supervisor in
 * the keeper's vault. Records of fixed size at fixed places, none crosses a page: a writer that is killed
 * leaves each of them old or new, and a checksum finds the rest. Read and written with pread and pwrite, so
 * it is nobody's resident memory. */
#ifndef BATON_EVENT_RING_H
#define BATON_EVENT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/config.h"
#include "supervisor/events.h"

enum {
    EVENT_RING_COUNTERS = 2048,                    /* services that ever had a generation */
    EVENT_RING_TEXT_MAX = EVENT_BYTES_MAX - 4 * 4, /* bytes of one event's text */
};

struct event_ring {
    int fd;          /* owned; -1: none */
    uint64_t newest; /* highest id; 0: empty */
};

int event_ring_create(struct event_ring *ring); /* 0 or -errno */

/* Takes `fd`, also on failure. -EPROTO: not a ring of this layout. */
int event_ring_attach(struct event_ring *ring, int fd);

/* Keep `text` as event `id` (> newest) in the place of the one EVENTS_KEPT before it. 0, -EMSGSIZE, or -errno
 * of pwrite(2) (no memory for another page). */
int event_ring_put(struct event_ring *ring, uint64_t id, const char *text, size_t bytes);

/* Copy event `id`, NUL-terminated. Its bytes; 0: not kept (any more). */
size_t event_ring_get(const struct event_ring *ring, uint64_t id, char text[EVENT_BYTES_MAX]);

/* The oldest id that may still be kept; newest + 1 when there is none. */
uint64_t event_ring_oldest(const struct event_ring *ring);

/* Counter number `index`. get: false: nothing (valid) was written there. */
int event_ring_put_counter(struct event_ring *ring, size_t index, const char *name, uint32_t value);
bool event_ring_get_counter(const struct event_ring *ring, size_t index, char name[CONFIG_NAME_MAX + 1],
                            uint32_t *value);

void event_ring_close(struct event_ring *ring);

#endif
