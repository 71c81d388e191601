/* Fault points: places where a test lets the supervisor die at once, as if by kill -9.
 *
 * BATON_FAULT=POINT[:N] dies when POINT is passed for the N-th time (1), and only once: the file that
 * BATON_FAULT_ONCE names is removed then, and without that file nothing happens - so the supervisor that is
 * started next lives. Only with --enable-faults; else nothing is compiled in. `git grep 'fault_point("'`
 * lists them all. */
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
