#include "tests/bench/load_header.h"

#include <string.h>
#include <strings.h>

bool load_span_is(struct load_span span, const char *text)
{
    return span.length == strlen(text) && !strncasecmp(span.at, text, span.length);
}

bool load_span_is_text(struct load_span span)
{
    for (size_t i = 0; i < span.length; i++) {
        unsigned char c = (unsigned char)span.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct load_span trimmed(struct load_span span)
{
    while (span.length && is_blank(span.at[0])) {
        span.at++;
        span.length--;
    }
    while (span.length && is_blank(span.at[span.length - 1]))
        span.length--;
    return span;
}

bool load_header_line(struct load_span *head, struct load_span *line)
{
    const char *end = memchr(head->at, '\n', head->length);
    size_t bytes = (size_t)(end - head->at) + 1;

    *line = (struct load_span){ head->at, bytes - 2 };
    head->at += bytes;
    head->length -= bytes;
    return line->length > 0;
}

bool load_header_split(struct load_span line, struct load_span *name, struct load_span *value)
{
    size_t colon = 0;

    while (colon < line.length && is_token_char(line.at[colon]))
        colon++;
    if (colon == 0 || colon == line.length || line.at[colon] != ':')
        return false;
    *name = (struct load_span){ line.at, colon };
    *value = trimmed((struct load_span){ line.at + colon + 1, line.length - colon - 1 });
    return load_span_is_text(*value);
}

bool load_header_element(struct load_span *list, struct load_span *element)
{
    if (list->length == 0)
        return false;
    const char *comma = memchr(list->at, ',', list->length);
    size_t length = comma ? (size_t)(comma - list->at) : list->length;

    *element = trimmed((struct load_span){ list->at, length });
    length += comma ? 1 : 0;
    list->at += length;
    list->length -= length;
    return true;
}
