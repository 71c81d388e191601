/* notifylog PATH: what is sent to the notify socket PATH (see sd_notify(3)) goes to stdout, line by line,
 * until it is killed or its parent ends. An empty line comes first: the socket is there. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[8192];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t bytes = 0;

    if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: notifylog PATH\n");
        return EXIT_FAILURE;
    }
    strcpy(address.sun_path, argv[1]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        perror("notifylog");
        return EXIT_FAILURE;
    }
    do { /* descriptors that come along are closed by the kernel: nobody asks for them */
        fwrite(text, 1, (size_t)bytes, stdout);
        putchar('\n');
        fflush(stdout);
    } while ((bytes = recv(fd, text, sizeof text, 0)) >= 0);
    perror("notifylog");
    return EXIT_FAILURE;
}
