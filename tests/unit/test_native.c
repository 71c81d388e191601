#include "supervisor/process/native.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/message.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* The worker's end of a channel, spoken by hand, and what the supervisor's side made of it. */
struct talk {
    struct ev_loop *loop;
    struct native *native;
    int worker;
    unsigned hellos, readies, servings, draineds, statuses, byes, losses;
    uint32_t held, serving_count;
    bool broken;
    struct native_status status;
    char text[256];
};

static void on_hello(void *arg, uint32_t held)
{
    struct talk *talk = arg;
    talk->hellos++;
    talk->held = held;
}

static void on_ready(void *arg)
{
    ((struct talk *)arg)->readies++;
}

static void on_serving(void *arg, uint32_t count)
{
    struct talk *talk = arg;
    talk->servings++;
    talk->serving_count = count;
}

static void on_drained(void *arg)
{
    ((struct talk *)arg)->draineds++;
}

static void on_status(void *arg, const struct native_status *status)
{
    struct talk *talk = arg;
    talk->statuses++;
    talk->status = *status;
}

static void on_bye(void *arg, const char *text)
{
    struct talk *talk = arg;
    talk->byes++;
    snprintf(talk->text, sizeof talk->text, "%s", text);
}

static void on_lost(void *arg, bool broken, const char *reason)
{
    struct talk *talk = arg;
    talk->losses++;
    talk->broken = broken;
    snprintf(talk->text, sizeof talk->text, "%s", reason);
}

static const struct native_handlers handlers = { on_hello,  on_ready, on_serving, on_drained,
                                                 on_status, on_bye,   on_lost };

static void talk_begin(struct talk *talk, enum native_past past)
{
    int ends[2];

    memset(talk, 0, sizeof *talk);
    talk->loop = ev_loop_new(EVFLAG_AUTO);
    assert_int_equal(channel_pair(ends), 0);
    talk->worker = ends[1];
    assert_int_equal(native_open(talk->loop, ends[0], 7, 2, past, &handlers, talk, &talk->native), 0);
}

static void talk_end(struct talk *talk)
{
    native_close(talk->native);
    if (talk->worker >= 0)
        close(talk->worker);
    ev_loop_destroy(talk->loop);
}

/* Let the loop do everything it can do now. */
static void turn(struct talk *talk)
{
    for (int i = 0; i < 50; i++)
        ev_run(talk->loop, EVRUN_NOWAIT);
}

static void say(struct talk *talk, const struct message *message)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(message, bytes);

    assert_true(size > 0);
    assert_int_equal(channel_send(talk->worker, bytes, (size_t)size, NULL, 0), 0);
}

static void hello(struct talk *talk, uint32_t holds, uint32_t held)
{
    say(talk,
        &(struct message){ .type = MESSAGE_HELLO,
                           .hello = { .version = 1, .pid = 4711, .holds = holds, .listeners_held = held } });
    turn(talk);
}

/* What the worker hears next; its descriptors are closed. */
static enum message_type hear(struct talk *talk, struct message *message)
{
    struct channel_packet packet;

    turn(talk);
    assert_int_equal(channel_receive(talk->worker, &packet), 0);
    assert_null(message_decode(packet.bytes, packet.size, message));
    assert_true(message_carries(message, packet.count));
    channel_packet_close(&packet);
    return message->type;
}

