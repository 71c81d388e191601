#include "supervisor/event_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/file.h"

static const char file_name[] = "events.jsonl";

struct reading {
    event_file_line_fn *on_line;
    void *arg;
};

static void read_line(struct event_file *file, const struct reading *reading, const char *text, size_t bytes)
{
    json_t *event = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    json_int_t id = json_integer_value(json_object_get(event, "id"));

    if (id > 0 && (uint64_t)id > file->last_id && bytes <= EVENT_RING_TEXT_MAX) {
        file->last_id = (uint64_t)id;
        if (reading->on_line)
            reading->on_line(reading->arg, file->last_id, event, text, bytes);
    } else {
        file->flawed = true;
    }
    json_decref(event);
}

/* Returns the bytes that are whole lines. */
static size_t read_lines(struct event_file *file, const struct reading *reading, const char *bytes,
                         size_t length)
{
    const char *line = bytes, *end = bytes + length, *newline;

    while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
        bool last = !memchr(newline + 1, '\n', (size_t)(end - newline - 1));

        if (reading->on_line || last)
            read_line(file, reading, line, (size_t)(newline - line));
        file->lines++;
        line = newline + 1;
    }
    return (size_t)(line - bytes);
}

static int open_for_append(struct event_file *file)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

    file->fd = openat(file->directory, file_name, flags, 0640);
    return file->fd < 0 ? -errno : 0;
}

int event_file_open(struct event_file *file, int directory, event_file_line_fn *on_line, void *arg)
{
    struct reading reading = { on_line, arg };
    char *bytes = NULL;
    size_t length = 0;

    *file = (struct event_file){ .directory = directory, .fd = -1 };
    int error = file_read(directory, file_name, &bytes, &length);
    if (!error)
        file->bytes = (off_t)read_lines(file, &reading, bytes, length);
    if (!error || error == -ENOENT)
        error = open_for_append(file);
    if (!error && file->bytes < (off_t)length && ftruncate(file->fd, file->bytes) < 0)
        error = -errno;
    if (error)
        file->flawed = true;
    free(bytes);
    return error;
}

/* One write, all or nothing. */
static int append(struct event_file *file, const char *line, size_t bytes)
{
    ssize_t written = write(file->fd, line, bytes);

    if (written == (ssize_t)bytes) {
        file->bytes += written;
        return 0;
    }
    int error = written < 0 ? -errno : -ENOSPC;
    if (written > 0 && ftruncate(file->fd, file->bytes) < 0)
        return -errno;
    return error;
}

int event_file_append(struct event_file *file, uint64_t id, const char *text, size_t bytes)
{
    char line[EVENT_BYTES_MAX];
    int error = -EMSGSIZE;

    if (bytes < sizeof line) {
        memcpy(line, text, bytes);
        line[bytes] = '\n';
        error = file->fd < 0 ? open_for_append(file) : 0;
        if (!error)
            error = append(file, line, bytes + 1);
    }
    if (error) {
        file->flawed = true;
        return error;
    }
    file->last_id = id;
    file->lines++;
    return 0;
}

/* All lines of the ring, malloc'd; NULL: out of memory. */
static char *collect(const struct event_ring *ring, size_t *bytes, size_t *lines)
{
    char *text = malloc((size_t)EVENTS_KEPT * EVENT_BYTES_MAX);

    *bytes = *lines = 0;
    for (uint64_t id = event_ring_oldest(ring); text && id <= ring->newest; id++) {
        size_t length = event_ring_get(ring, id, text + *bytes);

        if (length == 0)
            continue;
        text[*bytes + length] = '\n';
        *bytes += length + 1;
        ++*lines;
    }
    return text;
}

int event_file_rewrite(struct event_file *file, const struct event_ring *ring)
{
    size_t bytes, lines;
    char *text = collect(ring, &bytes, &lines);
    int error = text ? file_replace(file->directory, file_name, text, bytes, true) : -ENOMEM;

    free(text);
    if (error)
        return error;
    event_file_close(file);
    file->bytes = (off_t)bytes;
    file->lines = lines;
    file->last_id = ring->newest;
    error = open_for_append(file);
    file->flawed = error != 0;
    return error;
}

void event_file_close(struct event_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
