#include "supervisor/core/escape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"

static const char ellipsis[] = "…";

enum { UNIT_BYTES = 8 };

/* One character in its printable form, NUL-terminated. Returns how many bytes of `text` it stands for. */
static size_t escape_character(const char *text, const char *special, char unit[UNIT_BYTES])
{
    static const char controls[] = "\n\r\t", letters[] = "nrt";
    const char *control = strchr(controls, *text);
    size_t bytes = text_character_bytes(text);

    if (control) {
        snprintf(unit, UNIT_BYTES, "\\%c", letters[control - controls]);
        return 1;
    }
    if (bytes == 0) {
        snprintf(unit, UNIT_BYTES, "\\x%02x", (unsigned char)*text);
        return 1;
    }
    snprintf(unit, UNIT_BYTES, "%s%.*s", strchr(special, *text) ? "\\" : "", (int)bytes, text);
    return bytes;
}

size_t escape_text(const char *text, const char *special, char *out, size_t bytes)
{
    size_t used = 0, cut = 0; /* cut: the last place where the ellipsis still fits */
    char unit[UNIT_BYTES];

    assert(bytes >= sizeof ellipsis);
    while (*text) {
        size_t taken = escape_character(text, special, unit);
        size_t length = strlen(unit);

        if (used + sizeof ellipsis <= bytes)
            cut = used;
        if (used + length >= bytes) {
            memcpy(out + cut, ellipsis, sizeof ellipsis);
            return cut + sizeof ellipsis - 1;
        }
        memcpy(out + used, unit, length);
        used += length;
        text += taken;
    }
    out[used] = '\0';
    return used;
}
