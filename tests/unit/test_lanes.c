#include "supervisor/net/lanes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* A listener on a port of 127.0.0.1 that is free now. */
static struct config_listener make_listener(char *name, char text[ADDRESS_TEXT_BYTES])
{
    struct config_listener listener = { .name = name, .backlog = 16, .mode = 0666, .address_text = text };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    close(fd);
    snprintf(text, ADDRESS_TEXT_BYTES, "127.0.0.1:%u", ntohs(in.sin_port));
    assert_null(address_parse(text, &listener.address));
    return listener;
}

static struct lane *acquire(struct lanes *lanes, const struct config_listener *listener)
{
    struct lane *lane = NULL;
    char *reason = NULL;

    if (lanes_acquire(lanes, listener, &lane, &reason) != 0)
        fail_msg("%s", reason ? reason : "?");
    return lane;
}

/* A connection to the listener's address; -1: refused. */
static int reach(const struct config_listener *listener)
{
    int fd = socket(listener->address.sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&listener->address.sockaddr, listener->address.length) == 0)
        return fd;
    close(fd);
    return -1;
}

static void generations_share_a_socket_until_the_last_one_lets_go(void **state)
{
    char text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = make_listener((char[]){ "web" }, text);
    struct lanes lanes = { 0 };
    uint64_t serial = 0;

    (void)state;
    struct lane *first = acquire(&lanes, &listener), *second = acquire(&lanes, &listener);
    assert_ptr_equal(first, second);
    first->serial = 7;
    assert_false(lanes_release(&lanes, first, &serial));
    int client = reach(&listener);
    assert_true(client >= 0); /* what one lets go, the other still serves */
    close(client);
    assert_true(lanes_release(&lanes, second, &serial));
    assert_int_equal(serial, 7);
    assert_null(lanes.first);
    assert_int_equal(reach(&listener), -1);
}

static void a_renamed_listener_keeps_its_socket_and_a_new_backlog_is_applied(void **state)
{
    char text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = make_listener((char[]){ "web" }, text);
    struct lanes lanes = { 0 };
    struct tcp_info info;
    socklen_t length = sizeof info;
    uint64_t serial;

    (void)state;
    struct lane *lane = acquire(&lanes, &listener);
    listener.name = (char[]){ "www" };
    listener.backlog = 99;
    assert_ptr_equal(acquire(&lanes, &listener), lane);
    assert_int_equal(getsockopt(lane->fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
    assert_int_equal(info.tcpi_sacked, 99); /* of a listening socket: its backlog */
    lanes_release(&lanes, lane, &serial);
    lanes_release(&lanes, lane, &serial);
}

static void an_address_in_use_is_refused_and_nothing_is_kept(void **state)
{
    char text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = make_listener((char[]){ "web" }, text);
    struct lanes mine = { 0 }, theirs = { 0 };
    struct lane *lane;
    char *reason = NULL;
    uint64_t serial;

    (void)state;
    struct lane *taken = acquire(&theirs, &listener);
    assert_true(lanes_acquire(&mine, &listener, &lane, &reason) < 0);
    assert_non_null(strstr(reason, text));
    free(reason);
    assert_null(mine.first);
    lanes_release(&theirs, taken, &serial);
}

static void a_socket_from_the_vault_is_used_again_and_a_wrong_one_is_not(void **state)
{
    char text[ADDRESS_TEXT_BYTES], other_text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = make_listener((char[]){ "web" }, text);
    struct config_listener other = make_listener((char[]){ "other" }, other_text);
    struct lanes before = { 0 }, after = { 0 };
    uint64_t serial = 0;

    (void)state;
    struct lane *lane = acquire(&before, &listener);
    assert_null(lanes_restore(&after, &other, fcntl(lane->fd, F_DUPFD_CLOEXEC, 3), 5));
    struct lane *restored = lanes_restore(&after, &listener, fcntl(lane->fd, F_DUPFD_CLOEXEC, 3), 5);
    assert_non_null(restored);
    lanes_release(&before, lane, &serial);
    assert_int_equal(restored->users, 0);
    assert_ptr_equal(acquire(&after, &listener), restored);
    int client = reach(&listener);
    assert_true(client >= 0);
    close(client);
    assert_true(lanes_release(&after, restored, &serial));
    assert_int_equal(serial, 5);
}

static void a_spare_socket_is_used_instead_of_binding_its_address_again(void **state)
{
    char text[ADDRESS_TEXT_BYTES], other_text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = make_listener((char[]){ "web" }, text);
    struct config_listener other = make_listener((char[]){ "other" }, other_text);
    struct lanes before = { 0 }, after = { 0 };
    uint64_t serial = 0;

    (void)state;
    struct lane *made = acquire(&before, &listener), *unwanted = acquire(&before, &other);
    lanes_add_spare(&after, fcntl(made->fd, F_DUPFD_CLOEXEC, 3), 8);
    lanes_add_spare(&after, fcntl(unwanted->fd, F_DUPFD_CLOEXEC, 3), 9);
    struct lane *lane = acquire(&after, &listener); /* bound still: a second bind would be refused */
    assert_int_equal(lane->serial, 8);
    assert_true(lanes_drop_spare(&after, &serial));
    assert_int_equal(serial, 9);
    assert_false(lanes_drop_spare(&after, &serial));
    lanes_release(&before, made, &serial);
    lanes_release(&before, unwanted, &serial);
    lanes_release(&after, lane, &serial);
}

static void the_path_of_a_unix_listener_goes_with_its_last_user(void **state)
{
    char directory[] = "/tmp/test_lanes.XXXXXX", text[ADDRESS_TEXT_BYTES];
    struct config_listener listener = {
        .name = (char[]){ "app" }, .backlog = 16, .mode = 0600, .address_text = text
    };
    struct lanes lanes = { 0 };
    struct stat status;
    uint64_t serial;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(text, sizeof text, "unix:%s/app.sock", directory);
    assert_null(address_parse(text, &listener.address));
    struct lane *lane = acquire(&lanes, &listener);
    acquire(&lanes, &listener);
    lanes_release(&lanes, lane, &serial);
    assert_int_equal(stat(text + 5, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    lanes_release(&lanes, lane, &serial);
    assert_int_equal(stat(text + 5, &status), -1);
    assert_int_equal(rmdir(directory), 0); /* no temporary name is left over */
}

static void told(void *arg)
{
    ++*(int *)arg;
}

static void a_quiesce_is_answered_once(void **state)
{
    struct lanes lanes = { 0 };
    int calls = 0;

    (void)state;
    lanes_quiesce(&lanes, told, &calls);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(generations_share_a_socket_until_the_last_one_lets_go),
        GUARDED(a_renamed_listener_keeps_its_socket_and_a_new_backlog_is_applied),
        GUARDED(an_address_in_use_is_refused_and_nothing_is_kept),
        GUARDED(a_socket_from_the_vault_is_used_again_and_a_wrong_one_is_not),
        GUARDED(a_spare_socket_is_used_instead_of_binding_its_address_again),
        GUARDED(the_path_of_a_unix_listener_goes_with_its_last_user),
        GUARDED(a_quiesce_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
