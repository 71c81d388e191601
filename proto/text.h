/* The strings of the protocol: names and sentences in messages, numbers in the environment. Pure. */
#ifndef BATON_TEXT_H
#define BATON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TEXT_NAME_BYTES = 64, /* a name, its NUL included: 1 to 63 bytes of A-Z a-z 0-9 . _ - */
    TEXT_BYTES = 201,     /* a sentence, its NUL included: 200 bytes of UTF-8 without control characters */
};

/* Whether `name` may name a listener. */
bool text_is_name(const char *name);

/* Whether `text` is a sentence: safe to log on one line and to write as a JSON string. */
bool text_is_sentence(const char *text);

/* Bytes of the UTF-8 character at `text` (ended by a NUL); 0 when it is not one a sentence may have: a
 * control character, a stray or missing continuation byte, an overlong form, a surrogate, beyond U+10FFFF. */
size_t text_character_bytes(const char *text);

/* Make a sentence of any string: what may not be in one becomes '?', what is too long is cut off,
 * never inside a character. NULL becomes "". */
void text_clean(char out[TEXT_BYTES], const char *text);

/* Read a decimal number of at most `max`: digits only. Returns whether it is one; `out` is untouched else. */
bool text_to_number(const char *text, unsigned long max, unsigned long *out);

#endif
