/* libbaton: how the channel ends, and what the worker learns of it. */
#include <sys/resource.h>

#include "tests/unit/fake_supervisor.h"

static void assert_lost(const char *reason)
{
    const struct baton_status status = { 0 };

    assert_int_equal(baton_dispatch(worker.baton), -EPIPE);
    assert_int_equal(worker.lost, 1);
    assert_non_null(strstr(worker.lost_reason, reason));
    assert_true(worker.fd_when_lost >= 0); /* still open, so that an event loop can let go of it */
    assert_int_equal(baton_fd(worker.baton), -1);
    assert_false(baton_wants_write(worker.baton));
    assert_int_equal(baton_dispatch(worker.baton), -EPIPE);
    assert_int_equal(baton_ready(worker.baton), -EPIPE);
    assert_int_equal(baton_serving(worker.baton), -EPIPE);
    assert_int_equal(baton_drained(worker.baton), -EPIPE);
    assert_int_equal(baton_status(worker.baton, &status), -EPIPE);
    assert_int_equal(baton_bye(worker.baton, "x"), -EPIPE);
    assert_int_equal(worker.lost, 1);
}

static void hang_up(void)
{
    close(supervisor);
    supervisor = -1;
}

static void a_worker_learns_once_that_baton_is_gone(void **state)
{
    (void)state;
    open_ready_worker();
    hang_up();
    assert_lost("baton is gone");
    close_worker();
}

static void what_was_said_before_the_end_is_heard(void **state)
{
    struct message drain = { .type = MESSAGE_DRAIN, .drain = { 1234 } };

    (void)state;
    open_ready_worker();
    assert_int_equal(baton_serving(worker.baton), 0); /* unread when the supervisor goes: ECONNRESET */
    assert_int_equal(tell(&drain, NULL, 0), 0);
    hang_up();
    assert_int_equal(baton_serving(worker.baton), 0); /* EPIPE: for dispatch to find */
    assert_int_equal(worker.lost, 0);
    assert_lost("baton is gone");
    assert_int_equal(worker.drain_ms, 1234);
    close_worker();
}

static void the_supervisor_s_bye_is_the_reason(void **state)
{
    struct message bye = { .type = MESSAGE_BYE, .bye = { "this worker belongs to nobody" } };

    (void)state;
    open_worker(&handlers);
    assert_int_equal(tell(&bye, NULL, 0), 0);
    assert_lost("this worker belongs to nobody");
    close_worker();
    open_worker(&handlers);
    bye.bye.text[0] = '\0';
    assert_int_equal(tell(&bye, NULL, 0), 0);
    assert_lost("given up this worker");
    close_worker();
}

/* The worker refuses what the supervisor said, tells it why and goes on without it. */
static void assert_refused(const char *reason)
{
    assert_lost(reason);
    while (channel_receive(supervisor, &packet) == 0)
        assert_null(message_decode(packet.bytes, packet.size, &heard));
    assert_int_equal(heard.type, MESSAGE_BYE);
    assert_non_null(strstr(heard.bye.text, reason));
    close_worker();
}

static void what_is_no_message_ends_the_channel(void **state)
{
    (void)state;
    open_ready_worker();
    assert_int_equal(channel_send(supervisor, "garbage", 7, NULL, 0), 0);
    assert_refused("shorter than a header");
}

static void a_worker_s_message_from_the_supervisor_ends_the_channel(void **state)
{
    struct message ready = { .type = MESSAGE_READY };

    (void)state;
    open_ready_worker();
    assert_int_equal(tell(&ready, NULL, 0), 0);
    assert_refused("does not send this message");
}

static void listeners_before_welcome_end_the_channel(void **state)
{
    (void)state;
    open_worker(&handlers);
    assert_int_equal(tell_chunk(0, 3, 3), 0);
    assert_refused("the first message is WELCOME");
}

static void chunks_out_of_order_end_the_channel(void **state)
{
    static const struct {
        int first, count, total;
    } second[] = { { 0, 2, 4 }, { 1, 1, 4 }, { 3, 1, 4 }, { 2, 2, 5 }, { 0, 0, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        open_ready_worker();
        assert_int_equal(tell_chunk(0, 2, 4), 0);
        assert_int_equal(tell_chunk(second[i].first, second[i].count, second[i].total), 0);
        assert_refused("not in order");
    }
    open_ready_worker();
    assert_int_equal(tell_chunk(1, 1, 4), 0);
    assert_refused("not in order");
}

static void a_wrong_number_of_descriptors_ends_the_channel_and_closes_them(void **state)
{
    struct message listeners = { .type = MESSAGE_LISTENERS, .listeners = { 2, 0, 2, { "a", "b" } } };
    struct message role = { .type = MESSAGE_ROLE };
    int fds[3] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };

    (void)state;
    open_ready_worker();
    assert_int_equal(tell(&listeners, fds, 1), 0);
    assert_refused("wrong number of descriptors");
    open_ready_worker();
    assert_int_equal(tell(&listeners, fds, 3), 0);
    assert_refused("wrong number of descriptors");
    open_ready_worker();
    assert_int_equal(tell(&role, fds, 1), 0);
    assert_refused("wrong number of descriptors");
}

static void descriptors_that_do_not_fit_end_the_channel_and_leak_nothing(void **state)
{
    struct rlimit limit, low;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    open_ready_worker();
    assert_int_equal(tell_chunk(0, 10, 10), 0);
    low = (struct rlimit){ .rlim_cur = (rlim_t)baton_fd(worker.baton) + 4, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int result = baton_dispatch(worker.baton);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(result, -EPIPE);
    assert_int_equal(worker.sets, 0);
    assert_lost("RLIMIT_NOFILE");
    close_worker();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_worker_learns_once_that_baton_is_gone),
        GUARDED(what_was_said_before_the_end_is_heard),
        GUARDED(the_supervisor_s_bye_is_the_reason),
        GUARDED(what_is_no_message_ends_the_channel),
        GUARDED(a_worker_s_message_from_the_supervisor_ends_the_channel),
        GUARDED(listeners_before_welcome_end_the_channel),
        GUARDED(chunks_out_of_order_end_the_channel),
        GUARDED(a_wrong_number_of_descriptors_ends_the_channel_and_closes_them),
        GUARDED(descriptors_that_do_not_fit_end_the_channel_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
