#include "supervisor/core/config_rules.h"

#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

#define SERVICE "[service s]\ncommand = x\n"

static void overlapping_addresses_name_both_lines(void **state)
{
    (void)state;
    assert_refused("[listener a]\naddress = 80\n[listener b]\naddress = 0.0.0.0:80\n" SERVICE
                   "listen = a b\n",
                   "x.ini:4: address: 0.0.0.0:80 is also the address of [listener a] (line 1)\n");
    assert_refused("[listener a]\naddress = 80\n[listener b]\naddress = 127.0.0.1:80\n" SERVICE
                   "listen = a b\n",
                   "x.ini:4: address: 127.0.0.1:80 and 0.0.0.0:80 of [listener a] (line 1) overlap\n");
    assert_refused(
        "[listener a]\naddress = 80\n[listener b]\naddress = [::]:80\n" SERVICE "listen = a b\n",
        "x.ini:4: address: [::]:80 and 0.0.0.0:80 of [listener a] (line 1) overlap: [listener b] also "
        "listens on IPv4; add v6only = yes to it\n");
    assert_refused(
        "[listener a]\naddress = [::]:80\n[listener b]\naddress = 80\n" SERVICE "listen = a b\n",
        "x.ini:4: address: 0.0.0.0:80 and [::]:80 of [listener a] (line 1) overlap: [listener a] also "
        "listens on IPv4; add v6only = yes to it\n");
}

static void overlaps_in_other_files_are_named(void **state)
{
    static const struct memory_file files[] = {
        { "/e/main.ini", "[baton]\ninclude = b.ini\n[listener a]\naddress = 80\n" SERVICE "listen = a\n" },
        { "/e/b.ini", "[listener b]\naddress = 80\n[service t]\ncommand = x\nlisten = b a\n" },
        { NULL, NULL },
    };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(parse_files(files, &config, &errors), -EINVAL);
    assert_errors(
        &errors,
        "/e/b.ini:2: address: 0.0.0.0:80 is also the address of [listener a] (/e/main.ini, line 3)\n"
        "/e/b.ini:5: listen: [listener a] belongs to [service s] (/e/main.ini, line 5); a listener belongs "
        "to one service\n");
}

static void addresses_beside_each_other_are_fine(void **state)
{
    (void)state;
    config_free(parse_right("[listener a]\naddress = 80\n[listener b]\naddress = [::]:80\nv6only = yes\n"
                            "[listener c]\naddress = udp:80\n[listener d]\naddress = 81\n"
                            "[listener e]\naddress = unix:/run/x\n" SERVICE "listen = a b c d e\n"));
}

static void a_listener_belongs_to_one_service(void **state)
{
    (void)state;
    assert_refused(
        "[listener a]\naddress = 80\n" SERVICE "listen = a\n[service t]\ncommand = x\nlisten = a\n",
        "x.ini:8: listen: [listener a] belongs to [service s] (line 3); a listener belongs to one service\n");
    assert_refused("[listener a]\naddress = 80\n" SERVICE "listen = a a\n",
                   "x.ini:5: listen: \"a a\": a is named twice; allowed: names of listeners\n");
}

static void an_unknown_listener_is_spelled(void **state)
{
    (void)state;
    assert_refused("[listener web]\naddress = 80\n[service t]\ncommand = x\nlisten = web\n" SERVICE
                   "listen = wbe zzz\n",
                   "x.ini:8: listen: there is no [listener wbe]; did you mean web?\n"
                   "x.ini:8: listen: there is no [listener zzz]\n");
}

static void an_unused_listener_is_refused(void **state)
{
    (void)state;
    assert_refused("[listener web]\naddress = 80\n" SERVICE,
                   "x.ini:1: [listener web] is used by no service; add listen = web to one, or remove it\n");
}

/* One mistake must not be told as two. */
static void nothing_is_missed_that_could_not_be_read(void **state)
{
    (void)state;
    assert_refused(
        "[listener a b]\naddress = 80\n" SERVICE "listen = ab\n",
        "x.ini:1: [listener a b]: a name is a letter or digit, then letters, digits, '.', '_' and '-', at "
        "most 63 in all\n");
    assert_refused("[listner a]\naddress = 80\n" SERVICE "listen = a\n",
                   "x.ini:1: [listner a]: unknown section; did you mean listener?\n");
    assert_refused("[listener a]\naddress = 80\n" SERVICE "listen = 'a\n",
                   "x.ini:5: listen: \"'a\": a ' is not closed; allowed: names of listeners\n");
}

static void keys_fit_the_address(void **state)
{
    (void)state;
    assert_refused("[listener a]\naddress = 80\nv6only = no\nmode = 0600\nsocket_user = x\n" SERVICE
                   "listen = a\n",
                   "x.ini:3: v6only: only for IPv6 addresses, not for 0.0.0.0:80\n"
                   "x.ini:4: mode: only for unix: addresses, not for 0.0.0.0:80\n"
                   "x.ini:5: socket_user: only for unix: addresses, not for 0.0.0.0:80\n");
    assert_refused("[listener a]\naddress = udp:80\nbacklog = 5\n" SERVICE "listen = a\n",
                   "x.ini:3: backlog: not for udp: addresses, not for udp:0.0.0.0:80\n");
    assert_refused("[listener a]\naddress = nonsense\nmode = 0600\n" SERVICE "listen = a\n",
                   "x.ini:2: address: \"nonsense\": a port is a number from 1 to 65535\n");
}

static void a_check_ends_before_its_timeout(void **state)
{
    (void)state;
    assert_refused(SERVICE "ready = alive:30s\n",
                   "x.ini:3: ready: alive:30s is never reached: ready_timeout is 30s\n");
    config_free(parse_right(SERVICE "ready = alive:30s\nready_timeout = 31s\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(overlapping_addresses_name_both_lines),    GUARDED(overlaps_in_other_files_are_named),
        GUARDED(addresses_beside_each_other_are_fine),     GUARDED(a_listener_belongs_to_one_service),
        GUARDED(an_unknown_listener_is_spelled),           GUARDED(an_unused_listener_is_refused),
        GUARDED(nothing_is_missed_that_could_not_be_read), GUARDED(keys_fit_the_address),
        GUARDED(a_check_ends_before_its_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
