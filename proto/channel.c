#include "proto/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the descriptors of one packet, aligned as the kernel wants it. */
union control {
    struct cmsghdr align;
    unsigned char bytes[CMSG_SPACE(CHANNEL_MAX_DESCRIPTORS * sizeof(int))];
};

int channel_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) ? -errno : 0;
}

static int socket_option(int fd, int option, int *value)
{
    socklen_t length = sizeof *value;

    return getsockopt(fd, SOL_SOCKET, option, value, &length) ? -errno : 0;
}

int channel_check(int fd)
{
    int domain = 0, type = 0;
    int error = socket_option(fd, SO_DOMAIN, &domain);

    if (!error)
        error = socket_option(fd, SO_TYPE, &type);
    if (error)
        return error;
    return domain == AF_UNIX && type == SOCK_SEQPACKET ? 0 : -EPROTOTYPE;
}

static int send_outcome(int error)
{
    switch (error) {
    case EAGAIN:
    case ENOBUFS: /* the kernel has no memory right now */
        return CHANNEL_AGAIN;
    case EPIPE:
    case ECONNRESET:
        return CHANNEL_CLOSED;
    default:
        return -error;
    }
}

int channel_send(int fd, const void *bytes, size_t size, const int *fds, size_t count)
{
    union control control;
    struct iovec iov = { .iov_base = (void *)bytes, .iov_len = size };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (size == 0 || size > CHANNEL_MAX_BYTES || count > CHANNEL_MAX_DESCRIPTORS)
        return -EMSGSIZE;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(count * sizeof(int));
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), fds, count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
            return 0;
        if (errno != EINTR)
            return send_outcome(errno);
    }
}

/* A peer that went with unread input leaves ECONNRESET behind, once, in front of what it had said:
 * its BYE would be lost if that counted as the end. */
static ssize_t receive_packet(int fd, struct msghdr *header, int flags)
{
    ssize_t size;
    bool was_reset = false;

    for (;;) {
        size = recvmsg(fd, header, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (size != -1 || (errno != EINTR && (errno != ECONNRESET || was_reset)))
            return size;
        was_reset |= errno == ECONNRESET;
    }
}

static void collect_descriptors(struct msghdr *header, struct channel_packet *packet)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
        size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        assert(packet->count + count <= CHANNEL_MAX_DESCRIPTORS); /* `union control` has no room for more */
        memcpy(packet->fds + packet->count, CMSG_DATA(cmsg), count * sizeof(int));
        packet->count += count;
    }
}

static int receive_outcome(int error)
{
    switch (error) {
    case EAGAIN:
        return CHANNEL_AGAIN;
    case ECONNRESET:
        return CHANNEL_CLOSED;
    default:
        return -error;
    }
}

int channel_receive(int fd, struct channel_packet *packet)
{
    union control control;
    struct iovec iov = { .iov_base = packet->bytes, .iov_len = sizeof packet->bytes };
    struct msghdr header = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t size;
    int outcome = 0;

    packet->size = packet->count = 0;
    size = receive_packet(fd, &header, 0);
    if (size == -1)
        return receive_outcome(errno);
    collect_descriptors(&header, packet);
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        outcome = -EPROTO;
    else if (size == 0) /* an empty packet reads like the end and is taken for it */
        outcome = CHANNEL_CLOSED;
    if (outcome) {
        channel_packet_close(packet);
        return outcome;
    }
    packet->size = (size_t)size;
    return 0;
}

int channel_peek(int fd, struct channel_packet *packet)
{
    struct iovec iov = { .iov_base = packet->bytes, .iov_len = sizeof packet->bytes };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t size;

    packet->size = packet->count = 0;
    size = receive_packet(fd, &header, MSG_PEEK);
    if (size == -1)
        return receive_outcome(errno);
    if (header.msg_flags & MSG_TRUNC)
        return -EPROTO;
    if (size == 0)
        return CHANNEL_CLOSED;
    packet->size = (size_t)size;
    return 0;
}

void channel_packet_close(struct channel_packet *packet)
{
    for (size_t i = 0; i < packet->count; i++)
        if (packet->fds[i] != -1)
            close(packet->fds[i]);
    packet->size = packet->count = 0;
}
