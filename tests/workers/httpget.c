/* httpget [-u UNIX-PATH] http://HOST[:PORT]/PATH: asks once, prints the answer as it came: status line,
 * headers, an empty line, the body. Exit: 0 there was an answer, 1 nobody answered, 2 usage. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, SILENCE_S = 60 };

struct target {
    char host[256], port[8];
    const char *path;
};

/* http://HOST:PORT/PATH or http://[V6]:PORT/PATH. Returns 0, or -1. */
static int parse(const char *url, struct target *target)
{
    static const char scheme[] = "http://";

    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return -1;
    url += sizeof scheme - 1;
    target->path = strchr(url, '/');
    if (!target->path)
        return -1;
    strcpy(target->port, "80");
    return sscanf(url, "[%255[^]/]]:%7[0-9]/", target->host, target->port) >= 1 ||
                   sscanf(url, "%255[^:/]:%7[0-9]/", target->host, target->port) >= 1
               ? 0
               : -1;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static int connect_tcp(const struct target *target)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *address;
    int fd = -1;

    if (getaddrinfo(target->host, target->port, &hints, &list) != 0)
        return -1;
    for (address = list; address && fd < 0; address = address->ai_next) {
        fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

/* Returns the exit status. */
static int ask(int fd, const struct target *target)
{
    const struct timeval silence = { .tv_sec = SILENCE_S };
    char buffer[16384];
    ssize_t bytes, total = 0;
    int length = snprintf(buffer, sizeof buffer, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                          target->path, target->host);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    if (length < 0 || (size_t)length >= sizeof buffer ||
        send(fd, buffer, (size_t)length, MSG_NOSIGNAL) != length)
        return EXIT_FAILURE;
    for (; (bytes = recv(fd, buffer, sizeof buffer, 0)) > 0; total += bytes)
        fwrite(buffer, 1, (size_t)bytes, stdout);
    return bytes == 0 && total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *unix_path = argc == 4 && !strcmp(argv[1], "-u") ? argv[2] : NULL;
    struct target target = { .path = NULL };

    if ((argc != 2 && !unix_path) || parse(argv[argc - 1], &target) < 0) {
        fprintf(stderr, "usage: httpget [-u UNIX-PATH] http://HOST[:PORT]/PATH\n");
        return EXIT_USAGE;
    }
    int fd = unix_path ? connect_unix(unix_path) : connect_tcp(&target);
    if (fd < 0) {
        perror("httpget: cannot connect");
        return EXIT_FAILURE;
    }
    int result = ask(fd, &target);
    close(fd);
    return result;
}
