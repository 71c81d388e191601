#include "supervisor/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char **bytes, size_t *length)
{
    struct stat status;
    size_t used = 0;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (status.st_size > FILE_BYTES_MAX)
        return -EFBIG;
    char *buffer = malloc((size_t)status.st_size + 1);
    if (!buffer)
        return -ENOMEM;
    while (used < (size_t)status.st_size) {
        ssize_t n = read(fd, buffer + used, (size_t)status.st_size - used);
        int error = errno;

        if (n < 0) {
            free(buffer);
            return -error;
        }
        if (n == 0) /* it has become shorter */
            break;
        used += (size_t)n;
    }
    buffer[used] = '\0';
    *bytes = buffer;
    *length = used;
    return 0;
}

int file_read(int directory, const char *name, char **bytes, size_t *length)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    int error = read_all(fd, bytes, length);
    close(fd);
    return error;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);

        if (n < 0)
            return -errno;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

int file_replace(int directory, const char *name, const char *bytes, size_t length, bool sync)
{
    char temporary[NAME_MAX + 1];

    if (snprintf(temporary, sizeof temporary, "%s.new", name) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    unlinkat(directory, temporary, 0); /* of one that was killed here */
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, bytes, length);
    if (!error && sync && fsync(fd) < 0)
        error = -errno;
    close(fd);
    if (!error && renameat(directory, temporary, directory, name) < 0)
        error = -errno;
    if (error)
        unlinkat(directory, temporary, 0);
    return error;
}
