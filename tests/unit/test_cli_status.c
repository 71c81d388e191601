#include "supervisor/cli/status_view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/event_view.h"
#include "tests/unit/unit.h"

static const double now = 1764072000; /* 2025-11-25 12:00:00 UTC */

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    return 0;
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        fail_msg("%s", error.text);
    return json;
}

static void assert_status(const char *text, bool workers, const char *expected)
{
    json_t *status = parse(text);
    char *shown = NULL;
    size_t bytes;
    FILE *to = open_memstream(&shown, &bytes);

    status_view_print(status, now, workers, to);
    fclose(to);
    assert_string_equal(shown, expected);
    free(shown);
    json_decref(status);
}

#define INSTANCE                                                                                             \
    "\"version\":1,\"name\":\"site\",\"pid\":4118,\"supervisor_pid\":4120,\"started\":1763812800,"           \
    "\"supervisor_restarts\":0,\"safe_mode\":false,\"stopping\":false,\"config\":\"/etc/baton/site.ini\","
#define STEADY                                                                                               \
    "\"rollout\":{\"state\":\"steady\",\"candidate\":null,\"since\":1763812801.5,\"asked_by\":null,"         \
    "\"upgrade_remembered\":false}"
#define WORKER(number, pid, state, active, idle, requests, errors)                                           \
    "{\"worker\":" number ",\"pid\":" pid ",\"state\":\"" state                                              \
    "\",\"native\":true,\"restarts\":0,\"active\":" active ",\"idle\":" idle ",\"requests\":" requests       \
    ",\"errors\":" errors ",\"status\":null}"

static void a_steady_service_takes_three_lines(void **state)
{
    (void)state;
    assert_status(
        "{" INSTANCE
        "\"services\":[{\"name\":\"blog\",\"state\":\"serving\",\"state_since\":1763812801.5," STEADY
        ",\"listeners\":[{\"name\":\"web\",\"address\":\"0.0.0.0:8080\"}],\"workers_wanted\":2,"
        "\"wanted_differs\":false,\"last\":null,\"generations\":[{\"generation\":8,\"role\":\"stable\","
        "\"state\":\"serving\",\"release\":\"blog-v2 (build 9f3c2a)\",\"started\":1763812801,"
        "\"time_left_ms\":null,\"workers\":[" WORKER("1", "412", "serving", "3", "9", "12345",
                                                     "2") "," WORKER("2", "413", "serving", "4", "6", "1000",
                                                                     "0") "]}]}]}",
        false,
        "blog  serving  for 2 d 23 h  0.0.0.0:8080\n"
        "  GENERATION  STATE            WORKERS  REQUESTS  ERRORS  CONNS (idle)       AGE  RELEASE\n"
        "  8           serving, stable        2    13,345       2       22 (15)  2 d 23 h  blog-v2 (build "
        "9f3c2a)\n"
        "baton site: pid 4118, up 3 d, /etc/baton/site.ini\n");
}

