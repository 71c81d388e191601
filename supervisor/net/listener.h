/* A listener's sockets: opened once, kept until the listener ends.
 *
 * In this version the generations of a service share one listening socket per listener. That fact is
 * known to listener.c and lanes.c only. */
#ifndef BATON_LISTENER_H
#define BATON_LISTENER_H

#include "supervisor/core/config.h"

/* Open, bind and listen as configured: CLOEXEC, blocking (as a worker with LISTEN_FDS expects; libbaton sets
 * O_NONBLOCK), TCP with SO_REUSEADDR, IPv6 with V6ONLY as asked. UNIX: the path has its mode and owner before
 * anybody can connect, and getsockname(2) gives the path as it is written; a stale path of a dead process is
 * replaced, but a path that is not a socket, or a socket somebody accepts on, is refused. Nothing is left
 * behind on failure. 0 and *fd, or -errno with one sentence in *reason (malloc'd): "cannot listen on
 * 0.0.0.0:80: used by nginx (pid 812, user root)" where /proc tells who, "…: ports below 1024 need root or
 * CAP_NET_BIND_SERVICE". */
int listener_open(const struct config_listener *listener, int *fd, char **reason);

/* Whether `fd` is the socket listener_open() would give (from systemd or the vault): family, type, address,
 * V6ONLY, listening; UNIX: and its path still is a socket. */
bool listener_matches(const struct config_listener *listener, int fd);

/* Apply a changed backlog to an open socket. 0 or -errno. */
int listener_set_backlog(int fd, uint32_t backlog);

/* Apply a changed mode or owner to the path of an open UNIX socket; nothing for TCP. 0 or -errno with a
 * sentence in *reason, also when the path no longer leads to this socket. */
int listener_set_permissions(const struct config_listener *listener, int fd, char **reason);

/* The listener ends: remove the UNIX path if it still leads to this socket (where the kernel cannot tell it
 * stays: the next start replaces it); nothing for TCP. The descriptor stays the caller's. */
void listener_unlink(const struct config_listener *listener, int fd);

#endif
