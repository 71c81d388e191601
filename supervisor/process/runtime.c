#include "supervisor/process/runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void runtime_after_record(struct runtime *runtime, struct runtime_later *later)
{
    if (later->queued)
        return;
    later->queued = true;
    later->next = NULL;
    if (runtime->first_later)
        runtime->last_later->next = later;
    else
        runtime->first_later = later;
    runtime->last_later = later;
}

void runtime_forget(struct runtime *runtime, struct runtime_later *later)
{
    struct runtime_later *previous = NULL;

    if (!later->queued)
        return;
    for (struct runtime_later *l = runtime->first_later; l != later; l = l->next)
        previous = l;
    if (previous)
        previous->next = later->next;
    else
        runtime->first_later = later->next;
    if (runtime->last_later == later)
        runtime->last_later = previous;
    later->queued = false;
}

unsigned runtime_run_later(struct runtime *runtime, unsigned limit)
{
    struct runtime_later *end = runtime->last_later;
    unsigned count = 0;
    bool last = false;

    while (runtime->first_later && count < limit && !last) {
        struct runtime_later *later = runtime->first_later;

        last = later == end;
        runtime_forget(runtime, later);
        later->run(later->arg);
        count++;
    }
    return count;
}

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
    else if (ms % 1000 == 0)
        snprintf(text, 32, "%" PRIu64 " s", ms / 1000);
    else
        snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
}
