#include "proto/control_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Move what was not taken to the front. */
static void compact(struct control_line *line)
{
    if (line->start == 0)
        return;
    memmove(line->bytes, line->bytes + line->start, line->used - line->start);
    line->used -= line->start;
    line->scanned -= line->start;
    line->start = 0;
}

int control_line_feed(struct control_line *line, const void *bytes, size_t size)
{
    size_t capacity = line->capacity ? line->capacity : 4096;

    compact(line);
    while (capacity - line->used < size)
        capacity *= 2;
    if (capacity > line->capacity) {
        char *larger = realloc(line->bytes, capacity);

        if (!larger)
            return -ENOMEM;
        line->bytes = larger;
        line->capacity = capacity;
    }
    memcpy(line->bytes + line->used, bytes, size);
    line->used += size;
    return 0;
}

int control_line_take(struct control_line *line, char **text, size_t *length)
{
    char *begin, *newline;
    size_t bytes;

    if (line->used == line->start)
        return CONTROL_LINE_NONE;
    begin = line->bytes + line->start;
    newline = memchr(line->bytes + line->scanned, '\n', line->used - line->scanned);
    bytes = newline ? (size_t)(newline - begin) : line->used - line->start;
    if (bytes > CONTROL_LINE_MAX_BYTES)
        return -EMSGSIZE;
    line->scanned = newline ? line->scanned : line->used;
    if (!newline)
        return CONTROL_LINE_NONE;
    if (memchr(begin, '\0', bytes))
        return -EBADMSG;
    *newline = '\0';
    line->start = line->scanned = line->start + bytes + 1;
    *text = begin;
    *length = bytes;
    return 0;
}

void control_line_clear(struct control_line *line)
{
    free(line->bytes);
    *line = (struct control_line){ 0 };
}
