#include "supervisor/process/runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

uint64_t runtime_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void runtime_format_ms(uint64_t ms, char text[32])
{
    if (ms < 1000)
        snprintf(text, 32, "%" PRIu64 " ms", ms);
    else
        snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
}
