#include "supervisor/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"
#include "supervisor/net/socket_owner.h"
#include "supervisor/net/unix_path.h"

/* Who shall own a UNIX path; -1: as created. */
struct owner {
    uid_t uid;
    gid_t gid;
};

static bool is_unix(const struct config_listener *listener)
{
    return listener->address.sockaddr.ss_family == AF_UNIX;
}

static const char *path_of(const struct config_listener *listener)
{
    return ((const struct sockaddr_un *)&listener->address.sockaddr)->sun_path;
}

/* An account's number: by name, else as digits. */
static bool parse_id(const char *text, unsigned *id)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value >= UINT32_MAX)
        return false;
    *id = (unsigned)value;
    return true;
}

static int resolve_owner(const struct config_listener *listener, struct owner *out, char **reason)
{
    const struct passwd *user = listener->socket_user ? getpwnam(listener->socket_user) : NULL;
    const struct group *group = listener->socket_group ? getgrnam(listener->socket_group) : NULL;

    *out = (struct owner){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
    if (user)
        out->uid = user->pw_uid;
    else if (listener->socket_user && !parse_id(listener->socket_user, &out->uid))
        return sentence(reason, -ENOENT, "cannot listen on %s: there is no user \"%s\"",
                        listener->address_text, listener->socket_user);
    if (group)
        out->gid = group->gr_gid;
    else if (listener->socket_group && !parse_id(listener->socket_group, &out->gid))
        return sentence(reason, -ENOENT, "cannot listen on %s: there is no group \"%s\"",
                        listener->address_text, listener->socket_group);
    return 0;
}

/* Through a descriptor of the path itself: nobody who may write to the directory can put a link in between.
 */
static int apply_permissions(const struct config_listener *listener, const struct owner *owner, char **reason)
{
    char self[64];
    struct stat st;
    int error = 0;
    int fd = open(path_of(listener), O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return sentence(reason, -errno, "%s: %s", path_of(listener), strerror(errno));
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (fstat(fd, &st))
        error = -errno;
    else if (!S_ISSOCK(st.st_mode))
        error = -ENOTSOCK;
    else if (owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1)
        error = fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) ? -errno : 0;
    if (error == 0 && (st.st_mode & 07777) != listener->mode)
        error = chmod(self, listener->mode) ? -errno : 0;
    close(fd);
    return error ? sentence(reason, error, "cannot set the owner and mode of %s: %s", path_of(listener),
                            strerror(-error))
                 : 0;
}

/* Whether the path is what a dead process left: a socket nobody listens on. Otherwise the sentence says what
 * it is.
 */
static int check_stale(const struct config_listener *listener, char **reason)
{
    const char *address = listener->address_text;
    struct socket_owner owner;
    char who[SOCKET_OWNER_TEXT_BYTES] = "another process";
    struct stat st;
    int error = 0;

    if (lstat(path_of(listener), &st))
        return errno == ENOENT
                   ? 0
                   : sentence(reason, -errno, "cannot listen on %s: %s", address, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return sentence(reason, -EEXIST, "cannot listen on %s: the path exists and is not a socket", address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sentence(reason, -errno, "cannot listen on %s: %s", address, strerror(errno));
    if (connect(fd, (const struct sockaddr *)&listener->address.sockaddr, listener->address.length))
        error = errno;
    if (error == 0 && socket_owner_of_peer(fd, &owner) == 0)
        socket_owner_text(&owner, who);
    close(fd);
    if (error == ECONNREFUSED)
        return 0;
    if (error && error != EAGAIN && error != EPROTOTYPE) /* a full queue, a socket of another type: alive */
        return sentence(reason, -error, "cannot listen on %s: %s", address, strerror(error));
    return sentence(reason, -EADDRINUSE, "cannot listen on %s: used by %s", address, who);
}

/* A socket file is created with the socket's mode less the umask. */
static int bind_unix(const struct config_listener *listener, int fd)
{
    int error = fchmod(fd, listener->mode) ? -errno : 0;
    mode_t before = umask(0);

    if (error == 0 &&
        bind(fd, (const struct sockaddr *)&listener->address.sockaddr, listener->address.length))
        error = -errno;
    umask(before);
    return error;
}

static int bind_failure(const struct config_listener *listener, int error, char **reason)
{
    const char *address = listener->address_text;
    char who[SOCKET_OWNER_TEXT_BYTES];
    struct socket_owner owner;

    if (error == -EADDRINUSE && socket_owner_find(&listener->address, &owner) == 0) {
        socket_owner_text(&owner, who);
        return sentence(reason, error, "cannot listen on %s: used by %s", address, who);
    }
    if (error == -EACCES && !is_unix(listener))
        return sentence(
            reason, error,
            "cannot listen on %s: permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE",
            address);
    if (error == -EADDRNOTAVAIL)
        return sentence(reason, error, "cannot listen on %s: this machine has no such address", address);
    if (error == -EAFNOSUPPORT)
        return sentence(reason, error, "cannot listen on %s: this machine has no IPv6", address);
    if (error == -ENOENT)
        return sentence(reason, error, "cannot listen on %s: the directory does not exist", address);
    return sentence(reason, error, "cannot listen on %s: %s", address, strerror(-error));
}

static int open_unix(const struct config_listener *listener, int fd, char **reason)
{
    struct owner owner;
    int error = resolve_owner(listener, &owner, reason);

    if (error)
        return error;
    error = bind_unix(listener, fd);
    if (error == -EADDRINUSE) {
        error = check_stale(listener, reason);
        if (error)
            return error;
        unlink(path_of(listener)); /* if that fails, bind says why */
        error = bind_unix(listener, fd);
    }
    if (error)
        return bind_failure(listener, error, reason);
    error = apply_permissions(listener, &owner, reason);
    if (error == 0 && listen(fd, (int)listener->backlog))
        error = bind_failure(listener, -errno, reason);
    if (error)
        unlink(path_of(listener));
    return error;
}

static int open_inet(const struct config_listener *listener, int fd, char **reason)
{
    const struct address *address = &listener->address;
    int on = 1, v6only = listener->v6only;

    if (address->sockaddr.ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only))
        return bind_failure(listener, -errno, reason);
    /* For TCP it only forgives TIME_WAIT; for UDP it would let anybody share the address. */
    if (address->socktype == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return bind_failure(listener, -errno, reason);
    if (bind(fd, (const struct sockaddr *)&address->sockaddr, address->length))
        return bind_failure(listener, -errno, reason);
    if (address->socktype == SOCK_STREAM && listen(fd, (int)listener->backlog))
        return bind_failure(listener, -errno, reason);
    return 0;
}

int listener_open(const struct config_listener *listener, int *fd, char **reason)
{
    int type = listener->address.socktype | SOCK_CLOEXEC;
    int opened = socket(listener->address.sockaddr.ss_family, type, 0);

    if (opened < 0)
        return bind_failure(listener, -errno, reason);
    int error = is_unix(listener) ? open_unix(listener, opened, reason) : open_inet(listener, opened, reason);
    if (error) {
        close(opened);
        return error;
    }
    *fd = opened;
    return 0;
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;

    return getsockopt(fd, level, name, &value, &length) ? -1 : value;
}

static bool same_address(const struct config_listener *listener, int fd)
{
    struct address bound = { .length = sizeof bound.sockaddr, .socktype = listener->address.socktype };
    struct stat st;

    if (getsockname(fd, (struct sockaddr *)&bound.sockaddr, &bound.length))
        return false;
    if (!is_unix(listener))
        return address_equal(&bound, &listener->address);
    return !strcmp(((const struct sockaddr_un *)&bound.sockaddr)->sun_path, path_of(listener)) &&
           !lstat(path_of(listener), &st) && S_ISSOCK(st.st_mode);
}

bool listener_matches(const struct config_listener *listener, int fd)
{
    int family = listener->address.sockaddr.ss_family;
    bool stream = listener->address.socktype == SOCK_STREAM;

    if (option_of(fd, SOL_SOCKET, SO_DOMAIN) != family ||
        option_of(fd, SOL_SOCKET, SO_TYPE) != listener->address.socktype ||
        option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) != stream)
        return false;
    if (family == AF_INET6 && option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) != listener->v6only)
        return false;
    return same_address(listener, fd);
}

int listener_set_backlog(int fd, uint32_t backlog)
{
    return listen(fd, (int)backlog) ? -errno : 0;
}

int listener_set_permissions(const struct config_listener *listener, int fd, char **reason)
{
    struct owner owner;

    if (!is_unix(listener))
        return 0;
    if (!unix_path_leads_to(path_of(listener), fd))
        return sentence(reason, -ESTALE, "%s no longer leads to our socket", path_of(listener));
    int error = resolve_owner(listener, &owner, reason);
    return error ? error : apply_permissions(listener, &owner, reason);
}

void listener_unlink(const struct config_listener *listener, int fd)
{
    if (is_unix(listener) && unix_path_leads_to(path_of(listener), fd))
        unlink(path_of(listener));
}
