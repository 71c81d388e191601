#include "supervisor/config_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/core/config_words.h"

enum { FILE_MAX_BYTES = 4 << 20 };

/* Read until the end of the file; it may grow or shrink meanwhile. The length, or -errno. */
static ssize_t read_all(int fd, char *bytes, size_t room)
{
    size_t length = 0;

    while (length < room) {
        ssize_t n = read(fd, bytes + length, room - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

static int read_regular(int fd, char **bytes, size_t *length)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (status.st_size > FILE_MAX_BYTES)
        return -EFBIG;
    size_t room = (size_t)status.st_size + 1;
    char *content = malloc(room);
    if (!content)
        return -ENOMEM;
    ssize_t got = read_all(fd, content, room);
    if (got < 0 || (size_t)got == room) {
        free(content);
        return got < 0 ? (int)got : -EAGAIN; /* somebody writes to it at this moment */
    }
    *bytes = content;
    *length = (size_t)got;
    return 0;
}

static int on_read(void *arg, const char *path, char **bytes, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not block us */

    (void)arg;
    if (fd < 0)
        return -errno;
    int result = read_regular(fd, bytes, length);
    close(fd);
    return result;
}

static int glob_error; /* of the running glob(3), whose callback gets no argument */

/* A directory that is not there matches nothing; one that cannot be read may hide something. */
static int on_glob_error(const char *path, int error)
{
    (void)path;
    if (error == ENOENT || error == ENOTDIR)
        return 0;
    glob_error = -error;
    return 1;
}

static int on_glob(void *arg, const char *pattern, char ***paths, size_t *count)
{
    glob_t found = { 0 };
    int result = glob(pattern, 0, on_glob_error, &found);

    (void)arg;
    if (result == GLOB_ABORTED)
        result = glob_error;
    else if (result == GLOB_NOSPACE)
        result = -ENOMEM;
    else if (result == 0 && !(*paths = config_words_copy(found.gl_pathv)))
        result = -ENOMEM;
    else if (result == 0)
        *count = found.gl_pathc;
    else
        result = 0; /* GLOB_NOMATCH */
    globfree(&found);
    return result;
}

int config_files_load(const char *path, struct config **out, struct config_errors *errors)
{
    static const struct config_io io = { .glob = on_glob, .read = on_read };

    return config_parse(path, &io, out, errors);
}
