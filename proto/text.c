#include "proto/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool text_is_name(const char *name)
{
    size_t length = 0;

    while (length < TEXT_NAME_BYTES && is_name_byte(name[length]))
        length++;
    return length > 0 && length < TEXT_NAME_BYTES && name[length] == '\0';
}

/* How long the character is that begins with this byte; 0 when none does. */
static size_t announced_bytes(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >> 5 == 6)
        return 2;
    if (first >> 4 == 14)
        return 3;
    return first >> 3 == 30 ? 4 : 0;
}

size_t text_character_bytes(const char *text)
{
    static const uint32_t smallest[] = { 0, 0x20, 0xa0, 0x800, 0x10000 }; /* below: overlong or control */
    const unsigned char *byte = (const unsigned char *)text;
    size_t bytes = announced_bytes(byte[0]);
    uint32_t code = bytes > 1 ? byte[0] & (0xffu >> (bytes + 1)) : byte[0];

    for (size_t i = 1; i < bytes; i++) {
        if (byte[i] >> 6 != 2) /* the NUL at the end stops here as well */
            return 0;
        code = code << 6 | (byte[i] & 0x3f);
    }
    if (code < smallest[bytes] || code == 0x7f || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
        return 0;
    return bytes;
}

bool text_is_sentence(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        size_t bytes = text_character_bytes(text + length);

        if (bytes == 0 || length + bytes >= TEXT_BYTES)
            return false;
        length += bytes;
    }
    return true;
}

void text_clean(char out[TEXT_BYTES], const char *text)
{
    size_t used = 0;

    while (text && *text) {
        size_t bytes = text_character_bytes(text);

        if (used + (bytes ? bytes : 1) >= TEXT_BYTES)
            break;
        if (bytes)
            memcpy(out + used, text, bytes);
        else
            out[used] = '?';
        used += bytes ? bytes : 1;
        text += bytes ? bytes : 1;
    }
    out[used] = '\0';
}

bool text_to_number(const char *text, unsigned long max, unsigned long *out)
{
    unsigned long value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned long digit = (unsigned long)*text - '0';

        if (*text < '0' || *text > '9' || digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
