#include "supervisor/process/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DESCENT_MAX = 64, PASSED_FDS_MAX = 253 }; /* SCM_MAX_FD of the kernel */

static const char prefix[] = "baton/";

int notify_open(struct notify *notify)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    uint64_t random[2];
    int on = 1;

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return -errno;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1,
                          "%s%016" PRIx64 "%016" PRIx64 "/notify", prefix, random[0], random[1]);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) ||
        bind(fd, (const struct sockaddr *)&address, bytes)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return notify_attach(notify, fd);
}

int notify_attach(struct notify *notify, int fd)
{
    struct sockaddr_un address = { 0 };
    socklen_t bytes = sizeof address;
    int type = 0;
    socklen_t type_bytes = sizeof type;

    if (getsockname(fd, (struct sockaddr *)&address, &bytes) ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes))
        goto fail;
    size_t length = bytes - offsetof(struct sockaddr_un, sun_path);
    if (address.sun_family != AF_UNIX || type != SOCK_DGRAM || bytes > sizeof address ||
        length < sizeof prefix + 1 || length >= NOTIFY_ADDRESS_BYTES || address.sun_path[0] != '\0' ||
        memcmp(address.sun_path + 1, prefix, sizeof prefix - 1))
        goto fail;
    notify->fd = fd;
    memcpy(notify->address, address.sun_path, length);
    notify->address[0] = '@';
    notify->address[length] = '\0';
    return 0;
fail:
    if (fd >= 0)
        close(fd);
    return -EINVAL;
}

/* The parent of `pid`, 0 when it is gone. The name in /proc/PID/stat may hold anything: look behind its last
 * ')'. */
static pid_t parent_of(pid_t pid)
{
    char path[32], stat[512];
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[length] = '\0';
    const char *end = strrchr(stat, ')');
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static bool belongs_to(pid_t sender, pid_t worker)
{
    pid_t session = getsid(sender);

    if (session == worker || (session < 0 && errno == ESRCH))
        return true;
    for (int i = 0; i < DESCENT_MAX && sender > 1; i++) {
        sender = parent_of(sender);
        if (sender == worker)
            return true;
    }
    return false;
}

static bool is_believed(const struct ucred *sender, pid_t worker, uid_t uid)
{
    if (sender->pid <= 0)
        return false;
    if (sender->pid == worker)
        return true;
    return (sender->uid == uid || sender->uid == 0) && belongs_to(sender->pid, worker);
}

/* Peeking gave us duplicates of the descriptors; the originals go when the datagram is taken. */
static void close_passed(const struct cmsghdr *cmsg)
{
    size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fd;

    for (size_t i = 0; i < count; i++) {
        memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
        close(fd);
    }
}

static struct ucred read_control(struct msghdr *header)
{
    struct ucred sender = { 0 };

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET)
            continue;
        if (cmsg->cmsg_type == SCM_RIGHTS)
            close_passed(cmsg);
        else if (cmsg->cmsg_type == SCM_CREDENTIALS && cmsg->cmsg_len == CMSG_LEN(sizeof sender))
            memcpy(&sender, CMSG_DATA(cmsg), sizeof sender);
    }
    return sender;
}

int notify_peek(const struct notify *notify, pid_t worker, uid_t uid, struct notify_message *out)
{
    char bytes[NOTIFY_DATAGRAM_MAX];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(PASSED_FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr header = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t length;

    do {
        length = recvmsg(notify->fd, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == EAGAIN ? NOTIFY_NOTHING : -errno;
    struct ucred sender = read_control(&header);
    int outcome = notify_parse(bytes, (size_t)length, out);
    out->sender = sender.pid;
    if (!is_believed(&sender, worker, uid))
        return NOTIFY_STRANGER;
    return header.msg_flags & MSG_TRUNC ? NOTIFY_MALFORMED : outcome;
}

void notify_take(const struct notify *notify)
{
    while (recv(notify->fd, NULL, 0, MSG_DONTWAIT) < 0 && errno == EINTR)
        ;
}

static bool parse_number(const char *text, int smallest, int *out)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < smallest || value > INT_MAX)
        return false;
    *out = (int)value;
    return true;
}

/* One line, NUL-terminated. */
static int parse_line(const char *line, struct notify_message *out)
{
    if (!strcmp(line, "READY=1")) {
        out->ready = true;
    } else if (!strcmp(line, "RELOADING=1")) {
        out->reloading = true;
    } else if (!strcmp(line, "STOPPING=1")) {
        out->stopping = true;
    } else if (!strcmp(line, "WATCHDOG=1")) {
        out->watchdog = true;
    } else if (!strncmp(line, "STATUS=", 7)) {
        out->has_status = true;
        text_clean(out->status, line + 7);
    } else if (!strncmp(line, "MAINPID=", 8)) {
        out->has_main_pid = parse_number(line + 8, 1, &out->main_pid);
        return out->has_main_pid ? 0 : NOTIFY_MALFORMED;
    } else if (!strncmp(line, "ERRNO=", 6)) {
        return parse_number(line + 6, 0, &out->error_number) ? 0 : NOTIFY_MALFORMED;
    }
    return 0;
}

int notify_parse(const char *bytes, size_t length, struct notify_message *out)
{
    char text[NOTIFY_DATAGRAM_MAX + 1], *rest = text, *line;
    int outcome = 0;

    memset(out, 0, sizeof *out);
    if (length == 0 || length >= sizeof text || memchr(bytes, '\0', length))
        return NOTIFY_MALFORMED;
    memcpy(text, bytes, length);
    text[length] = '\0';
    while (outcome == 0 && (line = strsep(&rest, "\n")))
        outcome = parse_line(line, out);
    return outcome;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}
