/* How JSON is written as one line, in the event file and on the control socket: compact; 13 digits keep the
 * milliseconds of a time in seconds, and print 0.1 as 0.1. */
#ifndef BATON_JSONLINE_H
#define BATON_JSONLINE_H

#include <jansson.h>

enum { JSONLINE_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(13) };

#endif
