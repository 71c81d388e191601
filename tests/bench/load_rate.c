#include "tests/bench/load_rate.h"

#include "tests/bench/load_clock.h"

void load_rate_init(struct load_rate *rate, unsigned per_second, uint64_t now_ns)
{
    *rate = (struct load_rate){ .per_second = per_second, .start_ns = now_ns };
}

uint64_t load_rate_due_ns(const struct load_rate *rate, uint64_t index)
{
    uint64_t seconds = index / rate->per_second, rest = index % rate->per_second;

    return rate->start_ns + seconds * LOAD_NS_PER_S + rest * LOAD_NS_PER_S / rate->per_second;
}

/* The smallest index that is not due yet. */
static uint64_t first_not_due(const struct load_rate *rate, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns - rate->start_ns;
    uint64_t rest_ns = elapsed_ns % LOAD_NS_PER_S;
    uint64_t index =
        elapsed_ns / LOAD_NS_PER_S * rate->per_second + rest_ns * rate->per_second / LOAD_NS_PER_S;

    while (load_rate_due_ns(rate, index) <= now_ns)
        index++;
    return index;
}

uint64_t load_rate_backlog(const struct load_rate *rate, uint64_t now_ns)
{
    return first_not_due(rate, now_ns) - rate->started;
}

uint64_t load_rate_begin(struct load_rate *rate, uint64_t now_ns)
{
    uint64_t due_ns = load_rate_due_ns(rate, rate->started);

    if (rate->started >= rate->waited_for && now_ns - due_ns > rate->late_max_ns)
        rate->late_max_ns = now_ns - due_ns;
    rate->started++;
    return due_ns;
}

void load_rate_wait(struct load_rate *rate, uint64_t now_ns, uint64_t most)
{
    uint64_t end = first_not_due(rate, now_ns);
    uint64_t first = rate->started > rate->waited_for ? rate->started : rate->waited_for;

    if (end - rate->started > most)
        end = rate->started + most;
    if (end > first)
        rate->delayed += end - first;
    if (end > rate->waited_for)
        rate->waited_for = end;
    if (end - rate->started > rate->backlog_max)
        rate->backlog_max = end - rate->started;
}
