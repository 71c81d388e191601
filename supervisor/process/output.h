/* Where a worker's stdout and stderr go; never through a pipe of ours, so a dead supervisor blocks nobody. */
#ifndef BATON_OUTPUT_H
#define BATON_OUTPUT_H

#include "supervisor/core/config.h"

/* stderr: a duplicate of ours. journal: a stream of its own (identifier "baton/SERVICE#GENERATION"); without
 * a journal on this machine our stderr, and *fallback is true. file: O_APPEND | O_CREAT 0640 (CLOEXEC),
 * opened as baton's user. 0 and *fd (owned by the caller), or -errno with a sentence in *reason (malloc'd).
 */
int output_open(const struct config_output *output, const char *service, unsigned generation, int *fd,
                bool *fallback, char **reason);

/* The last lines of a worker's file since offset `from` (its size when the worker started), at most `lines`
 * of them and 2 KiB; control characters escaped; malloc'd, NULL when there are none or the output is not a
 * file. */
char *output_last_words(const struct config_output *output, long long from, unsigned lines);

/* Size of the file now; -1 when the output is not a file. */
long long output_size(const struct config_output *output);

#endif
