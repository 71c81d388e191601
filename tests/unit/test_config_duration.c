#include <string.h>

#include "supervisor/core/config.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static void assert_duration(const char *text, uint64_t ms, const char *canonical)
{
    uint64_t parsed = 77;
    char formatted[32];
    const char *wrong = config_parse_duration(text, &parsed);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
    assert_int_equal(parsed, ms);
    config_format_duration(ms, formatted);
    assert_string_equal(formatted, canonical);
}

static void durations_have_one_canonical_form(void **state)
{
    (void)state;
    assert_duration("0", 0, "0");
    assert_duration("0s", 0, "0");
    assert_duration("250ms", 250, "250ms");
    assert_duration("0.25s", 250, "250ms");
    assert_duration("1500ms", 1500, "1.5s");
    assert_duration("1.234s", 1234, "1.234s");
    assert_duration("60s", 60000, "1m");
    assert_duration("90s", 90000, "90s");
    assert_duration("1.5m", 90000, "90s");
    assert_duration("5m", 300000, "5m");
    assert_duration("60m", 3600000, "1h");
    assert_duration("1.5h", 5400000, "90m");
    assert_duration("0.001h", 3600, "3.6s");
    assert_duration("infinite", CONFIG_INFINITE_MS, "infinite");
}

static void what_is_no_duration_is_refused_and_touches_nothing(void **state)
{
    static const char *const bad[] = { "",
                                       "5",
                                       "s",
                                       "-1s",
                                       "+1s",
                                       "1 s",
                                       " 1s",
                                       "1s ",
                                       "1.s",
                                       ".5s",
                                       "1.2345s",
                                       "0.5ms",
                                       "1d",
                                       "1S",
                                       "1e3s",
                                       "0x1s",
                                       "1,5s",
                                       "1.5.5s",
                                       "inf",
                                       "infinity",
                                       "1ss",
                                       "00",
                                       "1.0015m",
                                       "9007199254740993ms",
                                       "99999999999999999999s",
                                       "2501999792984h" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t ms = 77;
        if (!config_parse_duration(bad[i], &ms))
            fail_msg("accepted: \"%s\"", bad[i]);
        assert_int_equal(ms, 77);
    }
}

static void every_duration_survives_its_text(void **state)
{
    char text[32];

    (void)state;
    for (uint64_t ms = 0; ms < UINT64_C(1) << 53; ms = ms * 9 / 8 + 1) {
        uint64_t parsed = 0;
        config_format_duration(ms, text);
        assert_null(config_parse_duration(text, &parsed));
        assert_int_equal(parsed, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(durations_have_one_canonical_form),
        GUARDED(what_is_no_duration_is_refused_and_touches_nothing),
        GUARDED(every_duration_survives_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
