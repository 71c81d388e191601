/* The open loop: when request number i is due, and who waits for whom. Pure: the caller tells the time.
 *
 * A request that is due while every client is busy waits, and its latency goes on counting from the time it
 * was due: that is what a client of the real world would have seen (no coordinated omission). */
#ifndef BATON_LOAD_RATE_H
#define BATON_LOAD_RATE_H

#include <stdint.h>

struct load_rate {
    unsigned per_second;
    uint64_t start_ns;
    uint64_t started;     /* requests begun so far */
    uint64_t waited_for;  /* requests below this number were counted in `delayed` if they had to wait */
    uint64_t delayed;     /* requests that were due while every connection was in use: the bound was hit */
    uint64_t backlog_max; /* most of them at once */
    uint64_t late_max_ns; /* begun with a free client: the load client's own lateness */
};

void load_rate_init(struct load_rate *rate, unsigned per_second, uint64_t now_ns);

/* When request `index` (from 0) is to be sent. */
uint64_t load_rate_due_ns(const struct load_rate *rate, uint64_t index);

/* How many are due and not begun. */
uint64_t load_rate_backlog(const struct load_rate *rate, uint64_t now_ns);

/* The next one begins now. Returns the time at which it was due. */
uint64_t load_rate_begin(struct load_rate *rate, uint64_t now_ns);

/* Every client is busy: count who has to wait. No more than `most` will be begun. */
void load_rate_wait(struct load_rate *rate, uint64_t now_ns, uint64_t most);

#endif
