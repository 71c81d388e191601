/* The load client calls every right answer a success, in every mode, and reports what it measured. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/load_fixture.h"

static void every_framing_is_read_in_every_mode(void **state)
{
    static const char *const modes[] = {
        "--short 3",
        "--keepalive 3,requests=4",
        "--rate 500",
        "--slow-response 3,chunk=3,pause-ms=0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        json_t *result =
            LOAD(0,
                 "%s --requests 60 --body same http://127.0.0.1:%u/ok http://127.0.0.1:%u/chunked"
                 " http://127.0.0.1:%u/until-close http://127.0.0.1:%u/interim"
                 " http://127.0.0.1:%u/bytes/3000",
                 modes[i], load_server.http, load_server.http, load_server.http, load_server.http,
                 load_server.http);
        assert_int_equal(number(result, "successes"), 60);
        json_decref(result);
    }
}

static void a_unix_socket_is_as_good(void **state)
{
    (void)state;
    json_t *result = LOAD(0,
                          "--short 3 --keepalive 3 --slow-upload 1,body=100,chunk=10,pause-ms=1 --requests 60"
                          " unix:%s:/upload/x",
                          load_server.path);
    assert_int_equal(number(result, "successes"), 60);
    json_decref(result);
    result = LOAD(1, "--short 2 --requests 6 unix:%s:/eof-before unix:%s:/eof-inside", load_server.path,
                  load_server.path);
    assert_int_equal(failures(result, "eof_before"), 3);
    assert_int_equal(failures(result, "eof_inside"), 3);
    json_decref(result);
}

static void connections_are_renewed_after_their_requests(void **state)
{
    (void)state;
    json_t *result =
        LOAD(0, "--keepalive 1,requests=10 --requests 95 http://127.0.0.1:%u/ok", load_server.http);
    assert_int_equal(number(result, "connections"), 10);
    json_decref(result);
    result = LOAD(0, "--short 1 --requests 95 http://127.0.0.1:%u/ok", load_server.http);
    assert_int_equal(number(result, "connections"), 95);
    json_decref(result);
}

static void a_slow_upload_arrives_whole(void **state)
{
    char path[] = "/tmp/load_client.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "1000\n", 5), 5);
    close(fd);
    json_t *result = LOAD(0,
                          "--slow-upload 3,body=1000,chunk=90,pause-ms=1 --requests 9 --body %s"
                          " http://127.0.0.1:%u/upload",
                          path, load_server.http);
    assert_int_equal(number(result, "successes"), 9);
    json_decref(result);
    unlink(path);
}

static void versions_are_counted_by_their_header(void **state)
{
    static const struct {
        const char *header, *value;
        long successes, failures;
    } wanted[] = { { "X-Version", "1", 20, 0 },
                   { "Nope", "(none)", 40, 20 },
                   { "X-Version", "two", 20, 0 },
                   { "X-Version", "(none)", 0, 20 } };
    size_t index;
    const json_t *version;

    (void)state;
    json_t *result = LOAD(1,
                          "--keepalive 1 --requests 60 --version-header X-Version --version-header Nope"
                          " http://127.0.0.1:%u/version/1 http://127.0.0.1:%u/version/two"
                          " http://127.0.0.1:%u/status/500",
                          load_server.http, load_server.http, load_server.http);
    json_array_foreach (json_object_get(result, "versions"), index, version) {
        assert_true(index < sizeof wanted / sizeof *wanted);
        assert_string_equal(json_string_value(json_object_get(version, "header")), wanted[index].header);
        assert_string_equal(json_string_value(json_object_get(version, "value")), wanted[index].value);
        assert_int_equal(number(version, "successes"), wanted[index].successes);
        assert_int_equal(number(version, "failures"), wanted[index].failures);
    }
    assert_int_equal(index, sizeof wanted / sizeof *wanted);
    json_decref(result);
}

static void what_was_acknowledged_is_read_back(void **state)
{
    (void)state;
    json_t *result = LOAD(0,
                          "--short 2 --keepalive 2 --requests 70 http://127.0.0.1:%u --post /article/{n} x"
                          " --verify-acknowledged /article/{n} --contains {n}.",
                          load_server.http);
    assert_int_equal(number(result, "acknowledged"), 70);
    assert_int_equal(number(result, "read_back"), 70);
    assert_int_equal(number(result, "requests"), 140);
    json_decref(result);
}

static const json_t *first_rate(const json_t *result)
{
    return json_array_get(json_object_get(result, "rates"), 0);
}

static void latency_counts_from_the_intended_time(void **state)
{
    (void)state;
    json_t *result =
        LOAD(0, "--rate 100,connections=1 --requests 20 http://127.0.0.1:%u/stall", load_server.http);
    const json_t *mode = json_array_get(json_object_get(result, "modes"), 0);
    const json_t *p50 = json_object_get(json_object_get(mode, "latency_ms"), "p50");

    /* The server stalls for 300 ms; the last of the 20 is due at 190 ms, so all 20 waited 110 ms at least. */
    assert_true(json_real_value(p50) > 100);
    assert_int_equal(number(result, "successes"), 20);
    assert_int_equal(number(first_rate(result), "delayed"), 19);
    json_decref(result);
}

