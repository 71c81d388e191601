#include "supervisor/process/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"

char *command_path_of(int fd)
{
    char self[32], path[PATH_MAX];

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(self, path, sizeof path - 1);
    if (length < 0)
        return NULL;
    path[length] = '\0';
    return strdup(path);
}

const char *command_search_path(char *const *environment)
{
    const char *search = getenv("PATH");

    for (; environment && *environment; environment++) {
        if (!strncmp(*environment, "PATH=", 5))
            return *environment + 5;
    }
    return search ? search : _PATH_STDPATH;
}

/* Whether the file behind `fd` may be executed; -errno with a sentence if not. */
static int check_program(int fd, const char *path, char **reason)
{
    struct stat st;

    if (fstat(fd, &st))
        return sentence(reason, -errno, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return sentence(reason, -EISDIR, "%s is a directory, not a program", path);
    if (!S_ISREG(st.st_mode))
        return sentence(reason, -EACCES, "%s is not a regular file", path);
    if ((st.st_mode & 0111) == 0)
        return sentence(reason, -EACCES, "%s is not executable (mode %04o): chmod +x it", path,
                        st.st_mode & 07777);
    return 0;
}

static int open_program(const char *path, int *fd, char **reason)
{
    int opened = open(path, O_PATH | O_CLOEXEC);

    if (opened < 0)
        return sentence(reason, -errno, "cannot execute %s: %s", path, strerror(errno));
    int error = check_program(opened, path, reason);
    if (error) {
        close(opened);
        return error;
    }
    *fd = opened;
    return 0;
}

/* `prefix` (`bytes` of it, may be none) and `name` in `directory`, unless they are absolute. False: too long.
 */
static bool join(const char *directory, const char *prefix, int bytes, const char *name, char path[PATH_MAX])
{
    bool absolute = *(bytes ? prefix : name) == '/';

    return snprintf(path, PATH_MAX, "%s%s%.*s%s%s", absolute ? "" : directory, absolute ? "" : "/", bytes,
                    prefix, bytes ? "/" : "", name) < PATH_MAX;
}

static int open_named(const char *directory, const char *name, int *fd, char **reason)
{
    char path[PATH_MAX];

    if (!join(directory, "", 0, name, path))
        return sentence(reason, -ENAMETOOLONG, "the path of \"%s\" is too long", name);
    return open_program(path, fd, reason);
}

/* What exists but cannot be executed is passed over, as a shell does; the first such is told when nothing is
 * found. Nothing exists in a directory that we may not search. */
static int search_program(const char *directory, const char *name, const char *search, int *fd, char **reason)
{
    char path[PATH_MAX], *passed_over = NULL;
    int error = -ENOENT;

    for (const char *element = search; error; element++) {
        int bytes = (int)strcspn(element, ":");
        if (join(directory, element, bytes, name, path) && !access(path, F_OK))
            error = open_program(path, fd, passed_over ? NULL : &passed_over);
        element += bytes;
        if (*element == '\0')
            break;
    }
    if (error && !passed_over)
        return sentence(reason, error, "command \"%s\" not found in PATH (%s)", name, search);
    if (error)
        sentence(reason, error, "%s", passed_over);
    free(passed_over);
    return error;
}

int command_find(const char *name, const char *search, const char *directory, int *fd, char **path,
                 char **reason)
{
    int found = -1;
    int error = strchr(name, '/') ? open_named(directory, name, &found, reason)
                                  : search_program(directory, name, search, &found, reason);

    if (error)
        return error;
    *path = command_path_of(found);
    if (!*path) {
        error = -errno;
        close(found);
        return sentence(reason, error, "cannot read /proc/self/fd: %s", strerror(-error));
    }
    *fd = found;
    return 0;
}