static void a_rollout_and_what_leaves_are_shown_with_the_next_command(void **state)
{
    (void)state;
    assert_status(
        "{\"version\":1,\"name\":\"run\",\"pid\":7,\"supervisor_pid\":9,\"started\":1764071000,"
        "\"supervisor_restarts\":2,\"safe_mode\":true,\"stopping\":true,\"config\":null,"
        "\"services\":[{\"name\":\"blog\",\"state\":\"serving\",\"state_since\":1764071997.5,"
        "\"rollout\":{\"state\":\"verifying\",\"candidate\":9,\"since\":1764071997.5,\"asked_by\":\"uid "
        "1000\","
        "\"upgrade_remembered\":true},\"listeners\":[{\"name\":\"web\",\"address\":\"0.0.0.0:80\"},"
        "{\"name\":\"web6\",\"address\":\"[::1]:80\"}],\"workers_wanted\":2,\"wanted_differs\":true,"
        "\"last\":{\"result\":3,\"generation\":8,\"text\":\"ROLLED BACK: it exited\",\"time\":1763985600},"
        "\"generations\":["
        "{\"generation\":9,\"role\":\"candidate\",\"state\":\"starting\",\"release\":\"v3\","
        "\"started\":1764071995,\"time_left_ms\":null,\"workers\":[" WORKER(
            "3", "500", "starting", "null", "null", "null",
            "null") "]},"
                    "{\"generation\":7,\"role\":\"stable\",\"state\":\"serving\",\"release\":\"v2\","
                    "\"started\":1764000000,"
                    "\"time_left_ms\":null,\"workers\":[" WORKER(
                        "1", "412", "serving", "1", "0", "5",
                        "0") "," WORKER("2", "413", "backoff", "null", "null", "null",
                                        "null") "]},"
                                                "{\"generation\":6,\"role\":\"retired\",\"state\":"
                                                "\"draining\",\"release\":\"v1\",\"started\":1763000000,"
                                                "\"time_left_ms\":47100,\"workers\":[" WORKER(
                                                    "1", "300", "draining", "1", "0", "99", "0") "]}]}]}",
        false,
        "blog  serving  for 2.5 s  0.0.0.0:80, [::1]:80\n"
        "  GENERATION  STATE            WORKERS  REQUESTS  ERRORS  CONNS (idle)       AGE  RELEASE\n"
        "  9           starting               1         -       -             -     5.0 s  v3\n"
        "  7           serving, stable   1 of 2         5       0         1 (0)      20 h  v2\n"
        "  6           draining               1        99       0         1 (0)  12 d 9 h  v1       47 s "
        "left\n"
        "  rollout: generation 9 verifying for 2.5 s, asked for by uid 1000\n"
        "  another upgrade was asked for and starts when this one has ended\n"
        "  last rollout (2025-11-24 12:00:00): ROLLED BACK: it exited\n"
        "  what serves is not what is wanted: baton upgrade blog\n"
        "  next: baton events --follow blog | baton rollback blog\n"
        "baton run: pid 7, up 16 min 40 s, supervisor restarted 2 times\n"
        "it is being stopped\n"
        "SAFE MODE: the supervisor died several times in a row; everything serves, nothing is changed: baton "
        "events\n");
}

static void services_are_aligned_and_a_failed_one_says_where_to_look(void **state)
{
    (void)state;
    assert_status(
        "{" INSTANCE "\"services\":["
        "{\"name\":\"blog\",\"state\":\"failed\",\"state_since\":1764071940,"
        "\"rollout\":{\"state\":\"failed\",\"candidate\":null,\"since\":1764071940,\"asked_by\":null,"
        "\"upgrade_remembered\":false},\"listeners\":[],\"workers_wanted\":1,\"wanted_differs\":false,"
        "\"last\":{\"result\":1,\"generation\":1,\"text\":\"it exited with status 1\\nError: "
        "\\u001b[2Jno\",\"time\":1764071940},"
        "\"generations\":[]},"
        "{\"name\":\"articles\",\"state\":\"stopped\",\"state_since\":1764071940," STEADY
        ",\"listeners\":[],\"workers_wanted\":1,\"wanted_differs\":false,\"last\":null,\"generations\":[]}]}",
        false,
        "blog      failed   for 1 min\n"
        "  last rollout (11:59:00): it exited with status 1\n"
        "    Error: ?[2Jno\n"
        "  next: baton history blog --last | baton events blog\n"
        "articles  stopped  for 1 min\n"
        "baton site: pid 4118, up 3 d, /etc/baton/site.ini\n");
}

static void workers_are_listed_when_asked_for(void **state)
{
    (void)state;
    assert_status(
        "{" INSTANCE
        "\"services\":[{\"name\":\"blog\",\"state\":\"serving\",\"state_since\":1764071940," STEADY
        ",\"listeners\":[],\"workers_wanted\":1,\"wanted_differs\":false,\"last\":null,\"generations\":["
        "{\"generation\":8,\"role\":\"stable\",\"state\":\"serving\",\"release\":\"v2\",\"started\":"
        "1764071940,"
        "\"time_left_ms\":null,\"workers\":[{\"worker\":1,\"pid\":412,\"state\":\"serving\",\"native\":false,"
        "\"restarts\":3,\"active\":null,\"idle\":null,\"requests\":null,\"errors\":null,"
        "\"status\":\"ready, 3 threads\"}]}]}]}",
        true,
        "blog  serving  for 1 min\n"
        "  GENERATION  STATE            WORKERS  REQUESTS  ERRORS  CONNS (idle)    AGE  RELEASE\n"
        "  8           serving, stable        1         -       -             -  1 min  v2\n"
        "  WORKER  PID  STATE    REQUESTS  ERRORS  CONNS (idle)  RESTARTS  SAYS\n"
        "  8.1     412  serving         -       -             -         3  ready, 3 threads\n"
        "baton site: pid 4118, up 3 d, /etc/baton/site.ini\n");
}

