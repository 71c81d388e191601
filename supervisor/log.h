/* baton's own log: one fact per line, stable keys:
 *
 *     2026-11-23T14:02:11.123Z info service=blog generation=8 pid=412 state=draining connections=17
 *
 * Under systemd (JOURNAL_STREAM names our stderr) the time is left out and the level is the <N> prefix the
 * journal understands. Control characters and newlines in values are escaped; a value with a space is quoted.
 */
#ifndef BATON_LOG_H
#define BATON_LOG_H

#include "supervisor/core/config.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where the log goes; a file is opened O_APPEND. 0 or -errno (then the previous place stays). */
int log_open(const struct config_output *output);
int log_reopen(void); /* SIGUSR1: the file anew */
void log_set_level(enum log_level level);

/* printf-style; the text is written with one write(2), at most 2 KiB; never blocks for long, never fails. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Escape `value` for a key=value pair (quotes when needed) into `out` of `bytes`; returns out. Cut with "…".
 */
const char *log_value(const char *value, char *out, size_t bytes);

#endif