static void a_worker_is_welcomed_and_its_facts_are_told(void **state)
{
    struct talk talk;
    struct message message;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    assert_false(native_greeted(talk.native));
    assert_int_equal(hear(&talk, &message), MESSAGE_WELCOME);
    assert_int_equal(message.welcome.generation, 7);
    assert_int_equal(message.welcome.worker, 2);
    hello(&talk, 0, 0);
    assert_true(native_greeted(talk.native));
    say(&talk, &(struct message){ .type = MESSAGE_READY });
    say(&talk, &(struct message){ .type = MESSAGE_SERVING, .serving.count = 3 });
    say(&talk, &(struct message){ .type = MESSAGE_STATUS, .status = { 1, 2, 3, 4 } });
    say(&talk, &(struct message){ .type = MESSAGE_DRAINED });
    say(&talk, &(struct message){ .type = MESSAGE_BYE, .bye.text = "cannot open the database" });
    turn(&talk);
    assert_int_equal(talk.readies, 1);
    assert_int_equal(talk.serving_count, 3);
    assert_true(talk.status.active == 1 && talk.status.idle == 2 && talk.status.requests == 3 &&
                talk.status.errors == 4);
    assert_int_equal(talk.draineds, 1);
    assert_string_equal(talk.text, "cannot open the database");
    assert_int_equal(talk.losses, 0);
    talk_end(&talk);
}

static void what_a_worker_holds_is_told_when_it_answers_a_second_welcome(void **state)
{
    struct talk talk;

    (void)state;
    talk_begin(&talk, NATIVE_GREETED); /* a supervisor before us had its HELLO … */
    say(&talk,
        &(struct message){ .type = MESSAGE_STATUS, .status = { 5, 0, 0, 0 } }); /* … and did not read this */
    turn(&talk);
    assert_int_equal(talk.status.active, 5);
    hello(&talk, MESSAGE_HOLDS_READY | MESSAGE_HOLDS_SERVING, 4);
    assert_int_equal(talk.held, 4);
    assert_int_equal(talk.readies, 1);
    assert_int_equal(talk.serving_count, 4);
    assert_int_equal(talk.losses, 0);
    talk_end(&talk);
}

static void a_fact_may_come_first_when_a_supervisor_died_with_the_hello(void **state)
{
    struct talk talk;

    (void)state;
    talk_begin(&talk, NATIVE_UNKNOWN);
    assert_false(native_greeted(talk.native)); /* it may be no native worker at all */
    say(&talk, &(struct message){ .type = MESSAGE_READY });
    turn(&talk);
    assert_int_equal(talk.losses, 0);
    assert_int_equal(talk.readies, 1);
    assert_true(native_greeted(talk.native));
    talk_end(&talk);
}

static void three_hundred_listeners_go_in_counted_chunks(void **state)
{
    enum { COUNT = 300 };
    struct native_listener listeners[COUNT];
    char names[COUNT][16];
    struct talk talk;
    struct message message;
    unsigned seen = 0;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    int fd = eventfd(0, EFD_CLOEXEC);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "listener-%d", i);
        listeners[i] = (struct native_listener){ names[i], fd };
    }
    assert_int_equal(native_give_listeners(talk.native, listeners, COUNT), 0);
    close(fd); /* the queue has copies of its own */
    assert_int_equal(hear(&talk, &message), MESSAGE_WELCOME);
    while (seen < COUNT) {
        assert_int_equal(hear(&talk, &message), MESSAGE_LISTENERS);
        assert_int_equal(message.listeners.total, COUNT);
        assert_int_equal(message.listeners.first, seen);
        assert_string_equal(message.listeners.names[0], names[seen]);
        seen += message.listeners.count;
    }
    talk_end(&talk);
}

static void orders_arrive_in_the_order_they_were_given(void **state)
{
    struct talk talk;
    struct message message;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    assert_int_equal(native_tell_role(talk.native, true), 0);
    assert_int_equal(native_tell_drain(talk.native, 1500), 0);
    assert_int_equal(hear(&talk, &message), MESSAGE_WELCOME);
    assert_int_equal(hear(&talk, &message), MESSAGE_ROLE);
    assert_true(message.role.serving);
    assert_int_equal(hear(&talk, &message), MESSAGE_DRAIN);
    assert_int_equal(message.drain.deadline_ms, 1500);
    talk_end(&talk);
}

