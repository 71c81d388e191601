/* What all clients of a run share. */
#ifndef BATON_LOAD_ENV_H
#define BATON_LOAD_ENV_H

#include <ev.h>
#include <stdbool.h>

#include "tests/bench/load_options.h"
#include "tests/bench/load_stats.h"
#include "tests/bench/load_versions.h"

struct load_env {
    struct ev_loop *loop;
    const struct load_options *options;
    struct load_stats *stats;
    struct load_versions *versions;
    bool hurry;         /* the end was asked for: no pauses any more */
    unsigned in_flight; /* requests */
};

#endif
