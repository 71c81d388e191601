#include "supervisor/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/baton-listener-XXXXXX";

static struct config_listener listener_at(const char *text)
{
    static char texts[8][ADDRESS_TEXT_BYTES]; /* no test needs more at once */
    static unsigned next;
    char *canonical = texts[next++ % 8];
    struct config_listener listener = {
        .name = (char *)"web", .backlog = 16, .mode = 0660, .address_text = canonical
    };

    assert_null(address_parse(text, &listener.address));
    address_format(&listener.address, canonical);
    return listener;
}

static struct config_listener unix_listener(const char *name)
{
    char text[ADDRESS_TEXT_BYTES];

    snprintf(text, sizeof text, "unix:%s/%s", directory, name);
    return listener_at(text);
}

static const char *path_of(const struct config_listener *listener)
{
    return listener->address_text + strlen("unix:");
}

static int open_or_fail(const struct config_listener *listener)
{
    char *reason = NULL;
    int fd = -1;

    if (listener_open(listener, &fd, &reason))
        fail_msg("%s", reason);
    return fd;
}

/* The listener must be refused and the sentence must say `words`; nothing may be given out. */
static void assert_refused(const struct config_listener *listener, int error, const char *words)
{
    char *reason = NULL;
    int fd = -1;

    assert_int_equal(listener_open(listener, &fd, &reason), error);
    assert_int_equal(fd, -1);
    assert_non_null(reason);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    free(reason);
}

static int connect_to(const struct config_listener *listener)
{
    int fd = socket(listener->address.sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&listener->address.sockaddr, listener->address.length)) {
        close(fd);
        return -errno;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in in;
    socklen_t length = sizeof in;

    assert_return_code(getsockname(fd, (struct sockaddr *)&in, &length), errno);
    return ntohs(in.sin_port);
}

/* A listening socket on a port that the kernel picked. */
static int someone_on_free_port(uint16_t *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(bind(fd, (struct sockaddr *)&in, sizeof in), errno);
    assert_return_code(listen(fd, 1), errno);
    *port = port_of(fd);
    return fd;
}

static struct config_listener listener_on_free_port(const char *host)
{
    char text[ADDRESS_TEXT_BYTES];
    uint16_t port;

    close(someone_on_free_port(&port));
    snprintf(text, sizeof text, "%s:%u", host, port);
    return listener_at(text);
}

static void a_tcp_listener_accepts_and_is_as_it_should_be(void **state)
{
    struct config_listener listener = listener_on_free_port("127.0.0.1");
    int fd = open_or_fail(&listener);
    int client = connect_to(&listener);

    (void)state;
    assert_true(client >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK); /* as systemd gives them; who wants it sets it */
    assert_true(listener_matches(&listener, fd));
    close(client);
    close(fd);
}

static void an_address_in_use_names_who_uses_it(void **state)
{
    char text[ADDRESS_TEXT_BYTES], words[64];
    uint16_t port;
    int other = someone_on_free_port(&port);

    (void)state;
    snprintf(words, sizeof words, "used by test_listener (pid %d, user ", (int)getpid());
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    struct config_listener same = listener_at(text);
    assert_refused(&same, -EADDRINUSE, words);
    snprintf(text, sizeof text, "%u", port);
    struct config_listener wildcard = listener_at(text);
    assert_refused(&wildcard, -EADDRINUSE, words);
    snprintf(text, sizeof text, "[::]:%u", port);
    struct config_listener dual = listener_at(text);
    assert_refused(&dual, -EADDRINUSE, words);
    close(other);
}

static void v6only_decides_whether_ipv4_is_served_too(void **state)
{
    struct config_listener dual = listener_on_free_port("[::]");
    struct config_listener v4 = dual;
    int fd = open_or_fail(&dual);

    (void)state;
    v4.address.sockaddr = (struct sockaddr_storage){ 0 };
    *(struct sockaddr_in *)&v4.address.sockaddr =
        (struct sockaddr_in){ .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = ((struct sockaddr_in6 *)&dual.address.sockaddr)->sin6_port };
    v4.address.length = sizeof(struct sockaddr_in);
    int client = connect_to(&v4);
    assert_true(client >= 0);
    close(client);
    close(fd);

    struct config_listener only = dual;
    only.v6only = true;
    fd = open_or_fail(&only);
    assert_true(listener_matches(&only, fd));
    assert_false(listener_matches(&dual, fd));
    assert_int_equal(connect_to(&v4), -ECONNREFUSED);
    close(fd);
}

