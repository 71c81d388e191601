/* A request and its answer: what a handler gets. */
#ifndef BATON_HTTP_EXCHANGE_H
#define BATON_HTTP_EXCHANGE_H

#include "worker/http/request.h"
#include "worker/http/response.h"

struct http_connection;

struct http_exchange {
    struct http_request request;
    struct http_response response; /* fill in `body` (and header lines), then say http_exchange_answer() */

    struct http_connection *connection; /* private; NULL once the connection is gone */
    struct http_exchange *next;         /* private, of the pool */
};

/* Serve one request: answer it before returning, or later from the same loop. Either way exactly once. */
typedef void http_handler(void *arg, struct http_exchange *exchange);

/* Send the answer. `type` is static, or NULL for an answer without a body. The exchange is not the handler's
 * any more. Harmless when the connection has gone in the meantime. */
void http_exchange_answer(struct http_exchange *exchange, int status, const char *type);

/* Answer with {"error": …, "reason": …}; `error` NULL: the phrase of the status. */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *error, const char *reason);

/* Exchanges are reused, the last one first: its memory is warm, and idle connections hold none. */
struct http_exchange_pool {
    struct http_exchange *free;
    size_t free_count;
};

/* Returns NULL without memory. */
struct http_exchange *http_exchange_pool_take(struct http_exchange_pool *pool);
void http_exchange_pool_give(struct http_exchange_pool *pool, struct http_exchange *exchange);
void http_exchange_pool_empty(struct http_exchange_pool *pool);

#endif
