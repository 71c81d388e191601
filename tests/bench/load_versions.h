/* Which versions of the server answered: the values of the named headers, in the order of appearance. */
#ifndef BATON_LOAD_VERSIONS_H
#define BATON_LOAD_VERSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_response.h"

enum { LOAD_VERSION_HEADERS = 4, LOAD_VERSION_BYTES = 48, LOAD_VERSIONS_MAX = 1024 };

/* What stands for an answer without the header, and for values beyond the limit. */
#define LOAD_VERSION_NONE "(none)"
#define LOAD_VERSION_OTHER "(other)"

struct load_version {
    unsigned header; /* index into the names */
    char value[LOAD_VERSION_BYTES];
    uint64_t successes, failures; /* complete answers only */
    uint64_t first_ns, last_ns;   /* of a success, since the start; valid when successes > 0 */
};

struct load_versions {
    const char *headers[LOAD_VERSION_HEADERS]; /* set by the caller */
    unsigned header_count;
    struct load_version *entries;
    unsigned count;
};

/* Book a complete answer for each header. `at_ns` is since the start of the run. */
void load_versions_record(struct load_versions *versions, const struct load_response *response, bool success,
                          uint64_t at_ns);

/* What tells the versions apart: the value of the first header, cut to fit, or LOAD_VERSION_NONE. Empty when
 * no header is named. */
void load_versions_key(const struct load_versions *versions, const struct load_response *response,
                       char value[LOAD_VERSION_BYTES]);

void load_versions_free(struct load_versions *versions);

#endif
