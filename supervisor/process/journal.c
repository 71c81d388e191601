#include "supervisor/process/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The header of a stream, one field per line: identifier, unit, priority, level prefix, and whether the
 * journal forwards to syslog, kmsg and the console. */
static int send_header(int fd, const char *identifier, int priority, bool level_prefix)
{
    char header[256];
    int length =
        snprintf(header, sizeof header, "%s\n\n%d\n%d\n0\n0\n0\n", identifier, priority, level_prefix);

    if (length < 0 || (size_t)length >= sizeof header)
        return -ENAMETOOLONG;
    ssize_t sent = send(fd, header, (size_t)length, MSG_NOSIGNAL);
    if (sent < 0)
        return -errno;
    return sent == length ? 0 : -EPIPE;
}

int journal_open(const char *socket_path, const char *identifier, int priority, bool level_prefix)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); /* a stuck journal: EAGAIN */
    int error;

    if (fd < 0)
        return -errno;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) || shutdown(fd, SHUT_RD))
        error = -errno;
    else
        error = send_header(fd, identifier, priority, level_prefix);
    if (error == 0 && fcntl(fd, F_SETFL, 0))
        error = -errno;
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

bool journal_is_stream(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
           st.st_dev == device && st.st_ino == inode;
}
