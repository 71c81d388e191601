/* One answer: what the handler fills in, and the bytes it becomes. Pure. */
#ifndef BATON_HTTP_RESPONSE_H
#define BATON_HTTP_RESPONSE_H

#include <stdbool.h>

#include "worker/http/buffer.h"

struct http_response {
    int status;
    const char *type;          /* of the body; static. NULL: the answer has no body */
    struct http_buffer fields; /* more header lines, see http_response_field() */
    struct http_buffer body;
    struct http_buffer head; /* written by http_response_seal() */
};

/* What the connection knows and the handler does not. */
struct http_framing {
    const char *date;   /* "Thu, 01 Jan 1970 00:00:00 GMT" */
    const char *common; /* header lines that every answer of this server carries; each ends with CR LF */
    bool is_head;       /* the body is counted, not sent */
    bool is_http10;
    bool keep_alive;
};

/* Add a header line. The caller sees to it that `value` contains no line break. */
void http_response_field(struct http_response *response, const char *name, const char *value);

/* Make it {"error": …, "reason": …}. `error` NULL: the phrase of the status, in lower case.
 * Header lines that were added before stay. */
void http_response_error(struct http_response *response, int status, const char *error, const char *reason);

/* Write the head. An answer that did not fit into memory becomes a 500; false: not even that was possible. */
bool http_response_seal(struct http_response *response, const struct http_framing *framing);

void http_response_reset(struct http_response *response);
void http_response_free(struct http_response *response);

#endif
