/* libbaton: opening, the conversation, and a supervisor that is killed or slow. */
#include <sys/socket.h>

#include "config.h"
#include "tests/unit/fake_supervisor.h"

/* --- opening -------------------------------------------------------------------------------------- */

static void without_baton_open_says_so(void **state)
{
    struct baton *baton = (struct baton *)&worker;

    (void)state;
    assert_int_equal(baton_open(&baton, &handlers, NULL), -ENOENT);
    assert_null(baton);
    baton_close(NULL);
}

static void what_is_no_channel_is_refused_and_stays_in_the_environment(void **state)
{
    static const char *const bad[] = { "", "x", "-1", "1 ", "99999", "4294967299", "99999999999999999999" };
    struct baton *baton;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC), pair[2];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("BATON_CHANNEL", bad[i], 1);
        assert_int_equal(baton_open(&baton, &handlers, NULL), -EINVAL);
        assert_null(baton);
        assert_string_equal(getenv("BATON_CHANNEL"), bad[i]);
    }
    put_channel_into_environment(file);
    assert_int_equal(baton_open(&baton, &handlers, NULL), -ENOTSOCK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    put_channel_into_environment(pair[0]);
    assert_int_equal(baton_open(&baton, &handlers, NULL), -EINVAL);
    close(file);
    close(pair[0]);
    close(pair[1]);
    unsetenv("BATON_CHANNEL");
    unsetenv("BATON_GENERATION");
}

static void opening_greets_the_supervisor_and_hides_the_channel(void **state)
{
    int ends[2];

    (void)state;
    memset(&worker, 0, sizeof worker);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0); /* blocking, inheritable */
    supervisor = ends[0];
    put_channel_into_environment(ends[1]);
    assert_int_equal(baton_open(&worker.baton, &handlers, &worker), 0);
    assert_null(getenv("BATON_CHANNEL"));
    assert_int_equal(baton_fd(worker.baton), ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
    assert_int_equal(baton_generation(worker.baton), 7);
    assert_false(baton_wants_write(worker.baton));
    hear(MESSAGE_HELLO);
    assert_int_equal(heard.hello.version, 1);
    assert_int_equal(heard.hello.pid, getpid());
    assert_int_equal(heard.hello.holds, 0);
    assert_int_equal(heard.hello.listeners_held, 0);
    hear_nothing();
    close_worker();
}

static void the_version_is_that_of_the_package(void **state)
{
    (void)state;
    assert_string_equal(baton_version(), PACKAGE_VERSION);
}

/* --- the conversation ----------------------------------------------------------------------------- */

static void a_whole_life(void **state)
{
    const struct baton_status status = { 3, 4, 1ull << 40, 5 };

    (void)state;
    open_ready_worker();
    say_listeners(2);
    assert_int_equal(worker.sets, 1);
    assert_int_equal(worker.count, 2);
    assert_string_equal(worker.names[0], "0");
    assert_string_equal(worker.names[1], "1");
    hear_nothing(); /* the worker, not the library, says when it serves */
    assert_int_equal(baton_serving(worker.baton), 0);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, 2);
    say((struct message){ .type = MESSAGE_ROLE, .role = { true } });
    assert_int_equal(worker.role, 1);
    assert_int_equal(baton_status(worker.baton, &status), 0);
    hear(MESSAGE_STATUS);
    assert_int_equal(heard.status.active, 3);
    assert_int_equal(heard.status.idle, 4);
    assert_true(heard.status.requests == 1ull << 40);
    assert_int_equal(heard.status.errors, 5);
    say((struct message){ .type = MESSAGE_DRAIN, .drain = { 5000 } });
    assert_int_equal(worker.drain_ms, 5000);
    assert_int_equal(baton_drained(worker.baton), 0);
    hear(MESSAGE_DRAINED);
    assert_int_equal(baton_bye(worker.baton, "all\nsaid"), 0);
    assert_string_equal(hear(MESSAGE_BYE)->bye.text, "all?said");
    baton_close(worker.baton);
    worker.baton = NULL;
    assert_int_equal(channel_receive(supervisor, &packet), CHANNEL_CLOSED);
    assert_int_equal(worker.lost, 0);
    close_worker();
}

