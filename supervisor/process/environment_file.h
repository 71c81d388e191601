/* The files in which people write the environment of a service. */
#ifndef BATON_ENVIRONMENT_FILE_H
#define BATON_ENVIRONMENT_FILE_H

#include <stddef.h>

#include "supervisor/process/environment.h"

/* Put what such a file says (pure). The format is that of systemd's EnvironmentFile=:
 *
 *     # a comment, also after ;
 *     NAME=value of the rest of the line, blanks around it dropped, a backslash takes the next character
 *     as it is, at the end of a line it goes on in the next
 *     NAME="with \" \\ \` and \$"     NAME='as it is'     quoted text may span lines
 *
 * Nothing is expanded. 0; -EINVAL with *line (from 1) and *wrong (static: what is allowed); -ENOMEM. On
 * failure the entries before that line are there. */
int environment_file_parse(struct environment *environment, const char *bytes, size_t length, unsigned *line,
                           const char **wrong);

/* Put what the file at `path` says, of at most 1 MiB. 0, or -errno with a sentence in *reason (malloc'd):
 * "environment file /etc/blog.env:3: a line is NAME=VALUE …". No value is ever in the sentence. */
int environment_file_read(struct environment *environment, const char *path, char **reason);

#endif
