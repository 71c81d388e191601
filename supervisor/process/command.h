/* Finding the file that a command names. */
#ifndef BATON_COMMAND_H
#define BATON_COMMAND_H

/* Open the program `name` (O_PATH | O_CLOEXEC): with a '/' relative to `directory`, else in each directory of
 * `search` (as in PATH; its relative and empty elements are relative to `directory` as well). It is a regular
 * file that somebody may execute. Symlinks are followed: *path (malloc'd) is where they lead. 0; or -errno
 * with a sentence in *reason (malloc'd): -ENOENT "command \"shop\" not found in PATH
 * (/usr/bin:/bin)", -EACCES "/srv/shop is not executable (mode 0644): chmod +x it", -EISDIR, … */
int command_find(const char *name, const char *search, const char *directory, int *fd, char **path,
                 char **reason);

/* The PATH that a child with these variables would search: theirs, else our own, else the system's. */
const char *command_search_path(char *const *environment);

/* The path that descriptor `fd` leads to now (malloc'd; a deleted file's ends in " (deleted)"), or NULL. */
char *command_path_of(int fd);

#endif
