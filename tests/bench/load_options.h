/* The command line of the load client. */
#ifndef BATON_LOAD_OPTIONS_H
#define BATON_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_plan.h"
#include "tests/bench/load_stats.h"
#include "tests/bench/load_targets.h"
#include "tests/bench/load_versions.h"

enum { LOAD_PLANS_MAX = 8, LOAD_PHASE_NAMES = 8, LOAD_RUN_BYTES = 24 };

/* The positive outcome of load_options_parse(). */
enum { LOAD_OPTIONS_HELP = 1 };

struct load_options {
    struct load_plan plans[LOAD_PLANS_MAX];
    unsigned plan_count;
    struct load_targets targets;

    double seconds;    /* of load; without --seconds an hour */
    uint64_t requests; /* in all; UINT64_MAX without --requests */
    unsigned timeout_ms, connect_timeout_ms;

    const char *version_headers[LOAD_VERSION_HEADERS];
    unsigned version_header_count;
    struct load_buffer headers; /* more request headers, with their line ends */
    struct in_addr source;      /* the first source address */
    unsigned sources; /* how many follow each other; 0: 64 of 127.0.0.0/8, for loopback servers only */

    char phases[LOAD_PHASE_NAMES][LOAD_PHASE_NAME_BYTES]; /* SIGUSR1 goes round */
    unsigned phase_count;
    int mark_fd, ready_fd; /* -1: none; the caller's */
    char run[LOAD_RUN_BYTES];
    bool json, races_fail;
};

/* Parse the command line; a mistake is explained on stderr. The texts of `argv` are used as long as `out` is.
 * Returns 0, LOAD_OPTIONS_HELP when only help was wanted (and given), -EINVAL after a mistake.
 * load_options_free() in each case. */
int load_options_parse(int argc, char **argv, struct load_options *out);

void load_options_free(struct load_options *options);

#endif
