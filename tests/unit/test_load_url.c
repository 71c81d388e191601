#include "tests/bench/load_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "tests/unit/unit.h"

static struct load_server parsed(const char *url, const char *wanted_path)
{
    struct load_server server;
    const char *path;
    const char *wrong = load_url_parse(url, &server, &path);

    if (wrong)
        fail_msg("%s: %s", url, wrong);
    if (wanted_path)
        assert_string_equal(path, wanted_path);
    else
        assert_null(path);
    return server;
}

static void addresses_and_paths_are_taken_apart(void **state)
{
    struct load_server server = parsed("http://127.0.0.2:8080/a/b?c", "/a/b?c");
    const struct sockaddr_in *in = (const struct sockaddr_in *)&server.address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&server.address;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&server.address;

    (void)state;
    assert_int_equal(ntohl(in->sin_addr.s_addr), 0x7f000002);
    assert_int_equal(ntohs(in->sin_port), 8080);
    assert_string_equal(server.host, "127.0.0.2:8080");

    server = parsed("http://[::1]:65535", NULL);
    assert_true(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
    assert_int_equal(ntohs(in6->sin6_port), 65535);
    assert_string_equal(server.host, "[::1]:65535");

    server = parsed("unix:/run/a:b.sock:/x", "/x");
    assert_string_equal(un->sun_path, "/run/a:b.sock");
    assert_string_equal(server.host, "localhost");
    server = parsed("unix:/run/app.sock", NULL);
    assert_string_equal(un->sun_path, "/run/app.sock");
}

static void what_is_no_url_is_refused_and_touches_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "8080",
        "https://127.0.0.1:1/",
        "http://",
        "http:///",
        "http://127.0.0.1/",
        "http://127.0.0.1:/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:8x/",
        "http://example.org:80/",
        "http://[::1]/",
        "http://[::1]:",
        "http://[::1",
        "http://[::1]8080/",
        "http://[zz]:1/",
        "http://::1:80/",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/\r\n",
        "http://127.0.0.1:1/#x",
        "unix:",
        "unix:app.sock",
        "unix:/a:/b c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct load_server server, untouched;
        const char *path = "untouched";

        memset(&server, 0xa5, sizeof server);
        untouched = server;
        if (!load_url_parse(bad[i], &server, &path))
            fail_msg("accepted: \"%s\"", bad[i]);
        assert_memory_equal(&server, &untouched, sizeof server);
        assert_string_equal(path, "untouched");
    }
}

static void unix_paths_end_at_107_bytes(void **state)
{
    char url[256] = "unix:/";
    struct load_server server;
    const char *path;

    (void)state;
    memset(url + 6, 'a', 106);
    assert_null(load_url_parse(url, &server, &path));
    strcat(url, "a");
    assert_non_null(load_url_parse(url, &server, &path));
}

static void servers_are_compared_by_address(void **state)
{
    struct load_server a = parsed("http://127.0.0.1:80/a", "/a"), b = parsed("http://localhost:80/b", "/b");
    struct load_server port = parsed("http://127.0.0.1:81/", "/"), other = parsed("http://10.0.0.1:80/", "/");
    struct load_server v6 = parsed("http://[::1]:80/", "/"), path = parsed("unix:/a", NULL);

    (void)state;
    assert_true(load_server_equal(&a, &b));
    assert_false(load_server_equal(&a, &port));
    assert_false(load_server_equal(&a, &v6));
    assert_true(load_server_is_loopback(&a));
    assert_false(load_server_is_loopback(&other));
    assert_false(load_server_is_loopback(&v6));
    assert_false(load_server_is_loopback(&path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_paths_are_taken_apart),
        cmocka_unit_test(what_is_no_url_is_refused_and_touches_nothing),
        cmocka_unit_test(unix_paths_end_at_107_bytes),
        cmocka_unit_test(servers_are_compared_by_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
