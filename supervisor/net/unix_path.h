/* Which file of the file system a bound UNIX socket is, asked from the kernel (sock_diag).
 *
 * getsockname(2) gives the text that was bound; only this tells whether the path still leads to that socket
 * or meanwhile to somebody else's. */
#ifndef BATON_UNIX_PATH_H
#define BATON_UNIX_PATH_H

#include <stdbool.h>

/* Whether `path` (not followed if it is a symlink) is the file that `fd` was bound to.
 * False as well when the kernel cannot tell (no UNIX_DIAG), or when the path is gone. */
bool unix_path_leads_to(const char *path, int fd);

#endif
