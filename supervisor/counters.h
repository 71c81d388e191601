/* The highest generation number ever given to each service, in memory and as generations.json:
 *
 *     {"version": 1, "generations": {"blog": 9, "shop": 2}}
 *
 * Numbers only grow, also when a file with older ones is read. */
#ifndef BATON_COUNTERS_H
#define BATON_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/config.h"

struct counter {
    char service[CONFIG_NAME_MAX + 1];
    uint32_t generation;
};

struct counters {
    struct counter *list; /* the place of a service never changes */
    size_t count;
};

uint32_t counters_get(const struct counters *counters, const char *service); /* 0: never had one */

/* Make it at least `generation`. 0 (*index: the place of the service, when it is not NULL), -EINVAL: no name
 * of a service, -ENOMEM. */
int counters_raise(struct counters *counters, const char *service, uint32_t generation, size_t *index);

/* Raise to what generations.json in `directory` says. 0 (also when there is none), -EPROTO: not such a file
 * (what could be read counts), or -errno. */
int counters_load(struct counters *counters, int directory);

/* Replace generations.json: written anew, renamed. It is on the way of every upgrade, so nothing waits for
 * the disk: when the machine stops, the numbers of the last seconds may be forgotten, like everything that
 * bore them. 0 or -errno. */
int counters_save(const struct counters *counters, int directory);

void counters_free(struct counters *counters);

#endif
