/* misbehave: an HTTP server that does exactly the wrong thing it is asked for. The path says what:
 * `/reset-before` ends in a reset, every time, and so on (the table is in misbehaviour.c). For the test of
 * the load client.
 *
 *     misbehave [--unix PATH] [--die-after N]
 *
 * Prints "HTTP REFUSED DEAF": the ports of 127.0.0.1 that serve, that refuse (bound, nobody listens), and
 * that accept no handshake (full backlog). With --unix it serves PATH too, and PATH.deaf has a full backlog.
 * With --die-after it kills itself, SIGKILL, on the request after N answered ones. Ends when stdin does. */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/workers/misbehaviour.h"

static atomic_ulong answered;
static unsigned long die_after = -1UL;

/* Reads up to the end of the head, and whatever of the body comes with it. */
static bool read_request(int fd, struct request *request)
{
    size_t length = 0;
    char *end = NULL;

    while (!end && length < sizeof request->head - 1) {
        ssize_t received = recv(fd, request->head + length, sizeof request->head - 1 - length, 0);
        if (received <= 0)
            return false;
        length += (size_t)received;
        request->head[length] = '\0';
        end = strstr(request->head, "\r\n\r\n");
    }
    if (!end)
        return false;
    request->body_received = length - (size_t)(end + 4 - request->head);
    end[2] = '\0';
    const char *announced = strcasestr(request->head, "\r\ncontent-length:");
    request->body_bytes = announced ? strtoul(announced + 17, NULL, 10) : 0;
    request->close = strcasestr(request->head, "\r\nconnection: close") != NULL;
    request->post = !strncmp(request->head, "POST", 4);
    return true;
}

static void *serve(void *arg)
{
    const struct linger reset = { .l_onoff = 1 };
    const int no_delay = 1;
    int fd = (int)(intptr_t)arg;
    struct request request = { .index = 0 };
    enum after after = KEEP;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    while (after == KEEP && read_request(fd, &request)) {
        request.index++;
        if (atomic_fetch_add(&answered, 1) >= die_after)
            raise(SIGKILL);
        after = misbehave(fd, &request);
    }
    if (after == RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    return NULL;
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    pthread_t thread;

    if (fd < 0)
        return;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
        errx(1, "no more threads");
    pthread_detach(thread);
}

/* --- addresses --- */

/* A socket bound to a free port of 127.0.0.1. `backlog` < 0: nobody listens. */
static int open_port(int backlog, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    if (fd < 0 || bind(fd, (struct sockaddr *)address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) < 0 || (backlog >= 0 && listen(fd, backlog) < 0))
        err(1, "cannot open a port");
    return fd;
}

static int open_path(const char *path, const char *suffix, int backlog, struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address->sun_path, sizeof address->sun_path, "%.90s%s", path, suffix);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) < 0 || listen(fd, backlog) < 0)
        err(1, "cannot open %s", address->sun_path);
    return fd;
}

/* With a backlog of 0 one connection fits; from then on the kernel takes no other. */
static void fill_backlog(const void *address, socklen_t length)
{
    int fd = socket(((const struct sockaddr *)address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, address, length) < 0)
        err(1, "cannot fill the backlog");
}

static int open_unix(const char *path)
{
    struct sockaddr_un address;

    open_path(path, ".deaf", 0, &address);
    fill_backlog(&address, sizeof address);
    return open_path(path, "", 1024, &address);
}

static int open_ports(void)
{
    struct sockaddr_in http, refused, deaf;
    int fd = open_port(1024, &http);

    open_port(-1, &refused);
    open_port(0, &deaf);
    fill_backlog(&deaf, sizeof deaf);
    printf("%u %u %u\n", ntohs(http.sin_port), ntohs(refused.sin_port), ntohs(deaf.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct pollfd polled[] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--unix"))
            polled[2].fd = open_unix(argv[i + 1]);
        else if (!strcmp(argv[i], "--die-after"))
            die_after = strtoul(argv[i + 1], NULL, 10);
        else
            errx(2, "usage: misbehave [--unix PATH] [--die-after N]");
    }
    polled[1].fd = open_ports();
    while (poll(polled, 3, -1) >= 0 && !polled[0].revents) {
        if (polled[1].revents)
            accept_one(polled[1].fd);
        if (polled[2].revents)
            accept_one(polled[2].fd);
    }
    return 0;
}
