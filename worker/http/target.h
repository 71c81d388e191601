/* The target of a request line: where its path ends, what its %XX stand for. Pure. */
#ifndef BATON_HTTP_TARGET_H
#define BATON_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* Split `target` ("/a%20b?c=d" or "http://host/a%20b?c=d") in place: `path` gets its %XX decoded and is
 * valid UTF-8 without NUL; `query` stays as it came ("" when there is none). Both end with NUL, so one
 * byte behind `length` is overwritten. Returns false when the target is none of these forms. */
bool http_target_split(char *target, size_t length, const char **path, const char **query);

/* Find `name` in a query and decode its value ('+' is a space). Returns 1 and fills `value`; 0 when it is
 * absent; -EINVAL when the value is malformed or has `size` bytes or more (`value` is undefined). */
int http_query_get(const char *query, const char *name, char *value, size_t size);

#endif