/* Each of these ends the channel once, with a reason, and is never a crash. */
static void a_worker_that_breaks_the_protocol_is_dropped(void **state)
{
    static const struct {
        enum message_type type;
        bool greet;
        const char *reason;
    } cases[] = {
        { MESSAGE_READY, false, "before HELLO" },
        { MESSAGE_WELCOME, true, "not for a worker" },
        { MESSAGE_DRAIN, true, "not for a worker" },
        { MESSAGE_LISTENERS, true, "not for a worker" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk talk;

        talk_begin(&talk, NATIVE_NEW);
        if (cases[i].greet)
            hello(&talk, 0, 0);
        say(&talk, &(struct message){ .type = cases[i].type });
        say(&talk, &(struct message){ .type = MESSAGE_READY });
        turn(&talk);
        assert_int_equal(talk.losses, 1);
        assert_true(talk.broken);
        assert_int_equal(talk.readies, 0);
        assert_non_null(strstr(talk.text, cases[i].reason));
        assert_true(native_tell_role(talk.native, true) < 0);
        talk_end(&talk);
    }
}

static void garbage_and_descriptors_are_dropped_without_a_leak(void **state)
{
    uint8_t hello_bytes[MESSAGE_MAX_BYTES];
    struct message message = { .type = MESSAGE_HELLO, .hello.version = 1 };
    int size = message_encode(&message, hello_bytes);
    struct talk talk;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    assert_int_equal(channel_send(talk.worker, "GET / HTTP/1.1\r\n\r\n", 18, NULL, 0), 0);
    turn(&talk);
    assert_true(talk.losses == 1 && talk.broken);
    talk_end(&talk);

    talk_begin(&talk, NATIVE_NEW);
    assert_int_equal(channel_send(talk.worker, hello_bytes, (size_t)size, &talk.worker, 1), 0);
    turn(&talk);
    assert_true(talk.losses == 1 && talk.broken);
    assert_non_null(strstr(talk.text, "with descriptors"));
    talk_end(&talk);
}

static void closing_the_channel_is_not_breaking_the_protocol(void **state)
{
    struct talk talk;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    hello(&talk, 0, 0);
    say(&talk, &(struct message){ .type = MESSAGE_BYE, .bye.text = "last words" });
    close(talk.worker);
    talk.worker = -1;
    native_read(talk.native); /* everything that was said before the end is heard, without the loop */
    assert_int_equal(talk.byes, 1);
    assert_int_equal(talk.losses, 1);
    assert_false(talk.broken);
    assert_false(native_greeted(talk.native));
    talk_end(&talk);
}

static void a_worker_that_does_not_read_is_bounded_and_gets_everything_when_it_does(void **state)
{
    struct talk talk;
    struct message message;
    unsigned given = 0, heard = 0;
    struct channel_packet packet;

    (void)state;
    talk_begin(&talk, NATIVE_NEW);
    turn(&talk);
    while (native_tell_role(talk.native, given % 2) == 0) {
        given++;
        turn(&talk);
        assert_true(given < 100000);
    }
    for (int result; (result = channel_receive(talk.worker, &packet)) == 0 || heard < given + 1;) {
        if (result == CHANNEL_AGAIN) {
            turn(&talk);
            continue;
        }
        assert_int_equal(result, 0);
        assert_null(message_decode(packet.bytes, packet.size, &message));
        if (heard > 0)
            assert_int_equal(message.role.serving, (heard - 1) % 2);
        heard++;
    }
    assert_int_equal(heard, given + 1);
    talk_end(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_worker_is_welcomed_and_its_facts_are_told),
        GUARDED(what_a_worker_holds_is_told_when_it_answers_a_second_welcome),
        GUARDED(a_fact_may_come_first_when_a_supervisor_died_with_the_hello),
        GUARDED(three_hundred_listeners_go_in_counted_chunks),
        GUARDED(orders_arrive_in_the_order_they_were_given),
        GUARDED(a_worker_that_breaks_the_protocol_is_dropped),
        GUARDED(garbage_and_descriptors_are_dropped_without_a_leak),
        GUARDED(closing_the_channel_is_not_breaking_the_protocol),
        GUARDED(a_worker_that_does_not_read_is_bounded_and_gets_everything_when_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