static void an_address_of_another_machine_is_refused(void **state)
{
    struct config_listener listener = listener_at("192.0.2.1:8080"); /* TEST-NET-1: nobody's */

    (void)state;
    assert_refused(&listener, -EADDRNOTAVAIL, "this machine has no such address");
}

static void a_low_port_without_privilege_says_what_is_needed(void **state)
{
    int status;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        struct config_listener listener = listener_at("127.0.0.1:1");
        char *reason = NULL;
        int fd;

        if (setgid(65534) || setuid(65534))
            _exit(2);
        int error = listener_open(&listener, &fd, &reason);
        _exit(error == -EACCES && reason && strstr(reason, "ports below 1024 need root") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_unix_listener_has_its_mode_owner_and_name(void **state)
{
    struct config_listener listener = unix_listener("mode.sock");
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    struct stat st;

    (void)state;
    listener.mode = 0604;
    if (geteuid() == 0) {
        listener.socket_user = (char *)"nobody";
        listener.socket_group = (char *)"65533";
    }
    mode_t before = umask(077); /* must not matter, and must stay */
    int fd = open_or_fail(&listener);
    assert_int_equal(umask(before), 077);
    assert_return_code(lstat(path_of(&listener), &st), errno);
    assert_int_equal(st.st_mode, S_IFSOCK | 0604);
    assert_int_equal(st.st_uid, geteuid() == 0 ? 65534 : geteuid());
    assert_int_equal(st.st_gid, geteuid() == 0 ? 65533 : getegid());
    assert_return_code(getsockname(fd, (struct sockaddr *)&name, &length), errno);
    assert_string_equal(name.sun_path, path_of(&listener));
    listener_unlink(&listener, fd);
    close(fd);
}

static void changed_permissions_are_applied_to_an_open_socket(void **state)
{
    struct config_listener listener = unix_listener("chmod.sock");
    char *reason = NULL;
    struct stat st;
    int fd = open_or_fail(&listener);

    (void)state;
    listener.mode = 0666;
    assert_int_equal(listener_set_permissions(&listener, fd, &reason), 0);
    assert_return_code(lstat(path_of(&listener), &st), errno);
    assert_int_equal(st.st_mode & 07777, 0666);
    unlink(path_of(&listener));
    assert_int_equal(listener_set_permissions(&listener, fd, &reason), -ESTALE);
    free(reason);
    close(fd);
}

static void unknown_owners_are_refused_before_anything_is_touched(void **state)
{
    struct config_listener listener = unix_listener("owner.sock");

    (void)state;
    listener.socket_user = (char *)"no-such-user";
    assert_refused(&listener, -ENOENT, "there is no user \"no-such-user\"");
    listener.socket_user = NULL;
    listener.socket_group = (char *)"12x";
    assert_refused(&listener, -ENOENT, "there is no group \"12x\"");
    assert_int_equal(access(path_of(&listener), F_OK), -1);
}

static void a_stale_unix_path_is_replaced(void **state)
{
    struct config_listener listener = unix_listener("stale.sock");

    (void)state;
    close(open_or_fail(&listener)); /* the path stays, nobody listens */
    int fd = open_or_fail(&listener);
    int client = connect_to(&listener);
    assert_true(client >= 0);
    close(client);
    listener_unlink(&listener, fd);
    close(fd);
}

static void a_unix_path_somebody_accepts_on_is_refused(void **state)
{
    struct config_listener listener = unix_listener("live.sock");
    char words[64];
    int other = open_or_fail(&listener);

    (void)state;
    snprintf(words, sizeof words, "used by test_listener (pid %d, user ", (int)getpid());
    assert_refused(&listener, -EADDRINUSE, words);
    int client = connect_to(&listener); /* and the other one still serves */
    assert_true(client >= 0);
    close(client);
    listener_unlink(&listener, other);
    close(other);
}

static void a_path_that_is_no_socket_is_left_alone(void **state)
{
    struct config_listener listener = unix_listener("file");
    int file = open(path_of(&listener), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_refused(&listener, -EEXIST, "is not a socket");
    assert_int_equal(access(path_of(&listener), F_OK), 0);
    unlink(path_of(&listener));
}

static void a_missing_directory_is_named(void **state)
{
    struct config_listener listener = unix_listener("missing/x.sock");

    (void)state;
    assert_refused(&listener, -ENOENT, "the directory does not exist");
}

static void only_our_own_path_is_removed_at_the_end(void **state)
{
    struct config_listener listener = unix_listener("end.sock");
    int ours = open_or_fail(&listener);

    (void)state;
    unlink(path_of(&listener));
    int theirs = open_or_fail(&listener); /* somebody took the name over */
    listener_unlink(&listener, ours);
    assert_int_equal(access(path_of(&listener), F_OK), 0);
    listener_unlink(&listener, theirs);
    assert_int_equal(access(path_of(&listener), F_OK), -1);
    close(ours);
    close(theirs);
}

static void only_the_wanted_socket_matches(void **state)
{
    struct config_listener tcp = listener_on_free_port("127.0.0.1"), unix_path = unix_listener("match.sock");
    int fd = open_or_fail(&tcp), path = open_or_fail(&unix_path);
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct config_listener other = tcp;

    (void)state;
    assert_true(listener_matches(&unix_path, path));
    assert_false(listener_matches(&tcp, path));
    assert_false(listener_matches(&unix_path, fd));
    assert_false(listener_matches(&tcp, bound)); /* not listening */
    assert_false(listener_matches(&tcp, null));
    assert_false(listener_matches(&tcp, -1));
    other.address.socktype = SOCK_DGRAM;
    assert_false(listener_matches(&other, fd));
    unlink(path_of(&unix_path)); /* a listener nobody can reach is none */
    assert_false(listener_matches(&unix_path, path));
    close(null);
    close(bound);
    close(path);
    close(fd);
}

static void the_backlog_can_change_while_it_listens(void **state)
{
    struct config_listener listener = unix_listener("backlog.sock");

    (void)state;
    listener.backlog = 0; /* room for one */
    int fd = open_or_fail(&listener);
    int first = connect_to(&listener);
    int second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const struct sockaddr *address = (const struct sockaddr *)&listener.address.sockaddr;
    assert_int_equal(connect(second, address, listener.address.length), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(listener_set_backlog(fd, 8), 0);
    assert_int_equal(connect(second, address, listener.address.length), 0);
    listener_unlink(&listener, fd);
    close(second);
    close(first);
    close(fd);
}

static void a_udp_listener_is_not_shared(void **state)
{
    struct config_listener listener = listener_on_free_port("udp:127.0.0.1");
    int fd = open_or_fail(&listener);

    (void)state;
    assert_true(listener_matches(&listener, fd));
    assert_refused(&listener, -EADDRINUSE, "used by test_listener");
    close(fd);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) /* fails when a test left something behind */
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_tcp_listener_accepts_and_is_as_it_should_be),
        GUARDED(an_address_in_use_names_who_uses_it),
        GUARDED(v6only_decides_whether_ipv4_is_served_too),
        GUARDED(an_address_of_another_machine_is_refused),
        GUARDED(a_low_port_without_privilege_says_what_is_needed),
        GUARDED(a_unix_listener_has_its_mode_owner_and_name),
        GUARDED(changed_permissions_are_applied_to_an_open_socket),
        GUARDED(unknown_owners_are_refused_before_anything_is_touched),
        GUARDED(a_stale_unix_path_is_replaced),
        GUARDED(a_unix_path_somebody_accepts_on_is_refused),
        GUARDED(a_path_that_is_no_socket_is_left_alone),
        GUARDED(a_missing_directory_is_named),
        GUARDED(only_our_own_path_is_removed_at_the_end),
        GUARDED(only_the_wanted_socket_matches),
        GUARDED(the_backlog_can_change_while_it_listens),
        GUARDED(a_udp_listener_is_not_shared),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
