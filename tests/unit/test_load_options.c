#include "tests/bench/load_options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

#define URL "http://127.0.0.1:80/a"

static struct load_options options;

/* The words after the name of the program, ended by NULL. */
static int parse(const char *const *words)
{
    char *argv[32] = { (char *)(uintptr_t) "load" };
    int argc = 1;

    while (*words)
        argv[argc++] = (char *)(uintptr_t)*words++;
    argv[argc] = NULL;
    return load_options_parse(argc, argv, &options);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void what_is_said_about_answers_belongs_to_the_target_before_it(void **state)
{
    const struct load_target *list = options.targets.list;

    (void)state;
    assert_int_equal(PARSE("--expect", "200,404", "--body", "same", "--short", "1", URL, "--expect", "204",
                           "--post", "/b", "{n}", "--body", "any", "http://[::1]:81/c"),
                     0);
    assert_int_equal(options.targets.count, 3);
    assert_string_equal(list[0].path, "/a");
    assert_int_equal(list[0].expect_count, 1);
    assert_int_equal(list[0].expect[0], 204);
    assert_int_equal(list[0].check, LOAD_BODY_SAME);
    assert_string_equal(list[1].path, "/b");
    assert_string_equal(list[1].body, "{n}");
    assert_true(load_server_equal(&list[0].server, &list[1].server));
    assert_int_equal(list[1].expect_count, 2);
    assert_int_equal(list[1].check, LOAD_BODY_ANY);
    assert_false(load_server_equal(&list[0].server, &list[2].server));
    assert_int_equal(list[2].expect[1], 404);
    load_options_free(&options);
}

static void a_url_without_a_path_only_names_the_server(void **state)
{
    const struct load_target *post = &options.targets.list[0];

    (void)state;
    assert_int_equal(PARSE("--rate", "50,connections=7", "unix:/run/x", "--post", "/articles",
                           "{\"id\":\"{n}\"}", "--verify-acknowledged", "/articles/{n}", "--contains",
                           "id {n}"),
                     0);
    assert_int_equal(options.targets.count, 1);
    assert_string_equal(post->server.host, "localhost");
    assert_int_equal(post->expect[0], 200);
    assert_int_equal(post->expect[1], 201);
    assert_string_equal(post->read_back->path, "/articles/{n}");
    assert_int_equal(post->read_back->expect_count, 1);
    assert_string_equal(post->read_back->contains[0], "id {n}");
    load_options_free(&options);
}

static void a_mode_has_its_numbers_and_keeps_its_presets(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--keepalive", "8,seconds=3,think-ms=5", "--keepalive", "2", "--slow-upload",
                           "1,body=9", "--rate", "1000", URL),
                     0);
    assert_int_equal(options.plan_count, 4);
    assert_int_equal(options.plans[0].connections, 8);
    assert_int_equal(options.plans[0].requests, 100);
    assert_int_equal(options.plans[0].seconds, 3);
    assert_int_equal(options.plans[0].think_ms, 5);
    assert_int_equal(options.plans[1].think_ms, 0);
    assert_int_equal(options.plans[2].body_bytes, 9);
    assert_int_equal(options.plans[2].chunk_bytes, 1024);
    assert_int_equal(options.plans[3].rate, 1000);
    assert_int_equal(options.plans[3].connections, 1000);
    load_options_free(&options);
}

static void limits_and_reports_are_set(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--short", "1", URL, "--seconds", "0.5", "--requests", "9", "--timeout-ms", "70",
                           "--header", "A: b", "--version-header", "X-V", "--phases", "one,two,three",
                           "--ready-fd", "1", "--run", "token", "--json", "--races-fail", "--source",
                           "10.0.0.1/4"),
                     0);
    assert_true(options.seconds > 0.49 && options.seconds < 0.51);
    assert_int_equal(options.requests, 9);
    assert_int_equal(options.timeout_ms, 70);
    assert_int_equal(options.headers.length, 6);
    assert_int_equal(options.version_header_count, 1);
    assert_int_equal(options.phase_count, 3);
    assert_string_equal(options.phases[2], "three");
    assert_int_equal(options.ready_fd, 1);
    assert_int_equal(options.mark_fd, -1);
    assert_string_equal(options.run, "token");
    assert_true(options.json && options.races_fail);
    assert_int_equal(options.sources, 4);
    load_options_free(&options);
}

static void mistakes_are_refused(void **state)
{
    static const char *const wrong[][8] = {
        { URL },
        { "--short", "1" },
        { "--short", "1", "unix:/run/x" },
        { "--short", "1", "http://example.org:80/" },
        { "--short", "0", URL },
        { "--short", "-1", URL },
        { "--short", "1x", URL },
        { "--short", "1,", URL },
        { "--short", "1,requests=5", URL },
        { "--keepalive", "1,requests=0", URL },
        { "--keepalive", "1,request=5", URL },
        { "--keepalive", "1,requests", URL },
        { "--rate", "99999999999", URL },
        { "--slow-upload", "1,pause-ms=10000", URL },
        { "--short", "1", URL, "--expect", "20" },
        { "--short", "1", URL, "--expect", "200," },
        { "--short", "1", URL, "--expect", "100" },
        { "--short", "1", URL, "--body", "/nonexistent" },
        { "--short", "1", "--post", "/a", "b" },
        { "--short", "1", URL, "--post", "/a" },
        { "--short", "1", URL, "--verify-acknowledged", "/a" },
        { "--short", "1", URL, "--contains", "a" },
        { "--short", "1", URL, "--seconds", "0" },
        { "--short", "1", URL, "--seconds", "nan" },
        { "--short", "1", URL, "--requests", "0" },
        { "--short", "1", URL, "--requests", "5 " },
        { "--short", "1", URL, "--timeout-ms", "1s" },
        { "--short", "1", URL, "--header", "A b" },
        { "--short", "1", URL, "--mark-fd", "8191" },
        { "--short", "1", URL, "--phases", "a,,b" },
        { "--short", "1", URL, "--run", "" },
        { "--short", "1", URL, "--source", "::1" },
        { "--short", "1", URL, "--source", "127.0.0.1/0" },
        { "--short", "1", URL, "--fast" },
        { "--short", "1", URL, "-x" },
        { "--short", "1", URL, "--seconds" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (parse(wrong[i]) != -EINVAL)
            fail_msg("accepted: case %zu, %s %s", i, wrong[i][0], wrong[i][1]);
        load_options_free(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(what_is_said_about_answers_belongs_to_the_target_before_it),
        GUARDED(a_url_without_a_path_only_names_the_server),
        GUARDED(a_mode_has_its_numbers_and_keeps_its_presets),
        GUARDED(limits_and_reports_are_set),
        GUARDED(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
