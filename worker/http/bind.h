/* A listening socket of our own, for running without baton. */
#ifndef BATON_HTTP_BIND_H
#define BATON_HTTP_BIND_H

enum { HTTP_BIND_TEXT_BYTES = 64 };

/* Listen on "8080" (every IPv4 address), "127.0.0.1:8080" or "[::1]:8080"; port 0 lets the system choose.
 * Returns 0, the socket (non-blocking, close-on-exec, the caller's) and in `bound` the address as it is now;
 * -EINVAL when `text` is none of these; another -errno when the address cannot be used. */
int http_bind(const char *text, int *fd, char bound[HTTP_BIND_TEXT_BYTES]);

#endif
