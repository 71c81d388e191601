/* The one clock of the load client: monotonic nanoseconds. */
#ifndef BATON_LOAD_CLOCK_H
#define BATON_LOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { LOAD_NS_PER_MS = 1000000, LOAD_NS_PER_S = 1000000000 };

static inline uint64_t load_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LOAD_NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
