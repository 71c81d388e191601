/* The load client counts every failure exactly once, in its class, and no server can make it hang. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/load_fixture.h"

static const struct {
    const char *path, *class;
    bool short_only; /* it means something else to a connection that is used again */
} misbehaviours[] = {
    { "reset-before", "reset_before", false },       { "eof-before", "eof_before", false },
    { "reset-inside/head", "reset_inside", false },  { "reset-inside/body", "reset_inside", false },
    { "reset-inside/chunk", "reset_inside", false }, { "reset-close", "reset_inside", true },
    { "eof-inside/head", "eof_inside", false },      { "eof-inside/body", "eof_inside", false },
    { "eof-inside/chunk", "eof_inside", false },     { "malformed/garbage", "malformed", false },
    { "malformed/status", "malformed", false },      { "malformed/bare-lf", "malformed", false },
    { "malformed/header", "malformed", false },      { "malformed/lengths", "malformed", false },
    { "malformed/chunk", "malformed", false },       { "malformed/longer", "malformed", false },
    { "status/500", "server_error", false },         { "status/503", "server_error", false },
    { "status/404", "unexpected_status", false },    { "status/302", "unexpected_status", false },
    { "early", "unexpected_status", true },
};

enum { MISBEHAVIOURS = sizeof misbehaviours / sizeof *misbehaviours };

static void each_misbehaviour_is_counted_exactly_in_its_class(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MISBEHAVIOURS; i++) {
        json_t *result = LOAD(1, "--short 3 --requests 17 http://127.0.0.1:%u/%s", load_server.http,
                              misbehaviours[i].path);
        assert_int_equal(failures(result, misbehaviours[i].class), 17);
        assert_int_equal(number(result, "requests"), 17);
        json_decref(result);
        if (misbehaviours[i].short_only)
            continue;
        result = LOAD(1, "--keepalive 3 --requests 17 http://127.0.0.1:%u/%s", load_server.http,
                      misbehaviours[i].path);
        assert_int_equal(failures(result, misbehaviours[i].class), 17);
        assert_int_equal(number(result, "races"), 0);
        json_decref(result);
    }
}

static void an_upload_may_be_refused_before_it_has_arrived(void **state)
{
    (void)state;
    json_t *result =
        LOAD(1, "--slow-upload 2,body=100000,chunk=100,pause-ms=5 --requests 6 http://127.0.0.1:%u/early",
             load_server.http);
    assert_int_equal(failures(result, "unexpected_status"), 6);
    json_decref(result);
}

static void classes_do_not_mix_when_everything_goes_wrong_at_once(void **state)
{
    char line[2048] = "";
    size_t used = 0;
    long of_class[MISBEHAVIOURS] = { 0 };

    (void)state;
    for (unsigned i = 0; i < MISBEHAVIOURS; i++) {
        used += (size_t)snprintf(line + used, sizeof line - used, " http://127.0.0.1:%u/%s", load_server.http,
                                 misbehaviours[i].path);
        for (unsigned other = 0; other < MISBEHAVIOURS; other++)
            of_class[i] += !strcmp(misbehaviours[i].class, misbehaviours[other].class);
    }
    snprintf(line + used, sizeof line - used, " http://127.0.0.1:%u/ok http://127.0.0.1:%u/ok",
             load_server.refused, load_server.http);
    json_t *result = LOAD(1, "--short 5 --requests %d%s", 4 * (MISBEHAVIOURS + 2), line);
    for (unsigned i = 0; i < MISBEHAVIOURS; i++)
        assert_int_equal(failures(result, misbehaviours[i].class), 4 * of_class[i]);
    assert_int_equal(failures(result, "refused"), 4);
    assert_int_equal(number(result, "successes"), 4);
    json_decref(result);
}

static void a_port_without_a_listener_refuses(void **state)
{
    (void)state;
    json_t *result = LOAD(1, "--short 4 --requests 12 http://127.0.0.1:%u/ok", load_server.refused);
    assert_int_equal(failures(result, "refused"), 12);
    json_decref(result);
    result = LOAD(1, "--keepalive 4 --requests 12 unix:%s.missing:/ok", load_server.path);
    assert_int_equal(failures(result, "refused"), 12);
    json_decref(result);
}

