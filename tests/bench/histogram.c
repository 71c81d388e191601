#include "tests/bench/histogram.h"

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

static const uint64_t largest = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;

/* Below 2 * STEPS every value has its own bucket; from there on the bucket is the leading
 * STEP_BITS + 1 bits, and `shift` counts the bits that are dropped. */
static unsigned bucket_of(uint64_t value)
{
    if (value > largest)
        value = largest;
    if (value < 2 * STEPS)
        return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return shift * STEPS + (unsigned)(value >> shift);
}

static uint64_t middle_of(unsigned bucket)
{
    if (bucket < 2 * STEPS)
        return bucket;
    unsigned shift = bucket / STEPS - 1;
    uint64_t low = (uint64_t)(bucket - shift * STEPS) << shift;
    return low + ((uint64_t)1 << shift) / 2;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned per_100000)
{
    uint64_t rank = (histogram->count * per_100000 + 99999) / 100000;
    uint64_t seen = 0;

    if (rank == 0 || rank == histogram->count)
        return histogram->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen < rank)
            continue;
        uint64_t value = middle_of(i);
        if (value < histogram->min)
            return histogram->min;
        return value > histogram->max ? histogram->max : value;
    }
    return histogram->max;
}
