/* notify TEXT...: sends each text to NOTIFY_SOCKET, says "sent" on stdout, and stays until it is killed, so
 * that whoever got the texts can find out who it is. Exit: 1 when it could not send, 2 usage. */
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (argc < 2 || !path || !*path || strlen(path) >= sizeof address.sun_path)
        errx(2, "usage: NOTIFY_SOCKET=ADDRESS notify TEXT...");
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@') /* the abstract name space */
        address.sun_path[0] = '\0';
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    for (int i = 1; i < argc; i++) {
        if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&address, length) < 0)
            err(1, "cannot send to %s", path);
    }
    puts("sent");
    fflush(stdout);
    for (;;)
        pause();
}