static void silence_is_a_time_out_of_the_connect_or_of_the_answer(void **state)
{
    (void)state;
    json_t *result =
        LOAD(1, "--short 6 --requests 6 --connect-timeout-ms 100 http://127.0.0.1:%u/ok", load_server.deaf);
    assert_int_equal(failures(result, "connect_timeout"), 6);
    json_decref(result);
    result = LOAD(1, "--short 6 --requests 6 --connect-timeout-ms 100 unix:%s.deaf:/ok", load_server.path);
    assert_int_equal(failures(result, "connect_timeout"), 6);
    json_decref(result);
    result = LOAD(1,
                  "--short 6 --requests 6 --timeout-ms 100 http://127.0.0.1:%u/hang-before"
                  " http://127.0.0.1:%u/hang-inside http://127.0.0.1:%u/hang-close",
                  load_server.http, load_server.http, load_server.http);
    assert_int_equal(failures(result, "answer_timeout"), 6);
    json_decref(result);
}

static void our_own_limits_are_not_the_fault_of_the_server(void **state)
{
    (void)state;
    json_t *result =
        LOAD(1, "--short 3 --requests 9 --source 192.0.2.1 http://127.0.0.1:%u/ok", load_server.http);
    assert_int_equal(failures(result, "local"), 9);
    json_decref(result);
    load_child.descriptors = 20;
    result = LOAD(1, "--short 32 --requests 32 --timeout-ms 100 http://127.0.0.1:%u/hang-before",
                  load_server.http);
    assert_true(failures(result, "local") > 0);
    assert_int_equal(failures(result, "local") + failures(result, "answer_timeout"), 32);
    json_decref(result);
}

static void a_body_that_differs_from_the_first_or_from_the_file_is_wrong(void **state)
{
    (void)state;
    json_t *result =
        LOAD(1, "--short 1 --requests 10 --body same http://127.0.0.1:%u/wrong-body", load_server.http);
    assert_int_equal(failures(result, "wrong_body"), 9);
    json_decref(result);
    result = LOAD(1, "--short 2 --requests 10 --body /dev/null http://127.0.0.1:%u/ok", load_server.http);
    assert_int_equal(failures(result, "wrong_body"), 10);
    json_decref(result);
    result = LOAD(0, "--short 2 --requests 10 --body any http://127.0.0.1:%u/wrong-body", load_server.http);
    json_decref(result);
}

static void a_reused_connection_that_ends_before_the_answer_is_a_race(void **state)
{
    static const char *const paths[] = { "race-eof", "race-reset", "race-close" };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_t *result =
            LOAD(0, "--keepalive 1 --requests 20 http://127.0.0.1:%u/%s", load_server.http, paths[i]);
        assert_int_equal(number(result, "races"), 19);
        assert_int_equal(number(result, "successes"), 20);
        json_decref(result);
        result = LOAD(1, "--keepalive 1 --requests 20 --races-fail http://127.0.0.1:%u/%s", load_server.http,
                      paths[i]);
        assert_int_equal(number(result, "failures"), 0);
        json_decref(result);
    }
}

static void a_race_whose_repetition_fails_is_a_failure(void **state)
{
    (void)state;
    json_t *result = LOAD(1, "--keepalive 1 --requests 20 http://127.0.0.1:%u/race-lost", load_server.http);
    assert_int_equal(number(result, "races"), 10);
    assert_int_equal(failures(result, "eof_before"), 10);
    json_decref(result);
}

static void a_post_is_never_sent_twice(void **state)
{
    (void)state;
    json_t *result =
        LOAD(1, "--keepalive 1 --requests 20 http://127.0.0.1:%u --post /race-eof x", load_server.http);
    assert_int_equal(number(result, "races"), 0);
    assert_int_equal(failures(result, "eof_before"), 10);
    assert_int_equal(number(result, "successes"), 10);
    json_decref(result);
}

