#include "supervisor/events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/event_file.h"
#include "supervisor/event_ring.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char directory[64];

static void path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", directory, name);
}

static void empty_directory(void)
{
    DIR *list = opendir(directory);
    struct dirent *entry;

    assert_non_null(list);
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(list), entry->d_name, 0), 0);
    closedir(list);
}

static int setup(void **state)
{
    strcpy(directory, "/tmp/baton-events.XXXXXX");
    return mkdtemp(directory) ? guard_setup(state) : -1;
}

static int teardown(void **state)
{
    empty_directory();
    rmdir(directory);
    return guard_teardown(state);
}

static void write_file(const char *name, const char *text)
{
    char path[128];

    path_of(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* The file's bytes; valid until the next call. */
static const char *read_file(const char *name)
{
    static char text[8 << 20];
    char path[128];

    path_of(name, path);
    FILE *file = fopen(path, "r");
    if (!file)
        return "";
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static struct events *open_events(int ring, const char *state_dir)
{
    struct events *events = NULL;

    assert_int_equal(events_open(ring, state_dir, &events), 0);
    return events;
}

static json_int_t id_at(json_t *list, size_t index)
{
    return json_integer_value(json_object_get(json_array_get(list, index), "id"));
}

static const char *text_at(json_t *list, size_t index)
{
    return json_string_value(json_object_get(json_array_get(list, index), "text"));
}

/* The ids kept are first..last without a gap. */
static void assert_kept(const struct events *events, json_int_t first, json_int_t last)
{
    json_t *list = events_list(events, 0, NULL, SIZE_MAX);

    assert_int_equal(json_array_size(list), last - first + 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        assert_int_equal(id_at(list, i), first + (json_int_t)i);
    json_decref(list);
}

static void record_some(struct events *events, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        events_record(events, "test", "blog", i, NULL, "number %u", i);
}

static void an_event_is_one_object_with_its_fields_behind(void **state)
{
    struct events *events = open_events(-1, NULL);

    (void)state;
    events_record(events, "committed", "blog", 8, json_pack("{s:i, s:s}", "cut", 3, "text", "not this one"),
                  "upgraded %d -> %d", 7, 8);
    events_record(events, "started", NULL, 0, NULL, "baton is here");
    json_t *list = events_list(events, 0, NULL, SIZE_MAX);
    json_t *event = json_array_get(list, 0);
    json_t *time = json_object_get(event, "time");
    assert_true(json_is_real(time) && json_real_value(time) > 1.7e9);
    json_object_del(event, "time");
    json_object_del(json_array_get(list, 1), "time");
    char *text = json_dumps(list, JSON_COMPACT);
    assert_string_equal(text, "[{\"id\":1,\"type\":\"committed\",\"service\":\"blog\",\"generation\":8,"
                              "\"text\":\"upgraded 7 -> 8\",\"cut\":3},"
                              "{\"id\":2,\"type\":\"started\",\"text\":\"baton is here\"}]");
    free(text);
    json_decref(list);
    events_close(events);
}

static void a_list_is_the_newest_after_an_id_of_one_service(void **state)
{
    struct events *events = open_events(-1, NULL);

    (void)state;
    for (int i = 1; i <= 10; i++)
        events_record(events, "test", i % 2 ? "odd" : "even", 0, NULL, "%d", i);
    events_record(events, "test", NULL, 0, NULL, "of none");
    json_t *list = events_list(events, 3, "even", 3);
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(id_at(list, 0), 6);
    assert_int_equal(id_at(list, 2), 10);
    json_decref(list);
    list = events_list(events, 7, "even", 3);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    const uint64_t beyond[] = { 11, 12, UINT64_MAX };
    for (size_t i = 0; i < 3; i++) {
        list = events_list(events, beyond[i], NULL, SIZE_MAX);
        assert_int_equal(json_array_size(list), 0);
        json_decref(list);
    }
    events_close(events);
}

static void the_last_thousand_are_kept(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    record_some(events, 2 * EVENTS_KEPT + 17);
    assert_kept(events, EVENTS_KEPT + 18, 2 * EVENTS_KEPT + 17);
    events_close(events);
}

static void the_file_is_compacted_when_it_is_twice_as_long(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    record_some(events, 2 * EVENTS_KEPT);
    assert_int_equal(lines_of(read_file("events.jsonl")), 2 * EVENTS_KEPT);
    record_some(events, 1);
    assert_int_equal(lines_of(read_file("events.jsonl")), EVENTS_KEPT);
    record_some(events, 1);
    assert_int_equal(lines_of(read_file("events.jsonl")), EVENTS_KEPT + 1);
    events_close(events);
    events = open_events(-1, directory);
    assert_kept(events, EVENTS_KEPT + 3, 2 * EVENTS_KEPT + 2);
    events_close(events);
}

static void a_restarted_supervisor_finds_its_events_in_the_ring(void **state)
{
    struct events *events = open_events(-1, NULL);

    (void)state;
    record_some(events, EVENTS_KEPT + 5);
    events_set_last_generation(events, "blog", 41);
    int ring = fcntl(events_ring_fd(events), F_DUPFD_CLOEXEC, 0);
    events_close(events);
    events = open_events(ring, NULL);
    assert_kept(events, 6, EVENTS_KEPT + 5);
    assert_int_equal(events_last_generation(events, "blog"), 41);
    events_record(events, "test", NULL, 0, NULL, "the next");
    assert_kept(events, 7, EVENTS_KEPT + 6);
    events_close(events);
}

static void events_and_ids_survive_a_stop(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    record_some(events, 3);
    events_close(events);
    events = open_events(-1, directory);
    record_some(events, 1);
    assert_kept(events, 1, 4);
    events_close(events);
}

static void what_the_file_lacks_is_added_from_the_ring(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    record_some(events, 3);
    int ring = fcntl(events_ring_fd(events), F_DUPFD_CLOEXEC, 0);
    events_close(events);
    write_file("events.jsonl", "{\"id\":1,\"time\":1.5,\"type\":\"test\",\"text\":\"one\"}\n");
    events = open_events(ring, directory);
    assert_int_equal(lines_of(read_file("events.jsonl")), 3);
    events_close(events);
}

static void ids_go_on_behind_a_file_that_knows_more_than_the_ring(void **state)
{
    struct events *events = open_events(-1, NULL);

    (void)state;
    record_some(events, 3);
    int ring = fcntl(events_ring_fd(events), F_DUPFD_CLOEXEC, 0);
    events_close(events);
    write_file("events.jsonl", "{\"id\":70,\"time\":1.5,\"type\":\"test\",\"text\":\"seventy\"}\n");
    events = open_events(ring, directory);
    events_record(events, "test", NULL, 0, NULL, "the next");
    json_t *list = events_list(events, 3, NULL, SIZE_MAX);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(id_at(list, 0), 71);
    json_decref(list);
    events_close(events);
}

static void a_torn_last_line_is_dropped(void **state)
{
    static const char whole[] = "{\"id\":1,\"time\":1.5,\"type\":\"test\",\"text\":\"whole\"}\n";
    static const char torn[] = "{\"id\":2,\"time\":1.5,\"type\":\"test\",\"text\":\"torn\"}";

    (void)state;
    for (size_t length = 1; length < sizeof torn; length++) {
        char text[256];

        snprintf(text, sizeof text, "%s%.*s", whole, (int)length, torn);
        write_file("events.jsonl", text);
        struct events *events = open_events(-1, directory);
        assert_string_equal(read_file("events.jsonl"), whole);
        events_record(events, "test", NULL, 0, NULL, "the next");
        assert_kept(events, 1, 2);
        assert_int_equal(lines_of(read_file("events.jsonl")), 2);
        events_close(events);
    }
}

static void lines_that_are_no_events_are_skipped_and_cleared_away(void **state)
{
    char *text = malloc(100000);

    (void)state;
    strcpy(text, "\n{\"id\":1,\"type\":\"a\",\"text\":\"\"}\nnot json\n[]\n{\"id\":\"2\"}\n{\"id\":-2}\n"
                 "{\"id\":5,\"type\":\"b\",\"text\":\"\"}\n{\"id\":5,\"type\":\"again\"}\n{\"id\":3}"
                 "\n\"\xff\"\n{\"id\":6,\"x\":\"");
    memset(text + strlen(text), 'x', 3000);
    strcpy(text + strlen(text), "\"}\n{\"id\":7}\n");
    write_file("events.jsonl", text);
    free(text);
    struct events *events = open_events(-1, directory);
    json_t *list = events_list(events, 0, NULL, SIZE_MAX);
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(id_at(list, 0), 1);
    assert_int_equal(id_at(list, 1), 5);
    assert_int_equal(id_at(list, 2), 7);
    json_decref(list);
    assert_int_equal(lines_of(read_file("events.jsonl")), 3);
    events_close(events);
}

static void an_event_that_is_too_long_is_cut_and_stays_an_event(void **state)
{
    struct events *events = open_events(-1, directory);
    char text[5000];

    (void)state;
    static const char *const fillers[] = { "x", "\"", "\xe2\x82\xac", "\n" };
    for (size_t filler = 0; filler < 4; filler++) {
        size_t step = strlen(fillers[filler]);

        for (size_t i = 0; i + step < sizeof text; i += step)
            strcpy(text + i, fillers[filler]);
        events_record(events, "test", "blog", 1, json_pack("{s:s, s:s}", "id", "mine", "words", text), "%s",
                      text);
        events_record(events, "test", "blog", 1, json_pack("{s:s}", "words", text), "short");
    }
    json_t *list = events_list(events, 0, NULL, SIZE_MAX);
    assert_int_equal(json_array_size(list), 8);
    for (size_t i = 0; i < 8; i++) {
        json_t *event = json_array_get(list, i);

        assert_int_equal(id_at(list, i), i + 1);
        assert_true(json_is_true(json_object_get(event, "shortened")));
        assert_string_equal(json_string_value(json_object_get(event, "service")), "blog");
        if (i % 2)
            assert_string_equal(text_at(list, i), "short");
        else
            assert_non_null(strstr(text_at(list, i), "…"));
    }
    json_decref(list);
    events_close(events);
}

static void words_of_others_become_clean_text(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    events_record(events, "test", "blog", 1, NULL, "it said: \xff\xc3 \x1b[31m caf\xc3\xa9\nline two");
    json_t *list = events_list(events, 0, NULL, SIZE_MAX);
    assert_string_equal(text_at(list, 0), "it said: ?? ?[31m caf\xc3\xa9\nline two");
    json_decref(list);
    assert_int_equal(lines_of(read_file("events.jsonl")), 1);
    events_close(events);
}

static void generation_numbers_never_go_back(void **state)
{
    struct events *events = open_events(-1, directory);

    (void)state;
    assert_int_equal(events_last_generation(events, "blog"), 0);
    events_set_last_generation(events, "blog", 7);
    events_set_last_generation(events, "shop", 1);
    events_set_last_generation(events, "blog", 6);
    assert_int_equal(events_last_generation(events, "blog"), 7);
    assert_string_equal(
        read_file("generations.json"),
        "{\n  \"version\": 1,\n  \"generations\": {\n    \"blog\": 7,\n    \"shop\": 1\n  }\n}");
    events_close(events);
    events = open_events(-1, directory);
    assert_int_equal(events_last_generation(events, "blog"), 7);
    assert_int_equal(events_last_generation(events, "shop"), 1);
    events_close(events);
}

static void lost_generation_numbers_are_found_in_the_events(void **state)
{
    static const char *const broken[] = {
        NULL,
        "",
        "{",
        "[]",
        "{\"version\":1}",
        "{\"version\":2,\"generations\":{}}",
        "{\"version\":1,\"generations\":{\"blog\":\"9\",\"\":3,\"shop\":-1}}"
    };
    struct events *events = open_events(-1, directory);

    (void)state;
    events_record(events, "started", "blog", 12, NULL, "generation 12 started");
    events_close(events);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        if (broken[i])
            write_file("generations.json", broken[i]);
        events = open_events(-1, directory);
        assert_int_equal(events_last_generation(events, "blog"), 12);
        assert_int_equal(events_last_generation(events, "shop"), 0);
        events_close(events);
        assert_non_null(strstr(read_file("generations.json"), "\"blog\": 12"));
    }
}

static void without_a_directory_everything_is_kept_in_memory(void **state)
{
    char path[128];
    struct events *events;

    (void)state;
    path_of("missing", path);
    events = open_events(-1, path);
    record_some(events, 3);
    events_set_last_generation(events, "blog", 3);
    assert_kept(events, 1, 3);
    assert_int_equal(events_last_generation(events, "blog"), 3);
    events_close(events);
}

static void a_memory_that_is_no_ring_is_replaced(void **state)
{
    int other = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct events *events = open_events(-1, directory);

    (void)state;
    record_some(events, 2);
    int ring = fcntl(events_ring_fd(events), F_DUPFD_CLOEXEC, 0);
    events_close(events);
    assert_int_equal(pwrite(ring, "baton events 9", 14, 0), 14);
    events = open_events(ring, directory);
    assert_kept(events, 1, 2);
    events_close(events);
    events = open_events(other, directory);
    assert_kept(events, 1, 2);
    events_close(events);
}

static void a_damaged_record_of_the_ring_is_skipped(void **state)
{
    char bytes[EVENT_BYTES_MAX];
    struct event_ring ring;
    off_t size;

    (void)state;
    assert_int_equal(event_ring_create(&ring), 0);
    size = lseek(ring.fd, 0, SEEK_END);
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(event_ring_put(&ring, id, "text", 4), 0);
    off_t second = size - (EVENTS_KEPT - 2) * EVENT_BYTES_MAX;
    assert_int_equal(pwrite(ring.fd, "T", 1, second + 16), 1);
    assert_int_equal(event_ring_get(&ring, 1, bytes), 4);
    assert_int_equal(event_ring_get(&ring, 2, bytes), 0);
    assert_int_equal(event_ring_get(&ring, 3, bytes), 4);
    assert_int_equal(event_ring_put(&ring, 4, bytes, EVENT_RING_TEXT_MAX + 1), -EMSGSIZE);
    int copy = fcntl(ring.fd, F_DUPFD_CLOEXEC, 0);
    event_ring_close(&ring);
    assert_int_equal(event_ring_attach(&ring, copy), 0);
    assert_int_equal(ring.newest, 3);
    assert_int_equal(ftruncate(ring.fd, 0), -1); /* sealed */
    event_ring_close(&ring);
}

static void on_event(void *arg, json_t *event)
{
    json_int_t *last = arg;

    assert_int_equal(json_integer_value(json_object_get(event, "id")), *last + 1);
    ++*last;
}

static void the_subscriber_hears_each_event_in_order(void **state)
{
    struct events *events = open_events(-1, NULL);
    json_int_t last = 0;

    (void)state;
    events_subscribe(events, on_event, &last);
    record_some(events, 5);
    assert_int_equal(last, 5);
    events_subscribe(events, NULL, NULL);
    record_some(events, 1);
    assert_int_equal(last, 5);
    events_close(events);
}

/* A writer that is killed at any moment: what it recorded is there, in the ring and in the file. */
static void a_killed_writer_leaves_whole_events(void **state)
{
    struct events *events = open_events(-1, directory);
    json_int_t last = 0;

    (void)state;
    for (int round = 0; round < 40; round++) {
        int told[2];

        assert_int_equal(pipe2(told, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
            for (uint32_t i = 1;; i++) {
                events_record(events, "test", "blog", i, NULL, "number %" PRIu32, i);
                if (write(told[1], "x", 1) != 1)
                    _exit(1);
            }
        }
        close(told[1]);
        char byte;
        for (int i = 0; i < 20 + round; i++)
            assert_int_equal(read(told[0], &byte, 1), 1);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(told[0]);
        int ring = fcntl(events_ring_fd(events), F_DUPFD_CLOEXEC, 0);
        events_close(events);
        events = open_events(ring, directory);
        json_t *list = events_list(events, 0, NULL, SIZE_MAX);
        size_t count = json_array_size(list);
        assert_true(id_at(list, count - 1) >= last + 20 + round);
        last = id_at(list, count - 1);
        assert_int_equal(last - id_at(list, 0), count - 1); /* no gap */
        json_decref(list);
    }
    events_close(events);
    events = open_events(-1, directory);
    assert_kept(events, last > EVENTS_KEPT ? last - EVENTS_KEPT + 1 : 1, last);
    events_close(events);
}

/* In a child of its own with a tiny file system. Exit status: 0 good, 77 not permitted here. */
static int fill_the_disk(void)
{
    uid_t uid = getuid();
    struct events *events;
    char path[128];

    if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", directory, "tmpfs", 0, "size=64k") < 0)
        return 77;
    events = open_events(-1, directory);
    record_some(events, EVENTS_KEPT); /* about 90 KiB: it is full before */
    events_set_last_generation(events, "blog", 5);
    assert_kept(events, 1, EVENTS_KEPT);
    const char *text = read_file("events.jsonl");
    assert_true(strlen(text) > 32 * 1024 && text[strlen(text) - 1] == '\n'); /* no half line */
    path_of(".", path);
    assert_int_equal(mount(NULL, path, NULL, MS_REMOUNT, "size=4m"), 0);
    record_some(events, 1);
    assert_int_equal(lines_of(read_file("events.jsonl")), EVENTS_KEPT);
    assert_non_null(strstr(read_file("generations.json"), "\"blog\": "));
    events_close(events);
    events = open_events(-1, directory);
    assert_kept(events, 2, EVENTS_KEPT + 1);
    assert_int_equal(events_last_generation(events, "blog"), EVENTS_KEPT);
    events_close(events);
    return 0;
}

static void a_full_disk_costs_nothing_but_the_file(void **state)
{
    int status;

    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_the_disk());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("a mount namespace is not permitted here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_one_object_with_its_fields_behind),
        TEST(a_list_is_the_newest_after_an_id_of_one_service),
        TEST(the_last_thousand_are_kept),
        TEST(the_file_is_compacted_when_it_is_twice_as_long),
        TEST(a_restarted_supervisor_finds_its_events_in_the_ring),
        TEST(events_and_ids_survive_a_stop),
        TEST(what_the_file_lacks_is_added_from_the_ring),
        TEST(ids_go_on_behind_a_file_that_knows_more_than_the_ring),
        TEST(a_torn_last_line_is_dropped),
        TEST(lines_that_are_no_events_are_skipped_and_cleared_away),
        TEST(an_event_that_is_too_long_is_cut_and_stays_an_event),
        TEST(words_of_others_become_clean_text),
        TEST(generation_numbers_never_go_back),
        TEST(lost_generation_numbers_are_found_in_the_events),
        TEST(without_a_directory_everything_is_kept_in_memory),
        TEST(a_memory_that_is_no_ring_is_replaced),
        TEST(a_damaged_record_of_the_ring_is_skipped),
        TEST(the_subscriber_hears_each_event_in_order),
        TEST(a_killed_writer_leaves_whole_events),
        TEST(a_full_disk_costs_nothing_but_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