static void the_bound_of_connections_is_reported_when_it_is_hit(void **state)
{
    (void)state;
    json_t *result = LOAD(1,
                          "--rate 100,connections=2 --requests 10 --timeout-ms 100"
                          " http://127.0.0.1:%u/hang-before",
                          load_server.http);
    assert_int_equal(failures(result, "answer_timeout"), 10);
    assert_int_equal(number(first_rate(result), "delayed"), 8);
    assert_int_equal(number(first_rate(result), "begun"), 10);
    assert_int_equal(number(first_rate(result), "unsent"), 0);
    json_decref(result);
}

/* Passes the write end of a pipe as descriptor 9 and returns the read end. */
static int ready_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    load_child.fd = ends[1];
    return ends[0];
}

static void await_ready(int fd)
{
    char text[16];

    close(load_child.fd);
    assert_int_equal(read(fd, text, sizeof text), 6);
    assert_memory_equal(text, "ready\n", 6);
    close(fd);
}

static void a_signal_ends_the_load_when_what_is_in_flight_is_answered(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int ready = ready_pipe();
        struct program load =
            load_fixture_begin("--ready-fd 9 --short 2 --keepalive 2,think-ms=5000 --rate 50"
                               " --slow-response 1,chunk=10,pause-ms=1 http://127.0.0.1:%u/bytes/500",
                               load_server.http);

        await_ready(ready);
        kill(load.pid, signals[i]);
        json_t *result = load_fixture_end(&load, 0);
        assert_int_equal(json_array_size(json_object_get(result, "modes")), 4);
        json_decref(result);
    }
}

static void marks_begin_phases_and_a_phase_may_come_again(void **state)
{
    static const char *const marks[] = { "steady", "upgrade", "steady", "a \"third\"" };
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dprintf(ends[1], "upgrade\nsteady\na \"third\"\n");
    close(ends[1]);
    load_child.fd = ends[0];
    json_t *result = LOAD(0, "--mark-fd 9 --short 2 --requests 100 http://127.0.0.1:%u/ok", load_server.http);
    close(ends[0]);
    assert_int_equal(json_array_size(json_object_get(result, "marks")), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *mark = json_array_get(json_object_get(result, "marks"), i);
        assert_string_equal(json_string_value(json_object_get(mark, "phase")), marks[i]);
    }
    assert_int_equal(json_array_size(json_object_get(result, "phases")), 3);
    json_decref(result);
}

static void sigusr1_enters_the_next_phase(void **state)
{
    int ready = ready_pipe();
    struct program load = load_fixture_begin(
        "--ready-fd 9 --phases before,after --short 2 http://127.0.0.1:%u/ok", load_server.http);

    (void)state;
    await_ready(ready);
    kill(load.pid, SIGUSR1);
    kill(load.pid, SIGTERM);
    json_t *result = load_fixture_end(&load, 0);
    const json_t *mark = json_array_get(json_object_get(result, "marks"), 1);
    assert_string_equal(json_string_value(json_object_get(mark, "phase")), "after");
    json_decref(result);
}

static void the_table_for_people_names_what_went_wrong(void **state)
{
    char line[256], text[8192] = "";
    size_t length = 0;
    ssize_t got;

    (void)state;
    snprintf(line, sizeof line,
             "--rate 100,requests=1 --requests 8 http://127.0.0.1:%u/ok http://127.0.0.1:%u/eof-before",
             load_server.http, load_server.http);
    struct program load = load_fixture_program("tests/bench/load", line);
    while ((got = read(load.out, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    assert_int_equal(load_fixture_finish(&load), 1);
    assert_non_null(strstr(text, "8 requests on 8 connections: 4 failures, 0 races"));
    assert_non_null(strstr(text, "4 closed before the answer"));
    assert_non_null(strstr(text, "longest time without a success"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOAD_TEST(every_framing_is_read_in_every_mode),
        LOAD_TEST(a_unix_socket_is_as_good),
        LOAD_TEST(connections_are_renewed_after_their_requests),
        LOAD_TEST(a_slow_upload_arrives_whole),
        LOAD_TEST(versions_are_counted_by_their_header),
        LOAD_TEST(what_was_acknowledged_is_read_back),
        LOAD_TEST(latency_counts_from_the_intended_time),
        LOAD_TEST(the_bound_of_connections_is_reported_when_it_is_hit),
        LOAD_TEST(a_signal_ends_the_load_when_what_is_in_flight_is_answered),
        LOAD_TEST(marks_begin_phases_and_a_phase_may_come_again),
        LOAD_TEST(sigusr1_enters_the_next_phase),
        LOAD_TEST(the_table_for_people_names_what_went_wrong),
    };
    return cmocka_run_group_tests(tests, load_fixture_start, load_fixture_stop);
}
