/* The control socket's lines as bytes, for both sides of it: bytes are fed, whole lines are taken.
 * Pure; knows no JSON. `struct control_line line = { 0 };` is an empty buffer. */
#ifndef BATON_CONTROL_LINE_H
#define BATON_CONTROL_LINE_H

#include <stddef.h>

/* The first line each way; a side that gets another one says so and closes. */
#define CONTROL_LINE_VERSION "baton 1"

enum { CONTROL_LINE_MAX_BYTES = 1 << 20 }; /* of one line, without its newline */

enum { CONTROL_LINE_NONE = 1 }; /* no whole line yet: feed more */

struct control_line {
    char *bytes;
    size_t start;   /* of the first line that was not taken */
    size_t scanned; /* there is no newline between start and here */
    size_t used;
    size_t capacity;
};

/* Append `size` bytes as they came; lines that were taken before become invalid. Take all lines before
 * feeding more: then the buffer is never larger than one line and one feeding.
 * Returns 0 or -ENOMEM. */
int control_line_feed(struct control_line *line, const void *bytes, size_t size);

/* Take the next whole line, without its newline, NUL-terminated; `text` is the buffer's and valid until
 * the next feeding. Returns 0; CONTROL_LINE_NONE; -EMSGSIZE when the line is too long, whole or not,
 * and -EBADMSG when it has a NUL inside: the peer is to be dropped. `text` and `length` are written with
 * 0 only. */
int control_line_take(struct control_line *line, char **text, size_t *length);

/* Free the buffer; it is empty afterwards and can be used again. */
void control_line_clear(struct control_line *line);

#endif
