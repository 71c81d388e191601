/* Where the clients get their requests from: first the targets in turn, as many as the run may make;
 * after the load, everything that was acknowledged. */
#ifndef BATON_LOAD_SUPPLY_H
#define BATON_LOAD_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_targets.h"

struct load_supply {
    struct load_targets *targets;
    uint64_t left; /* requests that may still be begun */
    uint64_t n;    /* the number of the last request */
    bool reading_back;
    unsigned target; /* reading back: the post whose acknowledgements are read, and how many were */
    size_t read;
};

/* The place of one mode among the targets: each mode goes round by itself. */
struct load_turn {
    bool posts_only;
    unsigned next;
};

void load_supply_init(struct load_supply *supply, struct load_targets *targets, uint64_t requests);

/* The next request of a mode; false when there is none any more. */
bool load_supply_next(struct load_supply *supply, struct load_turn *turn, struct load_target **target,
                      uint64_t *n);

bool load_supply_is_empty(const struct load_supply *supply);

/* No more requests. */
void load_supply_stop(struct load_supply *supply);

/* From now on supply what has to be read back. Returns the number of requests that will be. */
uint64_t load_supply_read_back(struct load_supply *supply);

/* A turn that leaves out what is no POST, where there is a POST. */
struct load_turn load_turn_of_posts(const struct load_targets *targets);

#endif
