#include "worker/http/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

union endpoint {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value > UINT16_MAX)
        return false;
    *port = htons((uint16_t)value);
    return true;
}

static bool parse(const char *text, union endpoint *endpoint)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2] = "";
    size_t length = colon ? (size_t)(colon - text) : 0;
    const char *port = colon ? colon + 1 : text;

    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        endpoint->v6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host + 1, &endpoint->v6.sin6_addr) == 1 &&
               parse_port(port, &endpoint->v6.sin6_port);
    }
    endpoint->v4.sin_family = AF_INET;
    return (!colon || inet_pton(AF_INET, host, &endpoint->v4.sin_addr) == 1) &&
           parse_port(port, &endpoint->v4.sin_port);
}

static void format(const union endpoint *endpoint, char text[HTTP_BIND_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN];

    if (endpoint->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &endpoint->v6.sin6_addr, host, sizeof host);
        snprintf(text, HTTP_BIND_TEXT_BYTES, "[%s]:%u", host, ntohs(endpoint->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &endpoint->v4.sin_addr, host, sizeof host);
        snprintf(text, HTTP_BIND_TEXT_BYTES, "%s:%u", host, ntohs(endpoint->v4.sin_port));
    }
}

int http_bind(const char *text, int *fd, char bound[HTTP_BIND_TEXT_BYTES])
{
    union endpoint endpoint = { 0 };
    socklen_t length = sizeof endpoint;
    int on = 1;

    if (!parse(text, &endpoint))
        return -EINVAL;
    if (endpoint.any.sa_family == AF_INET)
        length = sizeof endpoint.v4;
    int sock = socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -errno;
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on,
               sizeof on); /* not held up by connections of an earlier run */
    if (bind(sock, &endpoint.any, length) < 0 || listen(sock, BACKLOG) < 0 ||
        getsockname(sock, &endpoint.any, &length) < 0) {
        int error = -errno;
        close(sock);
        return error;
    }
    format(&endpoint, bound);
    *fd = sock;
    return 0;
}
