/* A listening address as people write it. Pure: no name lookup, no I/O.
 *
 *   8080                  every IPv4 address, port 8080
 *   127.0.0.1:8080        one IPv4 address
 *   [::]:8080             IPv6 (and IPv4, unless v6only)
 *   unix:/run/app.sock    a UNIX stream socket
 *   udp:127.0.0.1:53      UDP, the same forms as TCP
 */
#ifndef BATON_ADDRESS_H
#define BATON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Enough for the longest text address_format() writes, its NUL included. */
enum { ADDRESS_TEXT_BYTES = 128 };

struct address {
    struct sockaddr_storage sockaddr;
    socklen_t length; /* bytes of sockaddr in use */
    int socktype;     /* SOCK_STREAM or SOCK_DGRAM */
};

/* Parse `text`. Ports are 1..65535, UNIX paths absolute and at most 107 bytes.
 * Returns NULL and fills `out`, or a sentence that says what is allowed (static; `out` is untouched). */
const char *address_parse(const char *text, struct address *out);

/* Write the canonical form ("0.0.0.0:8080", "[::1]:80", "unix:/run/x", "udp:…") to `text`. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES]);

bool address_equal(const struct address *a, const struct address *b);

/* Whether both would receive the same packets if bound at once: the same address, a wildcard beside a
 * specific one of the same family, or a dual-stack [::] (v6only false) beside any IPv4 address. */
bool address_overlaps(const struct address *a, bool a_v6only, const struct address *b, bool b_v6only);

#endif
