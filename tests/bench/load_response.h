/* The strict reader of one HTTP/1.x answer, fed in pieces of any size. It is a test's oracle: what RFC 9112
 * lets a client forgive (bare LF, folded lines, two lengths, a space before the colon) is an error here.
 * Pure: no I/O. It knows nothing of status or body that is wanted; see load_target.h for that. */
#ifndef BATON_LOAD_RESPONSE_H
#define BATON_LOAD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/load_buffer.h"

enum { LOAD_RESPONSE_HEAD_BYTES = 8192, LOAD_RESPONSE_LINE_BYTES = 256, LOAD_RESPONSE_BODY_BYTES = 64 << 20 };

/* The positive outcome of load_response_feed(). */
enum { LOAD_RESPONSE_COMPLETE = 1 };

enum load_response_part {
    LOAD_RESPONSE_HEAD,
    LOAD_RESPONSE_LENGTH,      /* a body of `remaining` more bytes */
    LOAD_RESPONSE_UNTIL_CLOSE, /* a body that ends with the connection */
    LOAD_RESPONSE_CHUNK_SIZE,
    LOAD_RESPONSE_CHUNK_DATA,
    LOAD_RESPONSE_CHUNK_END,
    LOAD_RESPONSE_TRAILER,
    LOAD_RESPONSE_DONE,
};

struct load_response {
    enum load_response_part part;
    bool begun;          /* at least one byte has come, of an interim answer too */
    bool close;          /* the connection ends after this answer */
    bool keep_body;      /* the caller's wish: bytes of the body are kept in `body` */
    int status;          /* valid once the head is complete */
    const char *wrong;   /* one sentence after -EPROTO */
    uint64_t body_bytes; /* received so far, kept or not */
    struct load_buffer body;

    uint64_t remaining;
    bool has_length, chunked, keep_alive;
    unsigned interim;
    size_t head_bytes, line_bytes;
    char head[LOAD_RESPONSE_HEAD_BYTES]; /* the final answer's head, with its line ends */
    char line[LOAD_RESPONSE_LINE_BYTES]; /* the chunk size or trailer line being read */
};

/* Begin a new answer. The memory of `body` is used again; zero the struct before its first use. */
void load_response_init(struct load_response *response, bool keep_body);
void load_response_free(struct load_response *response);

/* Read `length` bytes. `used` says how many of them belong to the answer; with LOAD_RESPONSE_COMPLETE
 * the others were sent by a server that nobody had asked. Returns LOAD_RESPONSE_COMPLETE, 0 when more is
 * needed, -EPROTO with `wrong` set when this is no correct answer (feed no more). */
int load_response_feed(struct load_response *response, const char *bytes, size_t length, size_t *used);

/* The connection was closed in order. Returns LOAD_RESPONSE_COMPLETE when that ends the body, else -EPIPE. */
int load_response_end(struct load_response *response);

/* The value of the first header `name` (any case), trimmed, not terminated; NULL when there is none.
 * Valid after the head is complete, until the next init. */
const char *load_response_header(const struct load_response *response, const char *name, size_t *length);

#endif
