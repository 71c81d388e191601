/* One HTTP/1.1 request as it arrives, stricter than the parser underneath. Pure: bytes in, a request or a
 * refusal out, whatever pieces the bytes come in.
 *
 *     loop:  room = http_request_room(request, &room_bytes);  receive into it;
 *            http_request_feed(request, received, &limits)
 *                HTTP_PARTIAL   more is needed: loop
 *                HTTP_COMPLETE  serve it, then http_request_next(request) and feed again with 0 new bytes
 *                HTTP_REFUSED   answer `refusal` and close
 *
 * Beyond what http-parser refuses: folded or spaced header fields, Transfer-Encoding other than "chunked" or
 * in HTTP/1.0, a missing or repeated Host, HTTP versions other than 1.x, targets that are no path.
 * Every refusal is a 4xx: a 5xx is counted as our fault, and no client may make this release look bad.
 */
#ifndef BATON_HTTP_REQUEST_H
#define BATON_HTTP_REQUEST_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/buffer.h"

enum { HTTP_FIELDS_MAX = 100 };

enum http_progress { HTTP_PARTIAL, HTTP_COMPLETE, HTTP_REFUSED };

struct http_limits {
    size_t head_bytes; /* request line and header section: 431 beyond */
    size_t body_bytes; /* body without its chunk framing: 413 beyond */
};

struct http_span {
    uint32_t offset; /* into input */
    uint32_t length;
};

struct http_field {
    struct http_span name, value;
};

struct http_request {
    /* For the reader, once HTTP_COMPLETE, until http_request_next(). */
    enum http_method method;
    const char *path;  /* decoded */
    const char *query; /* raw, for http_query_get() */
    const char *body;
    size_t body_length;
    bool keep_alive; /* the client lets the connection live */
    bool is_http10;  /* it must be told so */

    /* While HTTP_PARTIAL. */
    bool begun;          /* a byte of a request has arrived */
    bool head_done;      /* what is missing is body */
    bool wants_continue; /* the client waits for "100 Continue"; whoever sends it clears this */

    /* Once HTTP_REFUSED. */
    int refusal;        /* status */
    const char *reason; /* static */

    /* Private. */
    http_parser parser;
    const struct http_limits *limits;
    struct http_buffer input; /* head, body so far, gap left by chunk framing, bytes not parsed yet */
    size_t parsed;            /* of input */
    size_t body_offset;
    size_t body_wire_bytes; /* parsed after the head, framing included */
    bool complete;
    char first;    /* byte of it */
    bool in_value; /* the field that is being read has a value already */
    struct http_span target;
    uint32_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Get ready for the first request; `request` is zeroed memory, or was used before (its memory is reused). */
void http_request_reset(struct http_request *request);

/* Where to put the next bytes, and how many fit (at least 1). NULL without memory. */
char *http_request_room(struct http_request *request, size_t *room_bytes);

/* Parse what has arrived: `received` more bytes than before. Not to be called again once it said
 * HTTP_REFUSED. */
enum http_progress http_request_feed(struct http_request *request, size_t received,
                                     const struct http_limits *limits);

/* Drop the request that was completed and keep the bytes behind it. Returns how many those are. */
size_t http_request_next(struct http_request *request);

/* The value of a header field (its first one, without surrounding blanks); NULL when absent.
 * Not terminated: `length` bytes. Valid while `path` is. */
const char *http_request_field(const struct http_request *request, const char *name, size_t *length);

/* Give the memory back. */
void http_request_free(struct http_request *request);

#endif
