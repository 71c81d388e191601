/* Numbers as people read them; every one of them with its unit. Pure but for the time zone. */
#ifndef BATON_HUMAN_H
#define BATON_HUMAN_H

#include <stdint.h>

enum { HUMAN_BYTES = 40 };

/* "12,345" */
void human_count(uint64_t count, char text[HUMAN_BYTES]);

/* "96 ms", "1.8 s", "47 s", "2 min 12 s", "3 h 5 min", "3 d 4 h": two units at most, rounded down. A negative
 * time is "0 ms". */
void human_duration(double seconds, char text[HUMAN_BYTES]);

/* A moment (unix time) in the local time zone: "14:02:11" on the day of `now`, else "2026-11-23 14:02:11". */
void human_moment(double moment, double now, char text[HUMAN_BYTES]);

#endif
