#include "supervisor/core/config_value.h"

#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

/* `text` is a right value of `section`'s key `name`, and is written as `canonical`. */
static void assert_value(enum config_section section, const char *name, const char *text,
                         const char *canonical)
{
    const struct config_key *key = config_keys_find(section, name);
    const struct config_value value = { text, false };
    char reason[CONFIG_REASON_BYTES], *printed = NULL;
    size_t bytes;
    uint64_t field[64] = { 0 }; /* larger and better aligned than any */
    FILE *to = open_memstream(&printed, &bytes);

    if (config_value_parse(key, &value, field, reason) != 0)
        fail_msg("%s = %s: %s", name, text, reason);
    config_value_print(key, field, to);
    fclose(to);
    assert_string_equal(printed, canonical);
    free(printed);
    config_value_free(key, field);
}

/* `text` is refused for `reason` and the field stays as it was. */
static void assert_bad(enum config_section section, const char *name, const char *text, const char *reason)
{
    const struct config_key *key = config_keys_find(section, name);
    const struct config_value value = { text, false };
    char told[CONFIG_REASON_BYTES] = "accepted";
    uint64_t field[64] = { 0 }, untouched[64] = { 0 };

    assert_int_equal(config_value_parse(key, &value, field, told), CONFIG_VALUE_REFUSED);
    assert_string_equal(told, reason);
    assert_memory_equal(field, untouched, sizeof field);
}

static void numbers_have_ranges(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "workers", "1", "1");
    assert_value(SECTION_SERVICE, "workers", "064", "64");
    assert_value(SECTION_SERVICE, "limit_nofile", "1073741824", "1073741824");
    assert_bad(SECTION_SERVICE, "workers", "0", "too small");
    assert_bad(SECTION_SERVICE, "workers", "65", "too large");
    assert_bad(SECTION_SERVICE, "workers", "99999999999999999999999", "too large");
    assert_bad(SECTION_SERVICE, "workers", "-1", "this is no number");
    assert_bad(SECTION_SERVICE, "workers", "2x", "this is no number");
    assert_bad(SECTION_SERVICE, "workers", "''", "this is no number");
    assert_bad(SECTION_SERVICE, "workers", "", "there is no value");
    assert_bad(SECTION_SERVICE, "limit_nofile", "1073741825", "too large");
}

static void a_scalar_is_one_word(void **state)
{
    static const char two[] = "one word is wanted: quote what has blanks in it; a comment begins with ;";

    (void)state;
    assert_bad(SECTION_SERVICE, "workers", "2 # two", two);
    assert_bad(SECTION_SERVICE, "directory", "/srv/my app", two);
    assert_value(SECTION_SERVICE, "directory", "\"/srv/my app\"", "'/srv/my app'");
    assert_bad(SECTION_SERVICE, "directory", "'/srv", "a ' is not closed");
}

static void octal_numbers_have_four_digits(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "umask", "22", "0022");
    assert_value(SECTION_SERVICE, "umask", "0777", "0777");
    assert_value(SECTION_LISTENER, "mode", "0", "0000");
    assert_bad(SECTION_SERVICE, "umask", "1000", "too large");
    assert_bad(SECTION_SERVICE, "umask", "8", "this is no octal number");
}

static void flags_are_yes_or_no(void **state)
{
    (void)state;
    assert_value(SECTION_LISTENER, "v6only", "yes", "yes");
    assert_value(SECTION_LISTENER, "v6only", "no", "no");
    assert_bad(SECTION_LISTENER, "v6only", "true", "neither yes nor no");
}

static void durations_have_ranges(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "drain_timeout", "0", "0");
    assert_value(SECTION_SERVICE, "drain_timeout", "infinite", "infinite");
    assert_value(SECTION_SERVICE, "ready_timeout", "24h", "24h");
    assert_bad(SECTION_SERVICE, "ready_timeout", "0", "too short");
    assert_bad(SECTION_SERVICE, "ready_timeout", "infinite", "too long");
    assert_bad(SECTION_SERVICE, "stop_timeout", "25h", "too long");
    assert_bad(SECTION_SERVICE, "stop_timeout", "5",
               "a duration is a number with a unit: 250ms, 1.5s, 5m, 1h");
}

static void signals_have_names_and_numbers(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "stop_signal", "TERM", "TERM");
    assert_value(SECTION_SERVICE, "stop_signal", "sigquit", "QUIT");
    assert_value(SECTION_SERVICE, "stop_signal", "SIGUSR1", "USR1");
    assert_value(SECTION_SERVICE, "stop_signal", "15", "TERM");
    for (int signo = 1; signo <= 31; signo++) { /* what it prints, it reads */
        char number[8];
        snprintf(number, sizeof number, "%d", signo);
        if (signo != 9 && signo != 19)
            assert_value(SECTION_SERVICE, "stop_signal", number, sigabbrev_np(signo));
        if (signo != 9 && signo != 19)
            assert_value(SECTION_SERVICE, "stop_signal", sigabbrev_np(signo), sigabbrev_np(signo));
    }
    assert_bad(SECTION_SERVICE, "stop_signal", "KILL", "no process can answer this signal");
    assert_bad(SECTION_SERVICE, "stop_signal", "19", "no process can answer this signal");
    assert_bad(SECTION_SERVICE, "stop_signal", "32", "no such signal");
    assert_bad(SECTION_SERVICE, "stop_signal", "0", "no such signal");
    assert_bad(SECTION_SERVICE, "stop_signal", "SIG", "no such signal");
}

