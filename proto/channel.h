/* The channel: packets of bytes and descriptors over a connected UNIX SOCK_SEQPACKET socket.
 *
 * This is the only place that passes descriptors. It knows neither messages nor an event loop, never
 * blocks whatever the flags of the socket are, never raises SIGPIPE, never allocates and keeps no
 * state: a channel is a descriptor, so it survives the process that used it when somebody else holds
 * a copy.
 *
 * There is no queue here. When the peer does not read, CHANNEL_AGAIN says so and the caller decides
 * what to keep: libbaton keeps facts and one status, the supervisor a short queue per worker, the
 * keeper its place in the vault. Continue when the descriptor is writable (POLLOUT).
 *
 * Positive results are outcomes that the caller must handle, negative ones are -errno.
 */
#ifndef BATON_CHANNEL_H
#define BATON_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    CHANNEL_CLOSED = 1, /* the peer is gone */
    CHANNEL_AGAIN = 2,  /* not now: poll and repeat */
};

enum {
    CHANNEL_MAX_BYTES = 8192,
    CHANNEL_MAX_DESCRIPTORS = 253, /* the kernel's limit for one packet */
};

/* One received packet; big enough for any (9 KiB), so that receiving never allocates. */
struct channel_packet {
    size_t size;  /* bytes, at least 1 */
    size_t count; /* descriptors */
    int fds[CHANNEL_MAX_DESCRIPTORS];
    uint8_t bytes[CHANNEL_MAX_BYTES];
};

/* Make a channel; both ends are close-on-exec and non-blocking. Returns 0 or -errno. */
int channel_pair(int ends[2]);

/* Whether `fd` can be a channel. Returns 0; -EBADF; -ENOTSOCK; -EPROTOTYPE for another kind of socket. */
int channel_check(int fd);

/* Send one packet: `size` bytes (1 to CHANNEL_MAX_BYTES) and copies of `count` descriptors, which stay
 * the caller's. All or nothing.
 * Returns 0; CHANNEL_AGAIN; CHANNEL_CLOSED (what the peer said before it went can still be received);
 * -EMSGSIZE; -EBADF; -ETOOMANYREFS when more descriptors of this user are on their way than
 * RLIMIT_NOFILE allows: repeat when the peer has read some. */
int channel_send(int fd, const void *bytes, size_t size, const int *fds, size_t count);

/* Receive one packet. The caller owns its descriptors (close-on-exec).
 * Returns 0; CHANNEL_AGAIN; CHANNEL_CLOSED, after everything the peer had said was received;
 * -EPROTO when bytes or descriptors did not fit, the latter also because RLIMIT_NOFILE is exhausted:
 * what had arrived of the packet is closed and the peer is to be dropped.
 * On every result but 0 the packet is empty. */
int channel_receive(int fd, struct channel_packet *packet);

/* Look at the next packet and leave it in the channel; its descriptors do not appear (count is 0).
 * Whoever records what it says, then receives it, loses nothing when it is killed in between: the next
 * reader finds the packet again. One reader at a time. Returns as channel_receive(). */
int channel_peek(int fd, struct channel_packet *packet);

/* Close the packet's descriptors and empty it. To keep one, put -1 in its place before. */
void channel_packet_close(struct channel_packet *packet);

#endif