static void a_server_may_close_an_idle_connection(void **state)
{
    (void)state;
    json_t *result =
        LOAD(0, "--keepalive 1,think-ms=20 --requests 10 http://127.0.0.1:%u/race-close", load_server.http);
    assert_int_equal(number(result, "races") + number(result, "idle_closes"), 9);
    assert_int_equal(number(result, "successes"), 10);
    json_decref(result);
}

static void a_lost_or_mixed_up_article_is_found(void **state)
{
    (void)state;
    json_t *result = LOAD(1,
                          "--short 2 --keepalive 2 --requests 70 http://127.0.0.1:%u --post /forgetful/{n} x"
                          " --verify-acknowledged /forgetful/{n} --contains {n}.",
                          load_server.http);
    assert_int_equal(number(result, "acknowledged"), 70);
    assert_int_equal(failures(result, "unexpected_status"), 14); /* 5, 10, 15 ... */
    assert_int_equal(failures(result, "wrong_body"), 8);         /* 7, 14, 21, 28, 42 ... */
    assert_int_equal(number(result, "read_back"), 48);
    json_decref(result);
}

static void a_server_that_is_killed_leaves_consistent_counts(void **state)
{
    static const char *const modes[] = {
        "--short 4",
        "--keepalive 4",
        "--rate 1000",
        "--slow-response 4,chunk=3,pause-ms=0",
        "--slow-upload 4,body=100,chunk=50,pause-ms=0",
        "--short 2 --keepalive 2 --rate 500",
    };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        unsigned port;
        struct program mortal = load_fixture_server("--die-after 40", &port);

        json_t *result = LOAD(1, "%s --requests 100 http://127.0.0.1:%u/upload", modes[i], port);
        assert_int_equal(number(result, "requests"), 100);
        assert_true(number(result, "successes") > 0 && number(result, "successes") <= 40);
        assert_int_equal(number(result, "failures"),
                         failures(result, "refused") + failures(result, "reset_before") +
                             failures(result, "reset_inside") + failures(result, "eof_before") +
                             failures(result, "eof_inside"));
        assert_true(failures(result, "refused") > 0);
        json_decref(result);
        assert_int_equal(load_fixture_finish(&mortal), -SIGKILL);
    }
}

static void a_server_that_never_answers_cannot_keep_the_load_from_ending(void **state)
{
    (void)state;
    json_t *result = LOAD(1,
                          "--seconds 0.1 --timeout-ms 200 --short 3 --slow-upload 2,body=9000,pause-ms=50"
                          " http://127.0.0.1:%u/hang-inside",
                          load_server.http);
    assert_true(number(result, "requests") >= 5);
    assert_int_equal(failures(result, "answer_timeout"), number(result, "requests"));
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOAD_TEST(each_misbehaviour_is_counted_exactly_in_its_class),
        LOAD_TEST(an_upload_may_be_refused_before_it_has_arrived),
        LOAD_TEST(classes_do_not_mix_when_everything_goes_wrong_at_once),
        LOAD_TEST(a_port_without_a_listener_refuses),
        LOAD_TEST(silence_is_a_time_out_of_the_connect_or_of_the_answer),
        LOAD_TEST(our_own_limits_are_not_the_fault_of_the_server),
        LOAD_TEST(a_body_that_differs_from_the_first_or_from_the_file_is_wrong),
        LOAD_TEST(a_reused_connection_that_ends_before_the_answer_is_a_race),
        LOAD_TEST(a_race_whose_repetition_fails_is_a_failure),
        LOAD_TEST(a_post_is_never_sent_twice),
        LOAD_TEST(a_server_may_close_an_idle_connection),
        LOAD_TEST(a_lost_or_mixed_up_article_is_found),
        LOAD_TEST(a_server_that_is_killed_leaves_consistent_counts),
        LOAD_TEST(a_server_that_never_answers_cannot_keep_the_load_from_ending),
    };
    return cmocka_run_group_tests(tests, load_fixture_start, load_fixture_stop);
}
