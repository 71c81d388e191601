/* Where a worker's stdout and stderr go; never through a pipe of ours, so a dead supervisor blocks nobody. */
#ifndef BATON_OUTPUT_H
#define BATON_OUTPUT_H

#include "supervisor/core/config.h"

/* stderr: a duplicate of ours. journal: a stream of its own (identifier "baton/SERVICE#GENERATION"); without
 * a journal on this machine our stderr, and *fallback is true. file: O_APPEND | O_CREAT 0640, opened as
 * baton's user. 0 and *fd (CLOEXEC, blocking, owned by the caller), or -errno with a sentence in *reason
 * (malloc'd).
 */
int output_open(const struct config_output *output, const char *service, unsigned generation, int *fd,
                bool *fallback, char **reason);

/* Open `path` for appending, as a worker's output or our own log: made with 0640 when missing; never waits (a
 * FIFO without a reader is -ENXIO). Returns the descriptor (CLOEXEC, blocking) or -errno. */
int output_open_file(const char *path);

/* The last lines of a worker's file since offset `from` (its size when the worker started; a file that is
 * smaller now was truncated by a rotation and is read whole), at most `lines` of them and 2 KiB; control
 * characters escaped, empty lines left out; malloc'd, NULL when there are none or the output is not a file.
 */
char *output_last_words(const struct config_output *output, long long from, unsigned lines);

/* Size of the file now, 0 when it is not there yet; -1 when the output is not a regular file. */
long long output_size(const struct config_output *output);

#endif
