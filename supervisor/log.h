/* baton's own log: one fact per line, stable keys:
 *
 *     2026-11-23T14:02:11.123Z info service=blog generation=8 pid=412 state=draining connections=17
 *
 * In the journal (log = journal, or JOURNAL_STREAM names our stderr) the time is left out and the level is
 * the <N> prefix the journal understands. Values that come from outside go through log_value(); whatever else
 * is in a line, control characters never reach the terminal. */
#ifndef BATON_LOG_H
#define BATON_LOG_H

#include "supervisor/core/config.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where the log goes; before the first call it is stderr. A file is opened O_APPEND, made with 0640. Without
 * a journal on this machine `log = journal` is stderr, and a line says so. `output` is copied. 0 or -errno
 * (then the previous place stays). */
int log_open(const struct config_output *output);
int log_reopen(void);                     /* SIGUSR1: the same place anew */
void log_close(void);                     /* back to stderr; for tests */
void log_set_level(enum log_level level); /* INFO at the start */

/* printf-style; a line is written with one write(2), at most 2 KiB, longer ones are cut with "…". Never
 * fails. A place that takes no more (a full pipe, a stopped terminal) is given 10 ms once; then lines are
 * dropped until it takes some again, and a line says how many. The process ignores SIGPIPE. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `value` for a key=value pair, escaped, and in quotes when it is empty or has a space, a quote, '=' or
 * anything that had to be escaped. Written to `out` of `bytes` (at least 8); cut with "…". Returns out. */
const char *log_value(const char *value, char *out, size_t bytes);

#endif
