#include "worker/http/exchange.h"

#include <stdlib.h>

#include "worker/http/connection.h"

enum { POOL_MAX = 64 };

static void exchange_free(struct http_exchange *exchange)
{
    http_request_free(&exchange->request);
    http_response_free(&exchange->response);
    free(exchange);
}

void http_exchange_answer(struct http_exchange *exchange, int status, const char *type)
{
    if (!exchange->connection) {
        exchange_free(exchange);
        return;
    }
    exchange->response.status = status;
    exchange->response.type = type;
    http_connection_answer(exchange->connection);
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *error, const char *reason)
{
    http_response_error(&exchange->response, status, error, reason);
    http_exchange_answer(exchange, status, exchange->response.type);
}

struct http_exchange *http_exchange_pool_take(struct http_exchange_pool *pool)
{
    struct http_exchange *exchange = pool->free;

    if (exchange) {
        pool->free = exchange->next;
        pool->free_count--;
    } else {
        exchange = calloc(1, sizeof *exchange);
        if (!exchange)
            return NULL;
    }
    http_request_reset(&exchange->request);
    http_response_reset(&exchange->response);
    return exchange;
}

void http_exchange_pool_give(struct http_exchange_pool *pool, struct http_exchange *exchange)
{
    exchange->connection = NULL;
    if (pool->free_count == POOL_MAX) {
        exchange_free(exchange);
        return;
    }
    http_request_reset(&exchange->request); /* big buffers go now, not when somebody takes it */
    http_response_reset(&exchange->response);
    exchange->next = pool->free;
    pool->free = exchange;
    pool->free_count++;
}

void http_exchange_pool_empty(struct http_exchange_pool *pool)
{
    struct http_exchange *exchange;

    while ((exchange = pool->free)) {
        pool->free = exchange->next;
        exchange_free(exchange);
    }
    pool->free_count = 0;
}
