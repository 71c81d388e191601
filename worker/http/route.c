#include "worker/http/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The longest segment that can be matched; longer ones fit no route. */
enum { SEGMENT_BYTES = 256 };

static bool fits(const char *pattern, const char *path, char segment[SEGMENT_BYTES])
{
    const char *hole = strstr(pattern, "{}");

    segment[0] = '\0';
    if (!hole)
        return !strcmp(pattern, path);
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    size_t length = strcspn(path + before, "/");
    if (length == 0 || length >= SEGMENT_BYTES || strcmp(hole + 2, path + before + length) != 0)
        return false;
    memcpy(segment, path + before, length);
    segment[length] = '\0';
    return true;
}

static bool serves(const struct http_route *route, enum http_method method)
{
    return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

static void append_method(char *list, size_t size, const char *method)
{
    size_t length = strlen(list);

    snprintf(list + length, size - length, "%s%s", length ? ", " : "", method);
}

void http_route_dispatch(const struct http_route *routes, size_t count, void *arg,
                         struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    char segment[SEGMENT_BYTES], allowed[64] = "";

    for (const struct http_route *route = routes; route < routes + count; route++) {
        if (!fits(route->pattern, request->path, segment))
            continue;
        if (serves(route, request->method)) {
            route->handle(arg, exchange, segment);
            return;
        }
        append_method(allowed, sizeof allowed, http_method_str(route->method));
        if (route->method == HTTP_GET)
            append_method(allowed, sizeof allowed, http_method_str(HTTP_HEAD));
    }
    if (!allowed[0]) {
        http_exchange_refuse(exchange, 404, NULL, "there is nothing at this path");
        return;
    }
    http_response_field(&exchange->response, "Allow", allowed);
    http_exchange_refuse(exchange, 405, NULL, "this path does not serve this method");
}