/* An answer of another version of baton: what is not there is not shown, and nothing breaks. */
static void what_is_missing_or_of_another_type_reads_as_empty(void **state)
{
    (void)state;
    assert_status("{}", true, "baton : pid 0, up 20417 d 12 h\n");
    assert_status(
        "{\"services\":[{}, 3, {\"generations\":[{\"workers\":[{}]}], \"last\":[], \"rollout\":7}], "
        "\"started\":1764072000}",
        true,
        "for 20417 d 12 h\n"
        "for 20417 d 12 h\n"
        "for 20417 d 12 h\n"
        "  GENERATION  WORKERS  REQUESTS  ERRORS  CONNS (idle)           AGE\n"
        "  0                 1         -       -             -  20417 d 12 h\n"
        "  WORKER  PID  REQUESTS  ERRORS  CONNS (idle)  RESTARTS\n"
        "  0.0       0         -       -             -         0\n"
        "  last rollout (1970-01-01 00:00:00): \n"
        "baton : pid 0, up 0 ms\n");
}

static void assert_events(const char *text, bool details, const char *expected)
{
    struct event_view view = { 0 };
    json_t *events = parse(text), *event;
    char *shown = NULL;
    size_t bytes, i;
    FILE *to = open_memstream(&shown, &bytes);

    event_view_fit(&view, events, now);
    json_array_foreach (events, i, event) {
        if (details)
            event_view_print_details(event, now, to);
        else
            event_view_print(&view, event, now, to);
    }
    fclose(to);
    assert_string_equal(shown, expected);
    free(shown);
    json_decref(events);
}

static const char two_events[] =
    "[{\"id\":7,\"time\":1764071940.25,\"type\":\"started\",\"text\":\"baton is here\"},"
    "{\"id\":8,\"time\":1764071941,\"type\":\"reverted\",\"service\":\"blog\",\"generation\":9,"
    "\"text\":\"ROLLED BACK: it said:\\nError: \\u001b[2J no\\n\",\"cut\":3,\"reason\":\"exit\","
    "\"words\":\"one\\ntwo\"}]";

static void events_are_one_line_each_and_more_when_they_have_more(void **state)
{
    (void)state;
    assert_events("[]", false, "");
    assert_events(two_events, false,
                  "11:59:00        baton is here\n"
                  "11:59:01  blog  ROLLED BACK: it said:\n"
                  "                Error: ?[2J no\n");
}

static void an_event_in_detail_has_all_its_fields(void **state)
{
    (void)state;
    assert_events(two_events, true,
                  "started, 11:59:00 (event 7)\n"
                  "  baton is here\n"
                  "blog: reverted, generation 9, 11:59:01 (event 8)\n"
                  "  ROLLED BACK: it said:\n"
                  "  Error: ?[2J no\n"
                  "  cut: 3\n"
                  "  reason: exit\n"
                  "  words: one\n"
                  "         two\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_service_takes_three_lines),
        cmocka_unit_test(a_rollout_and_what_leaves_are_shown_with_the_next_command),
        cmocka_unit_test(services_are_aligned_and_a_failed_one_says_where_to_look),
        cmocka_unit_test(workers_are_listed_when_asked_for),
        cmocka_unit_test(what_is_missing_or_of_another_type_reads_as_empty),
        cmocka_unit_test(events_are_one_line_each_and_more_when_they_have_more),
        cmocka_unit_test(an_event_in_detail_has_all_its_fields),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
