#include "worker/http/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_BYTES = 1024 };

bool http_buffer_reserve(struct http_buffer *buffer, size_t extra)
{
    size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST_BYTES;
    char *data;

    if (extra <= buffer->capacity - buffer->length)
        return true;
    if (extra > SIZE_MAX / 4 - buffer->length)
        goto fail;
    while (capacity < buffer->length + extra)
        capacity *= 2;
    data = realloc(buffer->data, capacity);
    if (!data)
        goto fail;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
fail:
    buffer->failed = true;
    return false;
}

void http_buffer_append(struct http_buffer *buffer, const char *data, size_t length)
{
    if (length == 0 || !http_buffer_reserve(buffer, length))
        return;
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void http_buffer_text(struct http_buffer *buffer, const char *text)
{
    http_buffer_append(buffer, text, strlen(text));
}

void http_buffer_printf(struct http_buffer *buffer, const char *format, ...)
{
    size_t room = 64; /* a guess; what vsnprintf() asks for, the second time */

    for (int attempt = 0; attempt < 2; attempt++) {
        va_list arguments;

        if (!http_buffer_reserve(buffer, room))
            return;
        room = buffer->capacity - buffer->length;
        va_start(arguments, format);
        int length = vsnprintf(buffer->data + buffer->length, room, format, arguments);
        va_end(arguments);
        if (length >= 0 && (size_t)length < room) {
            buffer->length += (size_t)length;
            return;
        }
        room = (size_t)length + 1;
    }
    buffer->failed = true;
}

static const char json_special[] =
    "\"\\\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"
    "\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f";

static void append_json_special(struct http_buffer *buffer, char byte)
{
    switch (byte) {
    case '"':
        http_buffer_text(buffer, "\\\"");
        break;
    case '\\':
        http_buffer_text(buffer, "\\\\");
        break;
    case '\n':
        http_buffer_text(buffer, "\\n");
        break;
    default:
        http_buffer_printf(buffer, "\\u%04x", (unsigned int)byte);
    }
}

static void append_html_special(struct http_buffer *buffer, char byte)
{
    switch (byte) {
    case '<':
        http_buffer_text(buffer, "&lt;");
        break;
    case '>':
        http_buffer_text(buffer, "&gt;");
        break;
    case '&':
        http_buffer_text(buffer, "&amp;");
        break;
    case '"':
        http_buffer_text(buffer, "&quot;");
        break;
    default:
        http_buffer_text(buffer, "&#39;");
    }
}

/* Append `text`; the bytes listed in `special` go through `append_special`. */
static void append_escaped(struct http_buffer *buffer, const char *text, const char *special,
                           void (*append_special)(struct http_buffer *buffer, char byte))
{
    for (;;) {
        size_t plain = strcspn(text, special);

        http_buffer_append(buffer, text, plain);
        text += plain;
        if (!*text)
            return;
        append_special(buffer, *text++);
    }
}

void http_buffer_json(struct http_buffer *buffer, const char *text)
{
    http_buffer_text(buffer, "\"");
    append_escaped(buffer, text, json_special, append_json_special);
    http_buffer_text(buffer, "\"");
}

void http_buffer_html(struct http_buffer *buffer, const char *text)
{
    append_escaped(buffer, text, "<>&\"'", append_html_special);
}

void http_buffer_reset(struct http_buffer *buffer, size_t keep_bytes)
{
    if (buffer->capacity > keep_bytes) {
        free(buffer->data);
        *buffer = (struct http_buffer){ 0 };
        return;
    }
    buffer->length = 0;
    buffer->failed = false;
}