static void paths_are_absolute(void **state)
{
    char path[4200] = "/";

    (void)state;
    assert_value(SECTION_SERVICE, "directory", "/", "/");
    assert_bad(SECTION_SERVICE, "directory", "srv", "not an absolute path");
    assert_bad(SECTION_SERVICE, "directory", "''", "not an absolute path");
    memset(path + 1, 'a', 4095);
    assert_bad(SECTION_SERVICE, "directory", path, "the path is too long");
    path[4095] = '\0';
    assert_value(SECTION_SERVICE, "directory", path, path);
}

static void accounts_are_names_or_numbers(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "user", "www-data", "www-data");
    assert_value(SECTION_SERVICE, "user", "4294967294", "4294967294");
    assert_bad(SECTION_SERVICE, "user", "4294967295", "too large"); /* means "nobody" to setuid(2) */
    assert_bad(SECTION_SERVICE, "user", "a:b", "this cannot be an account");
    assert_bad(SECTION_SERVICE, "user", "''", "this cannot be an account");
}

static void outputs_are_stderr_journal_or_a_file(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "output", "stderr", "stderr");
    assert_value(SECTION_SERVICE, "output", "journal", "journal");
    assert_value(SECTION_BATON, "log", "/var/log/x", "/var/log/x");
    assert_bad(SECTION_SERVICE, "output", "syslog", "not an absolute path");
}

static void ways_to_drain(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "drain", "auto", "auto");
    assert_value(SECTION_SERVICE, "drain", "signal", "signal");
    assert_bad(SECTION_SERVICE, "drain", "connections", "not in this version");
    assert_bad(SECTION_SERVICE, "drain", "never", "neither auto nor signal");
}

static void checks_of_readiness(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "ready", "auto", "auto");
    assert_value(SECTION_SERVICE, "ready", "\"native\"", "native");
    assert_value(SECTION_SERVICE, "ready", "notify", "notify");
    assert_value(SECTION_SERVICE, "ready", "alive:2s", "alive:2s");
    assert_value(SECTION_SERVICE, "verify", "none", "none");
    assert_bad(SECTION_SERVICE, "ready", "none", "no such check");
    assert_bad(SECTION_SERVICE, "ready", "tcp", "not in this version");
    assert_bad(SECTION_SERVICE, "ready", "listen", "not in this version");
    assert_bad(SECTION_SERVICE, "verify", "auto", "no such check");
    assert_bad(SECTION_SERVICE, "verify", "alive:2s", "no such check");
    assert_bad(SECTION_SERVICE, "ready", "alive:0", "behind alive: stands a time that begins and ends");
    assert_bad(SECTION_SERVICE, "ready", "alive:infinite",
               "behind alive: stands a time that begins and ends");
    assert_bad(SECTION_SERVICE, "ready", "alive:2",
               "a duration is a number with a unit: 250ms, 1.5s, 5m, 1h");
}

static void http_checks_have_a_path_and_perhaps_a_status(void **state)
{
    static const char status[] = "behind the last = stands a status from 100 to 599";
    static const char path[] = "behind http: stands a path: http:/healthz";

    (void)state;
    assert_value(SECTION_SERVICE, "ready", "http:/healthz", "http:/healthz");
    assert_value(SECTION_SERVICE, "ready", "http:/healthz=204", "http:/healthz=204");
    assert_value(SECTION_SERVICE, "verify", "http:/h?deep=1=200", "http:'/h?deep=1'=200");
    assert_value(SECTION_SERVICE, "verify", "http:/h?a=b", "http:'/h?a=b'");
    assert_value(SECTION_SERVICE, "verify", "http:/h?a=", "http:'/h?a='");
    assert_bad(SECTION_SERVICE, "ready", "http:/h=99", status);
    assert_bad(SECTION_SERVICE, "ready", "http:/h=600", status);
    assert_bad(SECTION_SERVICE, "ready", "http:/h=99999999999999999999", status);
    assert_bad(SECTION_SERVICE, "ready", "http:/h?deep=1", status);
    assert_bad(SECTION_SERVICE, "ready", "http:healthz", path);
    assert_bad(SECTION_SERVICE, "ready", "http://x/healthz",
               "behind http: stands a path on this machine: http:/healthz");
    assert_bad(SECTION_SERVICE, "ready", "http:", path);
    assert_bad(SECTION_SERVICE, "ready", "'http:/a b'",
               "a path is printable ASCII without blanks and without #");
}

