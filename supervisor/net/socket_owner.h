/* Who holds an address that we wanted: for the sentence "used by nginx (pid 812, user root)".
 *
 * Reads /proc and may take as long as /proc is large: for the error path only. */
#ifndef BATON_SOCKET_OWNER_H
#define BATON_SOCKET_OWNER_H

#include <sys/types.h>

#include "supervisor/core/address.h"

enum { SOCKET_OWNER_TEXT_BYTES = 128 };

struct socket_owner {
    pid_t pid; /* 0: not to be seen (another user's, or another container's) */
    uid_t uid;
    char command[16]; /* as in /proc/PID/comm; "" without a pid */
};

/* The holder of a TCP or UDP address that overlaps `address`; of several processes that share the socket the
 * one with the lowest pid. 0; -ENOENT: nothing that /proc/net shows, or a UNIX address. */
int socket_owner_find(const struct address *address, struct socket_owner *out);

/* The holder at the other end of the connected UNIX socket `fd`: whoever called listen(2). 0 or -errno. */
int socket_owner_of_peer(int fd, struct socket_owner *out);

/* "nginx (pid 812, user root)", "a process of user root". */
void socket_owner_text(const struct socket_owner *owner, char text[SOCKET_OWNER_TEXT_BYTES]);

#endif
