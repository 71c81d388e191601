#include "proto/intake.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static struct intake intake;
static struct arrivals fresh;
static const char *wrong;

/* A chunk whose names are given, one letter each. */
static enum intake_outcome chunk(int first, int total, const char *letters)
{
    struct message message = { .type = MESSAGE_LISTENERS };
    struct channel_packet packet = { .size = 1 };
    enum intake_outcome outcome;

    message.listeners.first = (uint16_t)first;
    message.listeners.total = (uint16_t)total;
    message.listeners.count = (uint16_t)strlen(letters);
    for (; letters[packet.count]; packet.count++) {
        snprintf(message.listeners.names[packet.count], TEXT_NAME_BYTES, "%c", letters[packet.count]);
        packet.fds[packet.count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    wrong = NULL;
    outcome = intake_chunk(&intake, &message, &packet, &fresh, &wrong);
    channel_packet_close(&packet);
    return outcome;
}

/* Names of `fresh`, one letter each; it is cleared. */
static void assert_fresh(const char *letters)
{
    assert_int_equal(fresh.count, strlen(letters));
    for (size_t i = 0; i < fresh.count; i++) {
        assert_int_equal(fresh.items[i].name[0], letters[i]);
        assert_int_equal(fcntl(fresh.items[i].fd, F_GETFD), FD_CLOEXEC);
    }
    arrivals_clear(&fresh);
}

static void a_set_is_new_when_its_last_chunk_is_there(void **state)
{
    (void)state;
    assert_int_equal(chunk(0, 5, "zb"), INTAKE_INCOMPLETE);
    assert_int_equal(chunk(2, 5, "ac"), INTAKE_INCOMPLETE);
    assert_int_equal(chunk(4, 5, "y"), INTAKE_NEW);
    assert_fresh("zbacy"); /* in the order of the supervisor */
    intake_clear(&intake);
}

static void only_what_is_not_held_is_new(void **state)
{
    (void)state;
    assert_int_equal(chunk(0, 2, "ab"), INTAKE_NEW);
    assert_fresh("ab");
    assert_int_equal(chunk(0, 2, "ba"), INTAKE_HELD);
    assert_fresh("");
    assert_int_equal(chunk(0, 4, "cadb"), INTAKE_NEW);
    assert_fresh("cd");
    intake_clear(&intake);
}

static void inherited_listeners_are_held(void **state)
{
    struct arrivals inherited = { 0 };

    (void)state;
    assert_int_equal(arrivals_add(&inherited, "a", open("/dev/null", O_RDONLY | O_CLOEXEC)), 0);
    assert_int_equal(intake_hold(&intake, &inherited), 0);
    arrivals_clear(&inherited);
    assert_int_equal(chunk(0, 2, "ab"), INTAKE_NEW);
    assert_fresh("b");
    intake_clear(&intake);
}

static void an_empty_set_is_news_when_it_is_the_first(void **state)
{
    (void)state;
    assert_int_equal(chunk(0, 0, ""), INTAKE_NEW);
    assert_int_equal(chunk(0, 0, ""), INTAKE_HELD);
    intake_clear(&intake);
}

static void an_incomplete_set_can_be_forgotten(void **state)
{
    (void)state;
    assert_int_equal(chunk(0, 3, "ab"), INTAKE_INCOMPLETE);
    intake_restart(&intake);
    assert_int_equal(chunk(0, 1, "a"), INTAKE_NEW); /* it was never delivered */
    assert_fresh("a");
    assert_int_equal(chunk(0, 3, "xy"), INTAKE_INCOMPLETE);
    intake_clear(&intake); /* the guard sees that both are closed */
}

static void a_chunk_that_does_not_follow_is_refused(void **state)
{
    (void)state;
    assert_int_equal(chunk(1, 3, "a"), INTAKE_REFUSED);
    assert_non_null(wrong);
    assert_int_equal(chunk(0, 3, "a"), INTAKE_INCOMPLETE);
    assert_int_equal(chunk(1, 4, "b"), INTAKE_REFUSED);
    assert_non_null(wrong);
    assert_fresh("");
    intake_clear(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_set_is_new_when_its_last_chunk_is_there),
        GUARDED(only_what_is_not_held_is_new),
        GUARDED(inherited_listeners_are_held),
        GUARDED(an_empty_set_is_news_when_it_is_the_first),
        GUARDED(an_incomplete_set_can_be_forgotten),
        GUARDED(a_chunk_that_does_not_follow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
