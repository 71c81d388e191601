/* A log-linear histogram: every power of two is cut into 64 equal steps, so a quantile is at most
 * 0.8 % away from the value that was recorded. The unit is the caller's (load.c: nanoseconds).
 * A zeroed struct is an empty histogram; nothing is allocated. */
#ifndef BATON_HISTOGRAM_H
#define BATON_HISTOGRAM_H

#include <stdint.h>

/* Values up to 2^42 - 1 are told apart (73 minutes in nanoseconds); larger ones are counted in the last
 * bucket, and `max` stays exact. */
enum { HISTOGRAM_STEP_BITS = 6, HISTOGRAM_VALUE_BITS = 42 };
enum { HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS };

struct histogram {
    uint64_t count;
    uint64_t min, max; /* exact; both 0 while count is 0 */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* Add everything that was recorded in `from` to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The smallest recorded value that is not exceeded by `per_100000` of 100000 values (99900: p99.9),
 * within the error above; 0 when empty. `per_100000` is 1..100000. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned per_100000);

#endif
