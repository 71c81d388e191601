#include "tests/bench/load_socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int bind_source(int fd, struct in_addr source)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = source };
    int error = set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);

    if (!error && bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        error = -errno;
    return error;
}

static int prepare(int fd, int family, const struct load_socket_wish *wish)
{
    int error = 0;

    if (wish->receive_bytes)
        error = set(fd, SOL_SOCKET, SO_RCVBUF, wish->receive_bytes);
    if (!error && wish->no_delay && family != AF_UNIX)
        error = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!error && wish->has_source && family == AF_INET)
        error = bind_source(fd, wish->source);
    return error;
}

int load_socket_open(const struct load_server *server, const struct load_socket_wish *wish)
{
    int family = server->address.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    int error = prepare(fd, family, wish);
    if (!error && connect(fd, (const struct sockaddr *)&server->address, server->length) < 0 &&
        errno != EINPROGRESS)
        error = -errno;
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

enum load_outcome load_socket_connect_outcome(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: /* UNIX: the path is gone */
        return LOAD_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return LOAD_RESET_BEFORE;
    case ETIMEDOUT:
        return LOAD_CONNECT_TIMEOUT;
    default:
        return LOAD_LOCAL;
    }
}
