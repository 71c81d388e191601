#include "worker/http/target.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static const struct utf8_form {
    unsigned char mask, lead;
    uint32_t least; /* smallest code point that needs this many bytes */
} utf8_forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

/* How many bytes the UTF-8 character at `text` has; 0 when it is none. `text` ends with NUL. */
static size_t utf8_bytes(const unsigned char *text)
{
    size_t more = 0;

    while ((*text & utf8_forms[more].mask) != utf8_forms[more].lead) {
        if (++more == sizeof utf8_forms / sizeof *utf8_forms)
            return 0;
    }
    uint32_t code = *text & (unsigned char)~utf8_forms[more].mask;
    for (size_t i = 1; i <= more; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < utf8_forms[more].least || code > 0x10ffff || is_surrogate ? 0 : more + 1;
}

static bool is_utf8(const char *text)
{
    while (*text) {
        size_t bytes = utf8_bytes((const unsigned char *)text);

        if (bytes == 0)
            return false;
        text += bytes;
    }
    return true;
}

/* Decode `text` up to `end` into `out` (may be the same place), at most up to `out_end`. Returns the end of
 * what was written; NULL when it does not fit, for a malformed %XX, a NUL or a control byte. */
static char *decode(const char *text, const char *end, char *out, const char *out_end, bool plus_is_space)
{
    while (text < end) {
        char byte = *text++;

        if (out == out_end)
            return NULL;
        if (byte == '%') {
            int high = end - text >= 2 ? hex_digit(text[0]) : -1;
            int low = high >= 0 ? hex_digit(text[1]) : -1;

            if (low < 0 || (high | low) == 0)
                return NULL;
            byte = (char)(high << 4 | low);
            text += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        } else if ((unsigned char)byte <= ' ') {
            return NULL;
        }
        *out++ = byte;
    }
    return out;
}

bool http_target_split(char *target, size_t length, const char **path, const char **query)
{
    char *end = target + length;

    if (length > 7 && !strncasecmp(target, "http://", 7)) {
        target = memchr(target + 7, '/', length - 7);
        if (!target)
            return false;
    }
    if (target == end || *target != '/')
        return false;
    *end = '\0';
    char *mark = memchr(target, '?', (size_t)(end - target));
    char *path_end = decode(target, mark ? mark : end, target, end, false);
    if (!path_end)
        return false;
    *query = mark ? mark + 1 : end;
    *path_end = '\0';
    *path = target;
    return is_utf8(target);
}

int http_query_get(const char *query, const char *name, char *value, size_t size)
{
    size_t name_length = strlen(name);

    while (*query) {
        size_t length = strcspn(query, "&");

        if (length > name_length && query[name_length] == '=' && !strncmp(query, name, name_length)) {
            const char *start = query + name_length + 1;
            char *value_end = decode(start, query + length, value, value + size - 1, true);

            if (!value_end)
                return -EINVAL;
            *value_end = '\0';
            return is_utf8(value) ? 1 : -EINVAL;
        }
        query += length + (query[length] == '&');
    }
    return 0;
}
