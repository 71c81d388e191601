#include "supervisor/net/socket_owner.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One row of /proc/net/{tcp,udp}{,6}. */
struct row {
    struct address address;
    unsigned long inode;
    uid_t uid;
};

/* /proc prints an address as native 32-bit words, so the bytes come back by reading words. */
static bool read_address(const char *hex, unsigned port, int family, struct address *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&out->sockaddr;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sockaddr;
    uint32_t word[4];

    if (family == AF_INET) {
        if (sscanf(hex, "%8x", &word[0]) != 1)
            return false;
        in->sin_addr.s_addr = word[0];
        in->sin_port = htons((uint16_t)port);
        out->length = sizeof *in;
    } else {
        if (sscanf(hex, "%8x%8x%8x%8x", &word[0], &word[1], &word[2], &word[3]) != 4)
            return false;
        memcpy(&in6->sin6_addr, word, sizeof word);
        in6->sin6_port = htons((uint16_t)port);
        out->length = sizeof *in6;
    }
    out->sockaddr.ss_family = (sa_family_t)family;
    return true;
}

static bool read_row(const char *line, int family, int socktype, struct row *out)
{
    char hex[33];
    unsigned port, uid;

    memset(out, 0, sizeof *out);
    out->address.socktype = socktype;
    if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %*s %*s %*s %*s %u %*u %lu", hex, &port, &uid, &out->inode) !=
        4)
        return false;
    out->uid = uid;
    return read_address(hex, port, family, &out->address);
}

/* The first row that overlaps. Listening sockets come first in these files, so a server is found at once. */
static bool find_row(const char *path, int family, const struct address *wanted, struct row *out)
{
    FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;

    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = read_row(line, family, wanted->socktype, out) &&
                address_overlaps(&out->address, false, wanted, false);
    fclose(file);
    return found;
}

static bool holds_inode(pid_t pid, unsigned long inode)
{
    char path[64], wanted[64], target[64];
    struct dirent *entry;
    bool found = false;

    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *descriptors = opendir(path);
    if (!descriptors)
        return false;
    while (!found && (entry = readdir(descriptors))) {
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        found = !strcmp(target, wanted);
    }
    closedir(descriptors);
    return found;
}

static pid_t find_holder(unsigned long inode)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    pid_t pid = 0;

    if (!processes || inode == 0)
        goto out;
    while (pid == 0 && (entry = readdir(processes))) {
        pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);
        if (candidate > 0 && holds_inode(candidate, inode))
            pid = candidate;
    }
out:
    if (processes)
        closedir(processes);
    return pid;
}

static void describe(pid_t pid, uid_t uid, struct socket_owner *out)
{
    char path[64];

    *out = (struct socket_owner){ .uid = uid };
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return;
    if (fgets(out->command, sizeof out->command, file)) {
        out->command[strcspn(out->command, "\n")] = '\0';
        out->pid = pid;
    }
    fclose(file);
}

int socket_owner_find(const struct address *address, struct socket_owner *out)
{
    bool udp = address->socktype == SOCK_DGRAM;
    struct row row;

    if (address->sockaddr.ss_family == AF_UNIX)
        return -ENOENT;
    if (!find_row(udp ? "/proc/net/udp" : "/proc/net/tcp", AF_INET, address, &row) &&
        !find_row(udp ? "/proc/net/udp6" : "/proc/net/tcp6", AF_INET6, address, &row))
        return -ENOENT;
    describe(find_holder(row.inode), row.uid, out);
    return 0;
}

int socket_owner_of_peer(int fd, struct socket_owner *out)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
        return -errno;
    describe(peer.pid, peer.uid, out);
    return 0;
}

void socket_owner_text(const struct socket_owner *owner, char text[SOCKET_OWNER_TEXT_BYTES])
{
    const struct passwd *account = getpwuid(owner->uid);
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned)owner->uid);
    const char *user = account ? account->pw_name : number;
    if (owner->pid)
        snprintf(text, SOCKET_OWNER_TEXT_BYTES, "%s (pid %d, user %.64s)", owner->command, (int)owner->pid,
                 user);
    else
        snprintf(text, SOCKET_OWNER_TEXT_BYTES, "a process of user %.64s", user);
}
