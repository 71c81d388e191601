#include "tests/bench/load_buffer.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

void *load_grow(void *old, size_t count, size_t element_bytes)
{
    void *grown = reallocarray(old, count, element_bytes);

    if (!grown)
        err(2, "load");
    return grown;
}

void load_buffer_append(struct load_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    if (buffer->capacity - buffer->length < length) {
        buffer->capacity = buffer->capacity * 2 + length;
        buffer->data = load_grow(buffer->data, buffer->capacity, 1);
    }
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
}

void load_buffer_text(struct load_buffer *buffer, const char *text)
{
    load_buffer_append(buffer, text, strlen(text));
}

void load_buffer_clear(struct load_buffer *buffer)
{
    buffer->length = 0;
}

void load_buffer_free(struct load_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct load_buffer){ 0 };
}
