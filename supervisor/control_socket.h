/* The listening socket of the control server, as a path in a directory of ours. */
#ifndef BATON_CONTROL_SOCKET_H
#define BATON_CONTROL_SOCKET_H

/* Listen on `path`: a path left by a baton that is gone is replaced, one that answers is another baton. `fd`
 * is a socket that listened there before (from the vault; taken, also on failure), or -1; it is kept unless
 * its path has disappeared. Non-blocking, mode 0660; the directory is made (0755) if missing, and must belong
 * to us or root and be writable by its owner only.
 * 0; -EADDRINUSE: another baton; or -errno. A failure comes with a sentence in *reason (malloc'd; NULL: no
 * memory). */
int control_socket_open(const char *path, int fd, int *out, char **reason);

#endif
