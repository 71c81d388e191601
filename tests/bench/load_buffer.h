/* Bytes that grow. A zeroed struct is empty; no memory ends the program: a load client has nothing to save.
 */
#ifndef BATON_LOAD_BUFFER_H
#define BATON_LOAD_BUFFER_H

#include <stddef.h>

struct load_buffer {
    char *data; /* NULL while nothing was ever appended; not terminated */
    size_t length;
    size_t capacity;
};

void load_buffer_append(struct load_buffer *buffer, const void *bytes, size_t length);
void load_buffer_text(struct load_buffer *buffer, const char *text);

/* Forget the bytes, keep the memory. */
void load_buffer_clear(struct load_buffer *buffer);
void load_buffer_free(struct load_buffer *buffer);

/* realloc() of `count` elements that does not fail. */
void *load_grow(void *old, size_t count, size_t element_bytes);

#endif
