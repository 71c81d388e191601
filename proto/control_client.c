#include "proto/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/control_line.h"

enum { READ_BYTES = 64 * 1024 };

struct control_client {
    int fd;
    struct control_line line;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* When a call that starts now has to end; -1: never. */
static int64_t deadline_after(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
}

/* What is left of the time, as poll() wants it. */
static int left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - now_ms();

    if (deadline_ms < 0)
        return -1;
    return left > 0 ? (int)left : 0;
}

/* Wait until `fd` can be read or written. Returns 0; -ETIMEDOUT; -errno. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd poller = { .fd = fd, .events = events };

    for (;;) {
        int ready = poll(&poller, 1, left_ms(deadline_ms));

        if (ready > 0)
            return 0;
        if (ready == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* connect() to a UNIX socket whose backlog is full blocks and can not be polled for: the send time-out
 * of a socket limits it. */
static int connect_within(int fd, const struct sockaddr_un *address, int timeout_ms)
{
    int limit_ms = timeout_ms == 0 ? 1 : timeout_ms; /* 0 would mean: no limit */
    struct timeval limit = { .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 };

    if (timeout_ms >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit))
        return -errno;
    while (connect(fd, (const struct sockaddr *)address, sizeof *address)) {
        if (errno == EAGAIN)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
    return fcntl(fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static int connect_to(const char *path, int timeout_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -errno;
    error = connect_within(fd, &address, timeout_ms);
    if (!error)
        return fd;
    close(fd);
    return error;
}

static int write_all(int fd, const char *bytes, size_t size, int64_t deadline_ms)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        int error;

        if (sent >= 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return CONTROL_CLIENT_CLOSED;
        } else if (errno == EAGAIN) {
            error = wait_for(fd, POLLOUT, deadline_ms);
            if (error)
                return error;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int control_client_send(struct control_client *client, const char *text, size_t length, int timeout_ms)
{
    int64_t deadline_ms = deadline_after(timeout_ms);
    int outcome;

    if (length > CONTROL_LINE_MAX_BYTES)
        return -EMSGSIZE;
    if (memchr(text, '\n', length) || memchr(text, '\0', length))
        return -EINVAL;
    outcome = write_all(client->fd, text, length, deadline_ms);
    return outcome ? outcome : write_all(client->fd, "\n", 1, deadline_ms);
}

/* Read what is there. Returns 0; CONTROL_CLIENT_CLOSED; -errno. */
static int read_some(struct control_client *client, int64_t deadline_ms)
{
    char bytes[READ_BYTES];
    ssize_t received = recv(client->fd, bytes, sizeof bytes, 0);

    if (received > 0)
        return control_line_feed(&client->line, bytes, (size_t)received);
    if (received == 0 || errno == ECONNRESET)
        return CONTROL_CLIENT_CLOSED;
    if (errno == EAGAIN)
        return wait_for(client->fd, POLLIN, deadline_ms);
    return errno == EINTR ? 0 : -errno;
}

int control_client_receive(struct control_client *client, char **text, size_t *length, int timeout_ms)
{
    int64_t deadline_ms = deadline_after(timeout_ms);
    int outcome;

    while ((outcome = control_line_take(&client->line, text, length)) == CONTROL_LINE_NONE) {
        outcome = read_some(client, deadline_ms);
        if (outcome)
            return outcome;
    }
    return outcome;
}

static int exchange_versions(struct control_client *client, int timeout_ms)
{
    char *text;
    size_t length;
    int outcome = control_client_send(client, CONTROL_LINE_VERSION, strlen(CONTROL_LINE_VERSION), timeout_ms);

    if (outcome == 0 || outcome == CONTROL_CLIENT_CLOSED) /* it may have told its version and closed */
        outcome = control_client_receive(client, &text, &length, timeout_ms);
    if (outcome)
        return outcome;
    return strcmp(text, CONTROL_LINE_VERSION) ? -EPROTONOSUPPORT : 0;
}

int control_client_open(struct control_client **out, const char *path, int timeout_ms)
{
    struct control_client *client;
    int fd = connect_to(path, timeout_ms);
    int outcome;

    if (fd < 0)
        return fd;
    client = calloc(1, sizeof *client);
    if (!client) {
        close(fd);
        return -ENOMEM;
    }
    client->fd = fd;
    outcome = exchange_versions(client, timeout_ms);
    if (outcome) {
        control_client_close(client);
        return outcome;
    }
    *out = client;
    return 0;
}

int control_client_fd(const struct control_client *client)
{
    return client->fd;
}

void control_client_close(struct control_client *client)
{
    if (!client)
        return;
    close(client->fd);
    control_line_clear(&client->line);
    free(client);
}
