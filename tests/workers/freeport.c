/* freeport [--listen]: prints a TCP port that the kernel says is free and keeps it out of everybody's hands
 * until it is killed or its parent ends: no ephemeral port and no other freeport can be this one.
 *
 * The port is bound, not listened on, and allows SO_REUSEADDR: a server that asks for SO_REUSEADDR, as baton
 * does, may listen on it. With --listen it is taken: nobody may. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both families, when the machine has both. Returns the socket, or -1. */
static int bind_any(void)
{
    struct sockaddr_in6 any6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in any4 = { .sin_family = AF_INET };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

    if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
        bind(fd, (struct sockaddr *)&any6, sizeof any6) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (struct sockaddr *)&any4, sizeof any4) == 0 ? fd : -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -1;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

int main(int argc, char **argv)
{
    int listening = argc == 2 && !strcmp(argv[1], "--listen"), fd = bind_any(), on = 1;

    /* SO_REUSEADDR after bind(): the kernel must not have given us a port that another freeport shares. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (listening && listen(fd, 1) < 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        perror("freeport");
        return EXIT_FAILURE;
    }
    printf("%d\n", port_of(fd));
    fflush(stdout);
    fclose(stdout); /* a reader of a pipe sees the end */
    for (;;)
        pause();
}