static void listeners_come_in_chunks_and_are_delivered_at_once(int total)
{
    char name[TEXT_NAME_BYTES];

    open_ready_worker();
    say_listeners(total);
    assert_int_equal(worker.sets, 1);
    assert_int_equal(worker.count, total);
    for (int i = 0; i < total; i++) {
        snprintf(name, sizeof name, "%063d", i);
        assert_string_equal(worker.names[i], name);
    }
    assert_int_equal(baton_serving(worker.baton), 0);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, total);
    say_welcome();
    assert_int_equal(hear(MESSAGE_HELLO)->hello.listeners_held, total);
    say_listeners(total); /* again, as a restarted supervisor would */
    assert_int_equal(worker.sets, 1);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, total);
    close_worker();
}

static void three_hundred_listeners_arrive(void **state)
{
    (void)state;
    listeners_come_in_chunks_and_are_delivered_at_once(300);
}

static void as_many_listeners_as_allowed_arrive_and_no_more(void **state)
{
    struct rlimit limit;

    (void)state;
    if (!guard_allow_descriptors(2 * MOST + 64, &limit))
        skip();
    listeners_come_in_chunks_and_are_delivered_at_once(MOST);
    open_ready_worker();
    say_listeners(MOST);
    assert_int_equal(tell_chunk(0, 1, 1), 0); /* the name "0" is new, and one too many */
    assert_int_equal(baton_dispatch(worker.baton), -EPIPE);
    assert_int_equal(worker.count, MOST);
    assert_non_null(strstr(worker.lost_reason, "4096"));
    close_worker();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void an_empty_set_is_delivered_once(void **state)
{
    (void)state;
    open_ready_worker();
    say_listeners(0);
    say_listeners(0);
    assert_int_equal(worker.sets, 1);
    assert_int_equal(worker.count, 0);
    assert_int_equal(baton_serving(worker.baton), 0);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, 0);
    close_worker();
}

static void later_listeners_are_delivered_alone(void **state)
{
    (void)state;
    open_ready_worker();
    say_listeners(2);
    assert_int_equal(baton_serving(worker.baton), 0);
    hear(MESSAGE_SERVING);
    say_listeners(3); /* 0 and 1 are held */
    assert_int_equal(worker.sets, 2);
    assert_int_equal(worker.count, 3);
    assert_string_equal(worker.names[2], "2");
    say_welcome(); /* it does not serve the third before it says so */
    assert_int_equal(hear(MESSAGE_HELLO)->hello.holds, MESSAGE_HOLDS_READY);
    assert_int_equal(heard.hello.listeners_held, 3);
    assert_int_equal(baton_serving(worker.baton), 0);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, 3);
    close_worker();
}

