/* The bytes of a request. */
#ifndef BATON_LOAD_REQUEST_H
#define BATON_LOAD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load_options.h"

struct load_request {
    const struct load_target *target;
    uint64_t n;            /* replaces {n} */
    unsigned filler_bytes; /* > 0 and the target is no --post: POST so many bytes of 'x' all the same */
    bool close;            /* ask the server to close the connection after the answer */
};

/* Write the request to `out` (what is in it is forgotten). Returns the length of the head. */
size_t load_request_render(struct load_buffer *out, const struct load_request *request,
                           const struct load_options *options);

#endif
