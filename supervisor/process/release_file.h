/* A file as it was when a release was made. */
#ifndef BATON_RELEASE_FILE_H
#define BATON_RELEASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct spawn_user;

struct release_file {
    char *path; /* resolved, absolute */
    uint64_t device, inode, size;
    int64_t mtime_ns;
    int argument; /* index in argv, 0: the executable */
};

/* Record what `fd` is open on; `path` is taken. */
void release_file_set(struct release_file *file, const struct stat *st, char *path, int argument);

/* Whether these are the same file with the same content, as far as the file system tells. */
bool release_file_is(const struct release_file *file, const struct stat *st);
bool release_file_equal(const struct release_file *a, const struct release_file *b);

/* Whether the file still is at its path as it was: 0, or -ESTALE with a sentence that names what changed
 * (malloc'd).
 */
int release_file_verify(const struct release_file *file, char **reason);

/* Whether the file behind `fd` (O_PATH will do) belongs to a release, or is data that the worker changes
 * while it runs: a file that is code or configuration by its look (executable, "#!", ELF, zip, a usual
 * suffix) belongs, and whatever else the worker's user may not write to. */
bool release_file_belongs(int fd, const struct stat *st, const char *path, const struct spawn_user *user);

#endif
