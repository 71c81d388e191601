/* http://HOST:PORT[/path] and unix:/socket/path[:/path]. HOST is an IPv4 address, [an IPv6 address] or
 * localhost. */
#ifndef BATON_LOAD_URL_H
#define BATON_LOAD_URL_H

#include <stdbool.h>
#include <sys/socket.h>

enum { LOAD_HOST_BYTES = 80 };

struct load_server {
    struct sockaddr_storage address;
    socklen_t length;
    char host[LOAD_HOST_BYTES]; /* the value of the Host header */
};

/* Parse `url`. `*path` points into it, or is NULL when the URL names only a server.
 * Returns NULL, or a sentence that says what is allowed (nothing is written then). */
const char *load_url_parse(const char *url, struct load_server *server, const char **path);

bool load_server_equal(const struct load_server *a, const struct load_server *b);

/* Whether the server is in 127.0.0.0/8, where every address can be a source. */
bool load_server_is_loopback(const struct load_server *server);

#endif
