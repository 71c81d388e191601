/* A listener's sockets: opened once, kept until the listener ends.
 *
 * In this version the generations of a service share one listening socket per listener. That fact is
 * known to listener.c and lanes.c only. */
#ifndef BATON_LISTENER_H
#define BATON_LISTENER_H

#include "supervisor/core/config.h"

/* Open, bind and listen as configured: CLOEXEC, non-blocking, SO_REUSEADDR, V6ONLY as asked; UNIX: the path
 * is bound under a temporary name with mode and owner set, then renamed over the final one, so that nobody is
 * refused and a stale path of a dead process is replaced (a path that is not a socket, or a socket somebody
 * accepts on, is refused). 0 and *fd, or -errno with one sentence in *reason (malloc'd): "cannot listen on
 * 0.0.0.0:80: used by nginx (pid 812, user root)" where /proc tells who, "… permission denied: ports below
 * 1024 need root or CAP_NET_BIND_SERVICE". */
int listener_open(const struct config_listener *listener, int *fd, char **reason);

/* Whether `fd` is the socket listener_open() would give (from systemd or the vault): family, type, address,
 * listening. */
bool listener_matches(const struct config_listener *listener, int fd);

/* Apply a changed backlog to an open socket. 0 or -errno. */
int listener_set_backlog(int fd, uint32_t backlog);

/* The listener ends: remove the UNIX path if it is still this socket's (same device and inode as bound);
 * nothing for TCP. */
void listener_unlink(const struct config_listener *listener, int fd);

#endif