static void commands_are_split_like_a_shell_does(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "ready", "exec:curl -f 'http://x y'", "exec:curl -f 'http://x y'");
    assert_value(SECTION_SERVICE, "verify", "exec: check", "exec:check");
    assert_bad(SECTION_SERVICE, "ready", "exec:", "behind exec: stands a command");
    assert_bad(SECTION_SERVICE, "ready", "exec:''", "behind exec: stands a command");
    assert_bad(SECTION_SERVICE, "ready", "exec:a 'b", "a ' is not closed");
    assert_bad(SECTION_SERVICE, "ready", "\"exec:a b\"",
               "quote the command's words, not all of it: exec:COMMAND \"ONE WORD\"");
    assert_value(SECTION_SERVICE, "command", "sh -c \"a ; b\"", "sh -c 'a ; b'");
    assert_bad(SECTION_SERVICE, "command", "'' x", "the program is missing");
    assert_bad(SECTION_SERVICE, "command", "", "there is no value");
    assert_bad(SECTION_SERVICE, "command", "a | b",
               "no shell reads this: quote |, &, ;, < and >, or run a shell: sh -c \"…\"");
}

static void environments_are_names_with_values(void **state)
{
    (void)state;
    assert_value(SECTION_SERVICE, "environment", "A=1 B=\"two words\" _c2=", "A=1 'B=two words' _c2=");
    assert_bad(SECTION_SERVICE, "environment", "A", "\"A\" is not NAME=VALUE");
    assert_bad(SECTION_SERVICE, "environment", "=x", "\"=x\" is not NAME=VALUE");
    assert_bad(SECTION_SERVICE, "environment", "1A=x", "\"1A=x\" is not NAME=VALUE");
    assert_bad(SECTION_SERVICE, "environment", "A-B=x", "\"A-B=x\" is not NAME=VALUE");
    assert_bad(SECTION_SERVICE, "environment", "A=1 AB=2 A=3", "A is set twice");
    assert_bad(SECTION_SERVICE, "environment", "LISTEN_FDS=3", "baton itself sets LISTEN_FDS");
    assert_bad(SECTION_SERVICE, "environment", "BATON_CHANNEL=3", "baton itself sets BATON_CHANNEL");
}

static void an_environment_adds_up(void **state)
{
    struct config *config =
        parse_right("[service a]\ncommand = x\nenvironment = A=1\nenvironment = B=2 C=3\n");

    (void)state;
    assert_string_equal(config->services[0].environment[2], "C=3");
    config_free(config);
    assert_refused(
        "[service a]\ncommand = x\nenvironment = A=1\nenvironment = B=2 A=3\n",
        "x.ini:4: environment: \"B=2 A=3\": A is set twice; allowed: words NAME=VALUE, quoted as in a "
        "shell\n");
}

static void an_option_is_one_word_as_it_is(void **state)
{
    const struct config_key *key = config_keys_find(SECTION_SERVICE, "directory");
    const struct config_value value = { "/srv/it's my \"app\" $x", true };
    char *field = NULL, reason[CONFIG_REASON_BYTES];

    (void)state;
    assert_int_equal(config_value_parse(key, &value, &field, reason), 0);
    assert_string_equal(field, value.text);
    config_value_free(key, &field);
    assert_null(field);
}

static void names_are_short_and_plain(void **state)
{
    static const char long_name[] = "a23456789012345678901234567890123456789012345678901234567890123";
    static const struct {
        const char *path, *name;
    } made[] = { { "/srv/app", "app" },
                 { "my app.py", "my-app.py" },
                 { "/", "service" },
                 { "..", "service" },
                 { "/x/_-a", "a" },
                 { "\xc3\xa4"
                   "b",
                   "b" },
                 { "a/", "a-" },
                 { "", "service" } };
    char name[CONFIG_NAME_MAX + 1], longer[80];

    (void)state;
    assert_true(config_is_name(long_name));
    snprintf(longer, sizeof longer, "%sx", long_name);
    assert_false(config_is_name(longer));
    assert_false(config_is_name(""));
    assert_false(config_is_name(".a"));
    assert_false(config_is_name("a b"));
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        config_name_of(made[i].path, name);
        assert_string_equal(name, made[i].name);
        assert_true(config_is_name(name));
    }
    config_name_of(longer, name);
    assert_string_equal(name, long_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(numbers_have_ranges),
        GUARDED(a_scalar_is_one_word),
        GUARDED(octal_numbers_have_four_digits),
        GUARDED(flags_are_yes_or_no),
        GUARDED(durations_have_ranges),
        GUARDED(signals_have_names_and_numbers),
        GUARDED(paths_are_absolute),
        GUARDED(accounts_are_names_or_numbers),
        GUARDED(outputs_are_stderr_journal_or_a_file),
        GUARDED(ways_to_drain),
        GUARDED(checks_of_readiness),
        GUARDED(http_checks_have_a_path_and_perhaps_a_status),
        GUARDED(commands_are_split_like_a_shell_does),
        GUARDED(environments_are_names_with_values),
        GUARDED(an_environment_adds_up),
        GUARDED(an_option_is_one_word_as_it_is),
        GUARDED(names_are_short_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
