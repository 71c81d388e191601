#include "supervisor/core/config.h"

#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

#define ARGUMENTS(...)                                                                                       \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static int parse(const char *const *arguments, struct config **config, struct config_errors *errors)
{
    int count = 0;

    while (arguments[count])
        count++;
    return config_from_options(count, (char *const *)arguments, config, errors);
}

static struct config *options_right(const char *const *arguments)
{
    struct config *config = NULL;
    struct config_errors errors;

    if (parse(arguments, &config, &errors) != 0)
        fail_msg("%s", errors.lines[0]);
    config_errors_free(&errors);
    return config;
}

static void assert_options_refused(const char *const *arguments, const char *expected)
{
    struct config *config = NULL;
    struct config_errors errors;

    assert_int_equal(parse(arguments, &config, &errors), -EINVAL);
    assert_null(config);
    assert_errors(&errors, expected);
}

static void a_command_is_a_service(void **state)
{
    struct config *config = options_right(ARGUMENTS("--", "/srv/my app", "-x", "--", "it's $x ; y", ""));

    (void)state;
    assert_string_equal(config->services[0].name, "my-app");
    assert_string_equal(config->services[0].command[0], "/srv/my app");
    assert_string_equal(config->services[0].command[2], "--");
    assert_string_equal(config->services[0].command[3], "it's $x ; y");
    assert_string_equal(config->services[0].command[4], "");
    assert_null(config->services[0].command[5]);
    assert_int_equal(config->services[0].workers, 1);
    assert_int_equal(config->listener_count, 0);
    config_free(config);
}

static void every_key_is_an_option(void **state)
{
    struct config *config = options_right(ARGUMENTS(
        "--workers", "3", "--ready-timeout=5s", "--ready", "exec:check 'a b'", "--environment", "A=b c",
        "--environment=B=", "--state-dir", "/srv/s", "--log=journal", "--directory", "/my dir", "--", "x"));

    (void)state;
    assert_int_equal(config->services[0].workers, 3);
    assert_int_equal(config->services[0].ready_timeout_ms, 5000);
    assert_string_equal(config->services[0].ready.argv[1], "a b");
    assert_string_equal(config->services[0].environment[0], "A=b c");
    assert_string_equal(config->services[0].environment[1], "B=");
    assert_string_equal(config->services[0].directory, "/my dir");
    assert_string_equal(config->state_dir, "/srv/s");
    assert_int_equal(config->log.kind, OUTPUT_JOURNAL);
    config_free(config);
}

static void listeners_are_named_or_numbered(void **state)
{
    struct config *config = options_right(ARGUMENTS("--listen", "80", "--listen", "web2=81", "--listen=82",
                                                    "--listen", "unix:/run/a=b", "--", "x"));
    static const char *const expected[][2] = { { "web", "0.0.0.0:80" },
                                               { "web2", "0.0.0.0:81" },
                                               { "web3", "0.0.0.0:82" },
                                               { "web4", "unix:/run/a=b" } };

    (void)state;
    assert_int_equal(config->listener_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(config->listeners[i].name, expected[i][0]);
        assert_string_equal(config->listeners[i].address_text, expected[i][1]);
        assert_string_equal(config->services[0].listen[i], expected[i][0]);
    }
    config_free(config);
}

static void a_listeners_option_is_for_all_it_fits(void **state)
{
    struct config *config =
        options_right(ARGUMENTS("--mode", "0600", "--listen", "80", "--listen", "unix:/a", "--backlog", "7",
                                "--listen", "unix:/b", "--listen", "udp:80", "--", "x"));

    (void)state;
    assert_int_equal(config->listeners[0].backlog, 7);
    assert_int_equal(config->listeners[1].backlog, 7);
    assert_int_equal(config->listeners[1].mode, 0600);
    assert_int_equal(config->listeners[2].mode, 0600);
    config_free(config);
    assert_options_refused(ARGUMENTS("--listen", "80", "--mode", "0600", "--", "x"),
                           "command line: --mode: there is no --listen that it fits\n");
    assert_options_refused(ARGUMENTS("--backlog", "0", "--listen", "80", "--listen", "81", "--", "x"),
                           "command line: --backlog: \"0\": too small; allowed: a number from 1 to 65535\n");
}

static void mistakes_name_the_option(void **state)
{
    (void)state;
    assert_options_refused(ARGUMENTS("--redy", "auto", "--", "x"),
                           "command line: --redy: unknown option; did you mean --ready?\n");
    assert_options_refused(
        ARGUMENTS("--drain-timout=1s", "--canary", "1%", "--xyzzy", "1", "--command", "x", "--", "x"),
        "command line: --drain-timout: unknown option; did you mean --drain-timeout?\n"
        "command line: --canary: not in this version\n"
        "command line: --xyzzy: unknown option; baton run --help lists all\n"
        "command line: --command: the command stands behind --\n");
    assert_options_refused(
        ARGUMENTS("--ready-timeout", "0", "--workers", "1", "--workers", "2", "--", "x"),
        "command line: --ready-timeout: \"0\": too short; allowed: a duration from 1ms to 24h\n"
        "command line: --workers: given twice\n");
    assert_options_refused(ARGUMENTS("--listen", "99999", "--listen", "a=80", "--listen", "a=81", "--", "x"),
                           "command line: --listen: \"99999\": a port is a number from 1 to 65535\n"
                           "command line: two listeners are named a\n");
    assert_options_refused(ARGUMENTS("--listen", "80", "--listen", "127.0.0.1:80", "--", "x"),
                           "command line: --listen: 127.0.0.1:80 and 0.0.0.0:80 of [listener web] overlap\n");
}

static void a_half_command_line_is_refused(void **state)
{
    (void)state;
    assert_options_refused(
        ARGUMENTS("--listen", "80"),
        "command line: the command is missing: baton run [OPTION]... -- COMMAND [ARG]...\n");
    assert_options_refused(
        ARGUMENTS("--"), "command line: the command is missing: baton run [OPTION]... -- COMMAND [ARG]...\n");
    assert_options_refused(ARGUMENTS("--workers", "--", "x"),
                           "command line: \"--workers\": its value is missing\n");
    assert_options_refused(ARGUMENTS("--workers", "--ready", "auto", "--", "x"),
                           "command line: \"--workers\": its value is missing\n");
    assert_options_refused(ARGUMENTS("node", "-v", "--", "x"),
                           "command line: \"node\": not an option; the command stands behind --\n"
                           "command line: \"-v\": not an option; the command stands behind --\n");
    assert_options_refused(ARGUMENTS("--", ""), "command line: command: the program is missing\n");
    assert_options_refused(
        ARGUMENTS("---------------------------------------------------------------------", "--", "x"),
        "command line: \"---------------------------------------------------------------------\": "
        "unknown option\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_command_is_a_service),          GUARDED(every_key_is_an_option),
        GUARDED(listeners_are_named_or_numbered), GUARDED(a_listeners_option_is_for_all_it_fits),
        GUARDED(mistakes_name_the_option),        GUARDED(a_half_command_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