static void a_name_that_comes_twice_in_a_set_is_delivered_once(void **state)
{
    struct message twins = { .type = MESSAGE_LISTENERS, .listeners = { 2, 0, 2, { "web", "web" } } };
    int fds[2] = { STDERR_FILENO, STDERR_FILENO };

    (void)state;
    open_ready_worker();
    assert_int_equal(tell(&twins, fds, 2), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
    assert_int_equal(worker.count, 1);
    close_worker();
}

static void what_is_repeated_is_not_delivered_twice(void **state)
{
    (void)state;
    open_ready_worker();
    for (int i = 0; i < 2; i++) {
        say((struct message){ .type = MESSAGE_ROLE, .role = { false } });
        say((struct message){ .type = MESSAGE_DRAIN, .drain = { BATON_DRAIN_INFINITE } });
    }
    assert_int_equal(worker.roles, 1);
    assert_int_equal(worker.drains, 1);
    say((struct message){ .type = MESSAGE_ROLE, .role = { true } });
    say((struct message){ .type = MESSAGE_DRAIN, .drain = { 1000 } });
    assert_int_equal(worker.roles, 2);
    assert_int_equal(worker.role, 1);
    assert_int_equal(worker.drains, 2);
    assert_int_equal(worker.drain_ms, 1000);
    close_worker();
}

static void handlers_that_are_missing_are_no_harm(void **state)
{
    const struct baton_handlers none = { 0 };

    (void)state;
    open_worker(&none);
    say_welcome();
    say_listeners(3); /* the descriptors are closed: the guard of this test sees it */
    say((struct message){ .type = MESSAGE_ROLE, .role = { true } });
    say((struct message){ .type = MESSAGE_DRAIN, .drain = { 1 } });
    close(supervisor);
    supervisor = -1;
    assert_int_equal(baton_dispatch(worker.baton), -EPIPE);
    close_worker();
}

static void a_scoreboard_that_is_not_used_yet_is_closed(void **state)
{
    struct message welcome = { .type = MESSAGE_WELCOME, .welcome = { 9, 1 } };
    int fd = STDERR_FILENO;

    (void)state;
    open_worker(&handlers);
    assert_int_equal(tell(&welcome, &fd, 1), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
    assert_int_equal(baton_generation(worker.baton), 9);
    close_worker();
}

static void call_everything(void *arg, uint32_t deadline_ms)
{
    const struct baton_status status = { 0 };

    (void)arg;
    (void)deadline_ms;
    worker.drains++;
    assert_int_equal(baton_dispatch(worker.baton), 0);
    assert_int_equal(worker.drains, 1); /* the outer dispatch goes on, not this one */
    baton_ready(worker.baton);
    baton_serving(worker.baton);
    baton_status(worker.baton, &status);
    baton_drained(worker.baton);
    baton_bye(worker.baton, "from inside");
    assert_int_equal(baton_wants_write(worker.baton), 0);
}

static void handlers_may_call_the_library(void **state)
{
    struct baton_handlers reentrant = handlers;
    struct message welcome = { .type = MESSAGE_WELCOME };
    struct message drain = { .type = MESSAGE_DRAIN, .drain = { 1 } };

    (void)state;
    reentrant.on_drain = call_everything;
    open_worker(&reentrant);
    hear(MESSAGE_HELLO);
    assert_int_equal(tell(&welcome, NULL, 0), 0);
    assert_int_equal(tell(&drain, NULL, 0), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
    hear(MESSAGE_HELLO); /* sent with the first fact that was stated */
    assert_int_equal(heard.hello.holds, MESSAGE_HOLDS_READY | MESSAGE_HOLDS_DRAINING);
    hear(MESSAGE_READY);
    hear(MESSAGE_SERVING);
    hear(MESSAGE_STATUS);
    hear(MESSAGE_DRAINED);
    hear(MESSAGE_BYE);
    hear_nothing();
    close_worker();
}

/* --- a supervisor that is killed and comes back ---------------------------------------------------- */

static void a_restarted_supervisor_is_told_everything(void **state)
{
    const struct baton_status status = { 1, 2, 3, 4 };
    uint32_t all = MESSAGE_HOLDS_READY | MESSAGE_HOLDS_SERVING | MESSAGE_HOLDS_DRAINING;

    (void)state;
    open_ready_worker();
    worker.serves_at_once = true;
    say_listeners(2);
    hear(MESSAGE_SERVING);
    say((struct message){ .type = MESSAGE_DRAIN, .drain = { 9 } });
    assert_int_equal(baton_status(worker.baton, &status), 0);
    hear(MESSAGE_STATUS);
    say_welcome();
    assert_int_equal(hear(MESSAGE_HELLO)->hello.holds, all);
    assert_int_equal(heard.hello.listeners_held, 2);
    assert_int_equal(hear(MESSAGE_STATUS)->status.requests, 3);
    hear_nothing();
    assert_int_equal(baton_drained(worker.baton), 0);
    hear(MESSAGE_DRAINED);
    say_welcome();
    assert_int_equal(hear(MESSAGE_HELLO)->hello.holds, all | MESSAGE_HOLDS_DRAINED);
    hear(MESSAGE_STATUS);
    hear_nothing();
    say_listeners(2);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, 2);
    assert_int_equal(worker.sets, 1);
    close_worker();
}

static void a_worker_that_does_not_serve_does_not_say_so_when_it_is_given_listeners_again(void **state)
{
    (void)state;
    open_ready_worker();
    say_listeners(2);
    say_listeners(2);
    hear_nothing();
    assert_int_equal(worker.sets, 1);
    close_worker();
}

static void a_set_whose_rest_died_with_the_supervisor_is_forgotten(void **state)
{
    (void)state;
    open_ready_worker();
    assert_int_equal(tell_chunk(0, 100, 300), 0);
    assert_int_equal(tell_chunk(100, 100, 300), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
    assert_int_equal(worker.sets, 0);
    say_welcome();
    assert_int_equal(hear(MESSAGE_HELLO)->hello.listeners_held, 0);
    say_listeners(300);
    assert_int_equal(worker.sets, 1);
    assert_int_equal(worker.count, 300);
    close_worker();
}

static void a_worker_that_closes_in_the_middle_of_a_set_leaks_nothing(void **state)
{
    (void)state;
    open_ready_worker();
    assert_int_equal(tell_chunk(0, 100, 300), 0);
    assert_int_equal(baton_dispatch(worker.baton), 0);
    close_worker();
}

/* --- a supervisor that does not read --------------------------------------------------------------- */

static void facts_wait_for_a_supervisor_that_does_not_read(void **state)
{
    struct baton_status status = { 0 };
    uint64_t last = 0;
    int drained = 0, ready = 0;

    (void)state;
    open_worker(&handlers);
    while (!baton_wants_write(worker.baton)) {
        status.requests++;
        assert_int_equal(baton_status(worker.baton, &status), 0);
    }
    for (int i = 0; i < 1000; i++) {
        status.requests++;
        assert_int_equal(baton_status(worker.baton, &status), 0);
        assert_int_equal(baton_ready(worker.baton), 0);
        assert_int_equal(baton_drained(worker.baton), 0);
    }
    assert_int_equal(baton_dispatch(worker.baton), 0);
    assert_true(baton_wants_write(worker.baton));
    for (int rounds = 0; rounds < 2; rounds++) {
        while (channel_receive(supervisor, &packet) == 0) {
            assert_null(message_decode(packet.bytes, packet.size, &heard));
            ready += heard.type == MESSAGE_READY;
            drained += heard.type == MESSAGE_DRAINED;
            if (heard.type == MESSAGE_STATUS)
                last = heard.status.requests;
        }
        assert_int_equal(baton_dispatch(worker.baton), 0);
        assert_false(baton_wants_write(worker.baton));
    }
    assert_int_equal(ready, 1);
    assert_int_equal(drained, 1);
    assert_true(last == status.requests);
    close_worker();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(without_baton_open_says_so),
        GUARDED(what_is_no_channel_is_refused_and_stays_in_the_environment),
        GUARDED(opening_greets_the_supervisor_and_hides_the_channel),
        GUARDED(the_version_is_that_of_the_package),
        GUARDED(a_whole_life),
        GUARDED(three_hundred_listeners_arrive),
        GUARDED(as_many_listeners_as_allowed_arrive_and_no_more),
        GUARDED(an_empty_set_is_delivered_once),
        GUARDED(later_listeners_are_delivered_alone),
        GUARDED(a_name_that_comes_twice_in_a_set_is_delivered_once),
        GUARDED(what_is_repeated_is_not_delivered_twice),
        GUARDED(handlers_that_are_missing_are_no_harm),
        GUARDED(a_scoreboard_that_is_not_used_yet_is_closed),
        GUARDED(handlers_may_call_the_library),
        GUARDED(a_restarted_supervisor_is_told_everything),
        GUARDED(a_worker_that_does_not_serve_does_not_say_so_when_it_is_given_listeners_again),
        GUARDED(a_set_whose_rest_died_with_the_supervisor_is_forgotten),
        GUARDED(a_worker_that_closes_in_the_middle_of_a_set_leaks_nothing),
        GUARDED(facts_wait_for_a_supervisor_that_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
