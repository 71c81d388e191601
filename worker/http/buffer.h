/* Bytes that grow. A failed allocation is remembered instead of returned, so that code that writes an
 * answer piece by piece asks once, at the end: `failed`. */
#ifndef BATON_HTTP_BUFFER_H
#define BATON_HTTP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct http_buffer {
    char *data; /* NULL while nothing was ever stored */
    size_t length;
    size_t capacity;
    bool failed; /* something did not fit into memory: the content is not complete */
};

/* Make room for `extra` more bytes behind `length`. Returns false, and sets `failed`, without memory. */
bool http_buffer_reserve(struct http_buffer *buffer, size_t extra);

void http_buffer_append(struct http_buffer *buffer, const char *data, size_t length);
void http_buffer_text(struct http_buffer *buffer, const char *text);
void http_buffer_printf(struct http_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Append `text` as a JSON string with its quotes, or as the text of an HTML element or attribute.
 * The text is valid UTF-8; both keep it so. */
void http_buffer_json(struct http_buffer *buffer, const char *text);
void http_buffer_html(struct http_buffer *buffer, const char *text);

/* Forget the content. The memory is kept when it has at most `keep_bytes`, and freed otherwise. */
void http_buffer_reset(struct http_buffer *buffer, size_t keep_bytes);

#endif
