#include "supervisor/net/unix_path.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

union answer {
    struct nlmsghdr header;
    char bytes[4096];
};

/* Ask for the one socket whose inode in sockfs is `inode`. The kernel answers within send(). */
static bool ask(uint32_t inode, union answer *answer)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } question = {
        .header = { .nlmsg_len = sizeof question,
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST },
        .request = { .sdiag_family = AF_UNIX,
                     .udiag_states = UINT32_MAX,
                     .udiag_ino = inode,
                     .udiag_show = UDIAG_SHOW_VFS,
                     .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
    };
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    ssize_t length = -1;

    if (netlink < 0)
        return false;
    if (send(netlink, &question, sizeof question, 0) == sizeof question)
        length = recv(netlink, answer, sizeof *answer, MSG_DONTWAIT);
    close(netlink);
    return length > 0 && NLMSG_OK(&answer->header, (uint32_t)length) &&
           answer->header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}

static const struct unix_diag_vfs *find_file(union answer *answer)
{
    struct unix_diag_msg *message = NLMSG_DATA(&answer->header);
    struct rtattr *attribute = (struct rtattr *)(message + 1);
    int left = (int)answer->header.nlmsg_len - NLMSG_LENGTH((int)sizeof *message);

    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == UNIX_DIAG_VFS)
            return RTA_DATA(attribute);
    }
    return NULL;
}

bool unix_path_leads_to(const char *path, int fd)
{
    struct stat ours, there;
    union answer answer;

    if (fstat(fd, &ours) || lstat(path, &there) || !S_ISSOCK(there.st_mode) ||
        !ask((uint32_t)ours.st_ino, &answer))
        return false;
    const struct unix_diag_vfs *file = find_file(&answer);
    /* The kernel's own device number (20 bits of minor), the inode's low 32 bits. */
    return file && file->udiag_vfs_ino == (uint32_t)there.st_ino &&
           file->udiag_vfs_dev >> 20 == major(there.st_dev) &&
           (file->udiag_vfs_dev & 0xfffff) == minor(there.st_dev);
}
