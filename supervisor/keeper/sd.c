#include "supervisor/keeper/sd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTEN_FDS_MAX = 65536 };

/* A decimal number from 1 to `max`, else 0. */
static uint64_t number(const char *text, uint64_t max)
{
    char *end;
    unsigned long long value;

    if (!text || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    value = strtoull(text, &end, 10);
    return errno || *end || value > max ? 0 : value;
}

static bool is_for_us(const char *pid)
{
    return pid && number(pid, INT32_MAX) == (uint64_t)getpid();
}

void sd_open(struct sd *sd)
{
    const char *path = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
    size_t length = path ? strlen(path) : 0;

    *sd = (struct sd){ .fd = -1, .address.sun_family = AF_UNIX };
    if ((length > 1 && length < sizeof sd->address.sun_path) && (path[0] == '/' || path[0] == '@')) {
        memcpy(sd->address.sun_path, path, length);
        if (path[0] == '@')
            sd->address.sun_path[0] = '\0';
        sd->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        sd->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    if (sd->fd >= 0 && (!pid || is_for_us(pid)))
        sd->watchdog_ms = number(getenv("WATCHDOG_USEC"), INT64_MAX) / 2000;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

int sd_send(const struct sd *sd, const char *text, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .align = {
                      .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) } };
    struct iovec iov = { .iov_base = (void *)text, .iov_len = strlen(text) };
    struct msghdr header = {
        .msg_name = (void *)&sd->address, .msg_namelen = sd->length, .msg_iov = &iov, .msg_iovlen = 1
    };

    if (sd->fd < 0)
        return 0;
    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
    }
    if (sendmsg(sd->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ETOOMANYREFS ? SD_AGAIN : 0;
}

int sd_store(const struct sd *sd, const char *name, int fd)
{
    char text[96];

    snprintf(text, sizeof text, "%s\nFDNAME=%.32s", fd >= 0 ? "FDSTORE=1\nFDPOLL=0" : "FDSTOREREMOVE=1",
             name);
    return sd_send(sd, text, fd);
}

int sd_listen_fds(char **names)
{
    uint64_t count = is_for_us(getenv("LISTEN_PID")) ? number(getenv("LISTEN_FDS"), LISTEN_FDS_MAX) : 0;

    *names = getenv("LISTEN_FDNAMES");
    /* unsetenv() forgets the variable; its bytes stay where exec put them. */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (int)count;
}

const char *sd_next_name(char **names)
{
    const char *name = *names ? strsep(names, ":") : NULL;

    return name ? name : "";
}
