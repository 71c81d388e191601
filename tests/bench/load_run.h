/* One run of the load client: the load, its end, the reading back. */
#ifndef BATON_LOAD_RUN_H
#define BATON_LOAD_RUN_H

#include <ev.h>
#include <stdbool.h>

#include "tests/bench/load_env.h"
#include "tests/bench/load_group.h"
#include "tests/bench/load_supply.h"

enum { LOAD_LABEL_BYTES = 24 };

struct load_run {
    struct load_options *options;
    struct load_env env;
    struct load_stats stats;
    struct load_versions versions;
    struct load_supply supply;
    struct load_group groups[LOAD_PLANS_MAX + 1]; /* the last one reads back */
    char labels[LOAD_PLANS_MAX + 1][LOAD_LABEL_BYTES];
    unsigned group_count;
    uint64_t acknowledged, read_back; /* requests */

    ev_timer end, grace, sweep;
    ev_signal interrupt, terminate, next_phase;
    ev_prepare done;
    ev_io marks;
    char mark_line[LOAD_PHASE_NAME_BYTES]; /* what was read of the next mark */
    size_t mark_bytes;
    unsigned phase; /* of options->phases */
    bool ready_said;
};

/* Run from the first request to the last. `options` is used as long as `run` is.
 * Returns 0 or -errno (no loop, no timer); load_run_free() in each case. */
int load_run(struct load_run *run, struct load_options *options);

void load_run_free(struct load_run *run);

#endif
