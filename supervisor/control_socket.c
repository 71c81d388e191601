#include "supervisor/control_socket.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"

enum { BACKLOG = 128, SOCKET_MODE = 0660, DIRECTORY_MODE = 0755 };

static int check_directory(const char *path, char **reason)
{
    char copy[PATH_MAX];
    struct stat status;

    snprintf(copy, sizeof copy, "%s", path);
    const char *directory = dirname(copy);
    if (mkdir(directory, DIRECTORY_MODE) == 0)
        chmod(directory, DIRECTORY_MODE); /* whatever the umask is */
    else if (errno != EEXIST)
        return sentence(reason, -errno, "cannot make the directory %s: %s", directory, strerror(errno));
    if (lstat(directory, &status) < 0)
        return sentence(reason, -errno, "cannot look at %s: %s", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return sentence(reason, -ENOTDIR, "%s is not a directory", directory);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return sentence(reason, -EPERM, "%s belongs to uid %u; it must be ours (uid %u) or root's", directory,
                        status.st_uid, geteuid());
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return sentence(reason, -EPERM, "%s can be written by others (mode %04o); only its owner may",
                        directory, status.st_mode & 07777);
    return 0;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    strcpy(address.sun_path, path);
    return address;
}

static int refuse_as_running(const char *path, int fd, char **reason)
{
    struct ucred peer = { .pid = 0 };
    socklen_t bytes = sizeof peer;
    char copy[PATH_MAX], pid[32] = "";

    snprintf(copy, sizeof copy, "%s", path);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.pid > 0)
        snprintf(pid, sizeof pid, " (pid %d)", peer.pid);
    return sentence(reason, -EADDRINUSE, "another baton named %s is running%s", basename(dirname(copy)), pid);
}

/* What is at the path: removed when nobody answers there. */
static int clear_path(const char *path, char **reason)
{
    struct sockaddr_un address = address_of(path);
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : sentence(reason, -errno, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return sentence(reason, -EEXIST, "%s is not a socket; remove it", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sentence(reason, -errno, "cannot open a socket: %s", strerror(errno));
    bool answers = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
    int error = answers ? refuse_as_running(path, fd, reason) : 0;
    close(fd);
    if (!error && unlink(path) < 0)
        error = sentence(reason, -errno, "cannot remove %s: %s", path, strerror(errno));
    return error;
}

/* fchmod() before bind(): the path never has another mode. */
static int listen_at(const char *path, int *out)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (fchmod(fd, SOCKET_MODE) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    *out = fd;
    return 0;
}

/* Whether `fd` still listens at `path`. Listening again tells its peers our pid instead of our
 * predecessor's (SO_PEERCRED). */
static bool listens_at(const char *path, int fd)
{
    struct sockaddr_un address = { 0 };
    socklen_t bytes = sizeof address;
    struct stat status;

    return getsockname(fd, (struct sockaddr *)&address, &bytes) == 0 && address.sun_family == AF_UNIX &&
           !strcmp(address.sun_path, path) && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
           listen(fd, BACKLOG) == 0;
}

int control_socket_open(const char *path, int fd, int *out, char **reason)
{
    struct sockaddr_un address;
    int error;

    if (fd >= 0 && listens_at(path, fd)) {
        *out = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    if (strlen(path) >= sizeof address.sun_path)
        return sentence(reason, -ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes", path,
                        sizeof address.sun_path - 1);
    error = check_directory(path, reason);
    if (!error)
        error = clear_path(path, reason);
    if (error)
        return error;
    error = listen_at(path, out);
    return error ? sentence(reason, error, "cannot listen at %s: %s", path, strerror(-error)) : 0;
}
