/* The lines of an HTTP head, strictly: "Name: value" and CRLF, nothing else. Pure; no copies are made. */
#ifndef BATON_LOAD_HEADER_H
#define BATON_LOAD_HEADER_H

#include <stdbool.h>
#include <stddef.h>

struct load_span {
    const char *at; /* not terminated */
    size_t length;
};

/* Take the next line of `head` into `line`, without its CRLF. Every line of `head` must end with two bytes
 * of line end and the last one be empty. Returns false at the empty line. */
bool load_header_line(struct load_span *head, struct load_span *line);

/* Cut a line into a name (a token) and a value (trimmed, without control characters); false when it is
 * none, also for a folded line and for a space before the colon. */
bool load_header_split(struct load_span line, struct load_span *name, struct load_span *value);

/* Take the next element of a comma-separated `list`, trimmed; false at the end. */
bool load_header_element(struct load_span *list, struct load_span *element);

/* Equal but for case. */
bool load_span_is(struct load_span span, const char *text);

/* Visible characters, spaces, tabs and bytes above 127 only. */
bool load_span_is_text(struct load_span span);

#endif
