/* JSON for one line, in the event file and on the control socket. */
#ifndef BATON_JSONLINE_H
#define BATON_JSONLINE_H

#include <jansson.h>

/* Compact; 13 digits keep the milliseconds of a time in seconds, and print 0.1 as 0.1. */
enum { JSONLINE_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(13) };

/* A new string of a text of any origin, cleaned (prose.h): jansson refuses bytes that are not UTF-8, and the
 * whole object that they were to be in. NULL is null. Returns NULL: out of memory. */
json_t *jsonline_text(const char *text);

#endif
