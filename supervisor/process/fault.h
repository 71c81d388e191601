/* Fault points: places where a test lets the supervisor die at once, as if by kill -9, or hang.
 *
 * BATON_FAULT=POINT[:N] does it when POINT is passed for the N-th time (1) in a process and while there is a
 * byte. BATON_FAULT_FILE names a file that has one byte for each time it shall happen; a byte is taken away
 * each time, and without one nothing happens - so the supervisor that is started next lives.
 * BATON_FAULT_HOW=hang blocks for ever instead, =stop stops the process. Only with --enable-faults; else
 * nothing is compiled in. `git grep 'fault_point("'` lists them all. */
#ifndef BATON_FAULT_H
#define BATON_FAULT_H

#include "config.h"

#ifdef BATON_FAULTS
void fault_point(const char *point);
#else
static inline void fault_point(const char *point)
{
    (void)point;
}
#endif

#endif
