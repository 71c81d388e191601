/* events.jsonl of the state directory: the events as lines, so that they survive a stop and can be read
 * with tail(1). A line that is no event, or whose id does not grow, is skipped; a last line without its
 * newline was torn and is cut off. */
#ifndef BATON_EVENT_FILE_H
#define BATON_EVENT_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/event_ring.h"

struct event_file {
    int directory;    /* borrowed */
    int fd;           /* owned; -1: it could not be opened (yet) */
    off_t bytes;      /* its size */
    size_t lines;     /* in it, skipped ones included */
    uint64_t last_id; /* of its last event */
    bool flawed;      /* events are missing, or lines are none: to be rewritten */
};

/* Called for each event of the file, oldest first; `event` and `text` are borrowed. */
typedef void event_file_line_fn(void *arg, uint64_t id, const json_t *event, const char *text, size_t bytes);

/* Open or create; `directory` (a descriptor) must outlive it. `on_line` NULL: only the last line is looked
 * at. 0, or -errno: then appending tries again. */
int event_file_open(struct event_file *file, int directory, event_file_line_fn *on_line, void *arg);

/* Append one line with one write(2). 0; -errno: nothing was added (a half line is taken back) and the file is
 * flawed from now on. */
int event_file_append(struct event_file *file, uint64_t id, const char *text, size_t bytes);

/* Replace the file by what the ring holds. 0, or -errno: the old file stays. */
int event_file_rewrite(struct event_file *file, const struct event_ring *ring);

void event_file_close(struct event_file *file);

#endif
