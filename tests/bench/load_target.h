/* What is asked for and what a right answer is. */
#ifndef BATON_LOAD_TARGET_H
#define BATON_LOAD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_buffer.h"
#include "tests/bench/load_response.h"
#include "tests/bench/load_stats.h"
#include "tests/bench/load_url.h"

enum { LOAD_EXPECT_MAX = 8, LOAD_CONTAINS_MAX = 8, LOAD_DETAIL_BYTES = 120 };

enum load_body_check {
    LOAD_BODY_ANY,  /* the framing is checked, the bytes are not */
    LOAD_BODY_SAME, /* every body equals the first one of its server version and status */
    LOAD_BODY_FILE, /* every body equals `wanted` */
};

/* The first body seen of one version with one status. */
struct load_reference {
    char *version;
    int status;
    struct load_buffer body;
};

/* In `path`, `body` and `contains` stand {n}, the number of the request, and {run}, a token of the run. */
struct load_target {
    struct load_server server;
    const char *path;
    const char *body; /* of a POST; NULL: a GET */
    int expect[LOAD_EXPECT_MAX];
    unsigned expect_count;
    enum load_body_check check;
    const char *wanted_file;
    struct load_buffer wanted;
    const char *contains[LOAD_CONTAINS_MAX]; /* texts that must stand in the body */
    unsigned contains_count;

    struct load_reference *references; /* LOAD_BODY_SAME */
    size_t reference_count;

    struct load_target *read_back; /* asks for what a POST stored; NULL: not verified */
    uint64_t *acknowledged;        /* numbers of the requests that succeeded, when there is a read_back */
    size_t acknowledged_count;
};

/* Append `text` with {n} and {run} replaced. */
void load_template_append(struct load_buffer *out, const char *text, uint64_t n, const char *run);

/* Whether load_target_check() wants to see the body. */
bool load_target_needs_body(const struct load_target *target);

/* Judge a complete answer to request `n` by `version` of the server (LOAD_BODY_SAME learns from it).
 * Other than LOAD_SUCCESS, `detail` says what was wrong. */
enum load_outcome load_target_check(struct load_target *target, const struct load_response *response,
                                    const char *version, uint64_t n, const char *run,
                                    char detail[LOAD_DETAIL_BYTES]);

/* Remember that request `n` was acknowledged, for the reading back. */
void load_target_acknowledge(struct load_target *target, uint64_t n);

void load_target_free(struct load_target *target);

#endif
