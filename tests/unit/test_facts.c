#include "proto/facts.h"

#include "tests/unit/unit.h"

/* Everything that is pending, in the order it is said; type 0 ends the list. */
static void assert_says(struct facts *facts, const enum message_type *types)
{
    struct message message;

    for (; *types; types++) {
        assert_true(facts_next(facts, &message));
        assert_int_equal(message.type, *types);
        facts_sent(facts, message.type);
    }
    assert_false(facts_next(facts, &message));
}

#define ASSERT_SAYS(facts, ...) assert_says(facts, (const enum message_type[]){ __VA_ARGS__, 0 })

static void nothing_is_said_without_a_fact(void **state)
{
    struct facts facts = { .pid = 1 };
    struct message message;

    (void)state;
    assert_false(facts_next(&facts, &message));
}

static void a_fact_is_said_once_however_often_it_was_stated(void **state)
{
    const struct baton_status first = { .requests = 1 }, second = { .requests = 2 };
    struct facts facts = { .pid = 1 };
    struct message message;

    (void)state;
    for (int i = 0; i < 3; i++) {
        facts_bye(&facts, "end");
        facts_drained(&facts);
        facts_status(&facts, &first);
        facts_status(&facts, &second);
        facts_serving(&facts);
        facts_ready(&facts);
    }
    facts_sent(&facts, MESSAGE_READY);
    facts_sent(&facts, MESSAGE_SERVING);
    assert_true(facts_next(&facts, &message));
    assert_int_equal(message.status.requests, 2);
    ASSERT_SAYS(&facts, MESSAGE_STATUS, MESSAGE_DRAINED, MESSAGE_BYE);
}

static void a_greeting_holds_all_facts_and_new_ones_follow(void **state)
{
    struct facts facts = { .pid = 4711 };
    struct message message;

    (void)state;
    facts_greet(&facts);
    facts_ready(&facts);
    facts_delivered(&facts, 3);
    facts_serving(&facts);
    facts_draining(&facts);
    facts_drained(&facts);
    assert_true(facts_next(&facts, &message));
    assert_int_equal(message.type, MESSAGE_HELLO);
    assert_int_equal(message.hello.pid, 4711);
    assert_int_equal(message.hello.holds, MESSAGE_HOLDS_ALL);
    assert_int_equal(message.hello.listeners_held, 3);
    ASSERT_SAYS(&facts, MESSAGE_HELLO, MESSAGE_READY, MESSAGE_SERVING, MESSAGE_DRAINED);
    facts_greet(&facts);
    assert_true(facts_next(&facts, &message));
    assert_int_equal(message.hello.holds, MESSAGE_HOLDS_ALL);
    ASSERT_SAYS(&facts, MESSAGE_HELLO);
}

static void a_fact_after_the_greeting_is_said_after_it(void **state)
{
    struct facts facts = { .pid = 1 };

    (void)state;
    facts_greet(&facts);
    ASSERT_SAYS(&facts, MESSAGE_HELLO);
    facts_ready(&facts);
    ASSERT_SAYS(&facts, MESSAGE_READY);
}

static void a_new_supervisor_hears_status_and_bye_again(void **state)
{
    const struct baton_status status = { .active = 1 };
    struct facts facts = { .pid = 1 };

    (void)state;
    facts_status(&facts, &status);
    facts_bye(&facts, "end");
    ASSERT_SAYS(&facts, MESSAGE_STATUS, MESSAGE_BYE);
    facts_greet(&facts);
    ASSERT_SAYS(&facts, MESSAGE_HELLO, MESSAGE_STATUS, MESSAGE_BYE);
}

static void new_listeners_are_not_served_before_the_worker_says_so(void **state)
{
    struct facts facts = { .pid = 1 };
    struct message message;

    (void)state;
    facts_delivered(&facts, 2);
    facts_serving(&facts);
    facts_delivered(&facts, 0); /* none: nothing changes */
    facts_given_again(&facts);
    assert_true(facts_next(&facts, &message));
    assert_int_equal(message.serving.count, 2);
    facts_delivered(&facts, 1); /* what was pending is not true any more */
    assert_false(facts_next(&facts, &message));
    facts_given_again(&facts);
    assert_false(facts_next(&facts, &message));
    facts_serving(&facts);
    assert_true(facts_next(&facts, &message));
    assert_int_equal(message.serving.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_without_a_fact),
        cmocka_unit_test(a_fact_is_said_once_however_often_it_was_stated),
        cmocka_unit_test(a_greeting_holds_all_facts_and_new_ones_follow),
        cmocka_unit_test(a_fact_after_the_greeting_is_said_after_it),
        cmocka_unit_test(a_new_supervisor_hears_status_and_bye_again),
        cmocka_unit_test(new_listeners_are_not_served_before_the_worker_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
