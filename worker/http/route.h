/* Which handler serves a path. */
#ifndef BATON_HTTP_ROUTE_H
#define BATON_HTTP_ROUTE_H

#include "worker/http/exchange.h"

struct http_route {
    enum http_method method; /* a GET route serves HEAD, too */
    const char *pattern;     /* "/articles/{}/comments": {} is one segment of the path that is not empty */
    /* `segment` is what {} stands for, "" without one; valid until the handler returns. */
    void (*handle)(void *arg, struct http_exchange *exchange, const char *segment);
};

/* Serve the exchange by the first route that fits; 404 and 405 otherwise. */
void http_route_dispatch(const struct http_route *routes, size_t count, void *arg,
                         struct http_exchange *exchange);

#endif
