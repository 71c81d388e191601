/* unixcat PATH: listens on a UNIX stream socket there and copies what its clients write to stdout, until it
 * is killed: a journal that anybody can read. Exit: 1 when it cannot listen or write, 2 usage. */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 32, CHUNK_BYTES = 4096 };

static struct pollfd polled[1 + CLIENTS_MAX]; /* the listening socket, then clients */
static nfds_t count = 1;

static void take_client(void)
{
    int client = accept(polled[0].fd, NULL, NULL);

    if (client < 0 || count > CLIENTS_MAX)
        err(1, "cannot take a client");
    polled[count++] = (struct pollfd){ .fd = client, .events = POLLIN };
}

static void copy_from(nfds_t i)
{
    char chunk[CHUNK_BYTES];
    ssize_t length = read(polled[i].fd, chunk, sizeof chunk);

    if (length > 0) {
        if (write(STDOUT_FILENO, chunk, (size_t)length) != length)
            err(1, "cannot write");
        return;
    }
    close(polled[i].fd);
    polled[i] = polled[--count];
}

int main(int argc, char *argv[])
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path)
        errx(2, "usage: unixcat PATH");
    strcpy(address.sun_path, argv[1]);
    polled[0] = (struct pollfd){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN };
    if (bind(polled[0].fd, (const struct sockaddr *)&address, sizeof address) ||
        listen(polled[0].fd, CLIENTS_MAX))
        err(1, "cannot listen on %s", argv[1]);
    while (poll(polled, count, -1) >= 0) {
        for (nfds_t i = count; i-- > 1;) {
            if (polled[i].revents)
                copy_from(i);
        }
        if (polled[0].revents)
            take_client();
    }
    err(1, "poll");
}
