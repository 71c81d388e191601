#include "supervisor/core/address.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void assert_form(const char *text, const char *canonical)
{
    struct address address;
    char formatted[ADDRESS_TEXT_BYTES];
    const char *wrong = address_parse(text, &address);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
    address_format(&address, formatted);
    assert_string_equal(formatted, canonical);
}

static void every_form_has_one_canonical_text(void **state)
{
    (void)state;
    assert_form("8080", "0.0.0.0:8080");
    assert_form("127.0.0.1:80", "127.0.0.1:80");
    assert_form("[::]:65535", "[::]:65535");
    assert_form("[0:0::1]:1", "[::1]:1");
    assert_form("unix:/run/app.sock", "unix:/run/app.sock");
    assert_form("udp:53", "udp:0.0.0.0:53");
    assert_form("udp:[::1]:53", "udp:[::1]:53");
}

static void what_is_not_an_address_is_refused_and_touches_nothing(void **state)
{
    static const char *const bad[] = {
        "", "0", "65536", "-1", "80x", "99999999999999999999", ":80", "localhost:80", "1.2.3:80",
        "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "[::]", "[::]80", "[::]:", "[zz]:80", "::1:80", "unix:", "unix:app.sock",
        "udp:", "udp:unix:/x", "tcp:80", "1.2.3.4.5.6.7.8.9.10.11.12:80",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct address address, untouched;

        memset(&address, 0xa5, sizeof address);
        untouched = address;
        if (!address_parse(bad[i], &address))
            fail_msg("accepted: \"%s\"", bad[i]);
        assert_memory_equal(&address, &untouched, sizeof address);
    }
}

static void unix_paths_end_at_107_bytes(void **state)
{
    char text[256] = "unix:/";
    struct address address;

    (void)state;
    memset(text + 6, 'a', 106);
    assert_null(address_parse(text, &address));
    strcat(text, "a");
    assert_non_null(address_parse(text, &address));
}

static bool overlap(const char *a, bool a_v6only, const char *b, bool b_v6only)
{
    struct address first, second;

    assert_null(address_parse(a, &first));
    assert_null(address_parse(b, &second));
    bool overlaps = address_overlaps(&first, a_v6only, &second, b_v6only);
    assert_int_equal(overlaps, address_overlaps(&second, b_v6only, &first, a_v6only));
    return overlaps;
}

static void overlapping_addresses_are_seen(void **state)
{
    (void)state;
    assert_true(overlap("80", false, "80", false));
    assert_true(overlap("80", false, "127.0.0.1:80", false));
    assert_true(overlap("80", false, "[::]:80", false));
    assert_true(overlap("127.0.0.1:80", false, "[::]:80", false));
    assert_true(overlap("unix:/a", false, "unix:/a", false));
    assert_false(overlap("80", false, "[::]:80", true));
    assert_false(overlap("80", false, "[::1]:80", false));
    assert_false(overlap("80", false, "81", false));
    assert_false(overlap("127.0.0.1:80", false, "127.0.0.2:80", false));
    assert_false(overlap("udp:80", false, "80", false));
    assert_false(overlap("unix:/a", false, "unix:/b", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_has_one_canonical_text),
        cmocka_unit_test(what_is_not_an_address_is_refused_and_touches_nothing),
        cmocka_unit_test(unix_paths_end_at_107_bytes),
        cmocka_unit_test(overlapping_addresses_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
