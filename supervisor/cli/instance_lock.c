/* The lock of a runtime directory. It belongs to the open file, not to a process: it is kept over exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/cli/instance.h"
#include "supervisor/core/sentence.h"

static char *lock_path(const char *directory)
{
    char *path;

    return asprintf(&path, "%s/lock", directory) < 0 ? NULL : path;
}

/* The pid the holder has written. */
static pid_t read_pid(int fd)
{
    char text[32] = "";

    return pread(fd, text, sizeof text - 1, 0) > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

pid_t instance_running(const char *directory)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char *path = lock_path(directory);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    pid_t pid = 0;

    free(path);
    if (fd < 0)
        return 0;
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        pid = read_pid(fd);
    close(fd);
    return pid;
}

static int take_lock(int fd, const char *name, char **reason)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return sentence(reason, -errno, "cannot lock: %s", strerror(errno));
        return sentence(reason, -EBUSY, "another baton named %s is running (pid %ld); choose another --name",
                        name, (long)read_pid(fd));
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length || fcntl(fd, F_SETFD, 0) < 0)
        return sentence(reason, -EIO, "cannot write the lock file: %s", strerror(errno));
    return 0;
}

int instance_lock(const char *directory, const char *name, int *lock, char **reason)
{
    char *path = lock_path(directory);

    if (!path)
        return sentence(reason, -ENOMEM, "out of memory");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    int result = fd < 0 ? sentence(reason, -errno, "cannot open %s: %s", path, strerror(errno))
                        : take_lock(fd, name, reason);
    free(path);
    if (result == 0)
        *lock = fd;
    else if (fd >= 0)
        close(fd);
    return result;
}
