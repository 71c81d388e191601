/* A stream of our own into systemd's journal. */
#ifndef BATON_JOURNAL_H
#define BATON_JOURNAL_H

#include <stdbool.h>

/* Connect: each line written to the descriptor becomes an entry under `identifier` (journalctl -t). With
 * `level_prefix` a leading "<N>" of a line is its priority, else all lines have `priority` (0..7, as in
 * syslog). `socket_path` is JOURNAL_SOCKET outside of tests. Returns the descriptor (CLOEXEC, blocking) or
 * -errno: -ENOENT, -ECONNREFUSED when this machine has no journal. */
int journal_open(const char *socket_path, const char *identifier, int priority, bool level_prefix);

#define JOURNAL_SOCKET "/run/systemd/journal/stdout"

/* Whether `fd` is the stream that systemd gave this process (JOURNAL_STREAM names its device and inode). */
bool journal_is_stream(int fd);

#endif
