/* "did you mean …?" */
#ifndef BATON_SPELLING_H
#define BATON_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

/* Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`; texts over 63 bytes:
 * SIZE_MAX. */
size_t spelling_distance(const char *a, const char *b);

/* The best of several candidates; start with { 0 } and look at .best (NULL: none is near). */
struct spelling {
    const char *best;
    size_t distance;
};

/* Offer `candidate` for what was written as `text`; true: it is the best so far. */
bool spelling_offer(struct spelling *spelling, const char *text, const char *candidate);

#endif
