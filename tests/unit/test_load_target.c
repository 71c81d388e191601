#include "tests/bench/load_target.h"

#include <string.h>

#include "tests/unit/unit.h"

static void assert_template(const char *text, uint64_t n, const char *run, const char *wanted)
{
    struct load_buffer buffer = { 0 };

    load_template_append(&buffer, text, n, run);
    assert_int_equal(buffer.length, strlen(wanted));
    if (buffer.length)
        assert_memory_equal(buffer.data, wanted, buffer.length);
    load_buffer_free(&buffer);
}

static void only_n_and_run_are_replaced(void **state)
{
    (void)state;
    assert_template("", 1, "r", "");
    assert_template("/articles/{run}-{n}", 12, "ab", "/articles/ab-12");
    assert_template("{\"id\":\"{n}\",\"x\":{}}", 3, "r", "{\"id\":\"3\",\"x\":{}}");
    assert_template("{n}{n}{", UINT64_MAX, "r", "1844674407370955161518446744073709551615{");
    assert_template("{N}{ n}{run {run", 1, "r", "{N}{ n}{run {run");
}

/* A complete answer with `body`, as the reader leaves it. */
static struct load_response answer(int status, const char *body)
{
    struct load_response response = { .part = LOAD_RESPONSE_DONE, .status = status };

    load_buffer_text(&response.body, body);
    return response;
}

static enum load_outcome check(struct load_target *target, const char *version, int status, const char *body)
{
    struct load_response response = answer(status, body);
    char detail[LOAD_DETAIL_BYTES] = "";
    enum load_outcome outcome = load_target_check(target, &response, version, 7, "run", detail);

    assert_int_equal(outcome == LOAD_SUCCESS, detail[0] == '\0');
    load_response_free(&response);
    return outcome;
}

static void a_status_is_right_when_it_is_expected_and_5xx_has_a_class_of_its_own(void **state)
{
    struct load_target target = { .expect = { 200, 503 }, .expect_count = 2 };

    (void)state;
    assert_int_equal(check(&target, "", 200, "x"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "", 503, "x"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "", 502, "x"), LOAD_SERVER_ERROR);
    assert_int_equal(check(&target, "", 404, "x"), LOAD_UNEXPECTED_STATUS);
    assert_int_equal(check(&target, "", 201, "x"), LOAD_UNEXPECTED_STATUS);
}

static void a_body_must_be_the_same_within_one_version_and_status(void **state)
{
    struct load_target target = { .expect = { 200, 404 }, .expect_count = 2, .check = LOAD_BODY_SAME };

    (void)state;
    assert_int_equal(check(&target, "1", 200, "one"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "2", 200, "two"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "1", 404, "none"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "3", 200, ""), LOAD_SUCCESS);
    assert_int_equal(check(&target, "1", 200, "one"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "3", 200, ""), LOAD_SUCCESS);
    assert_int_equal(check(&target, "1", 200, "two"), LOAD_WRONG_BODY);
    assert_int_equal(check(&target, "2", 200, "two "), LOAD_WRONG_BODY);
    assert_int_equal(check(&target, "3", 200, "x"), LOAD_WRONG_BODY);
    load_target_free(&target);
}

static void a_body_must_be_the_file(void **state)
{
    struct load_target target = { .expect = { 200 }, .expect_count = 1, .check = LOAD_BODY_FILE };

    (void)state;
    load_buffer_text(&target.wanted, "file");
    assert_int_equal(check(&target, "1", 200, "file"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "2", 200, "fil"), LOAD_WRONG_BODY);
    assert_int_equal(check(&target, "2", 200, ""), LOAD_WRONG_BODY);
    load_target_free(&target);
}

static void a_body_must_contain_every_text_with_its_number(void **state)
{
    struct load_target target = {
        .expect = { 200 }, .expect_count = 1, .contains = { "id {run}-{n}", "title" }, .contains_count = 2
    };

    (void)state;
    assert_true(load_target_needs_body(&target));
    assert_int_equal(check(&target, "", 200, "<id run-7> <title>"), LOAD_SUCCESS);
    assert_int_equal(check(&target, "", 200, "<id run-7>"), LOAD_WRONG_BODY);
    assert_int_equal(check(&target, "", 200, "<id run-8> <title>"), LOAD_WRONG_BODY);
    assert_int_equal(check(&target, "", 200, ""), LOAD_WRONG_BODY);
}

static void acknowledgements_are_kept_in_order(void **state)
{
    struct load_target target = { .path = "/" };

    (void)state;
    for (uint64_t n = 1; n <= 1000; n++)
        load_target_acknowledge(&target, n * 3);
    assert_int_equal(target.acknowledged_count, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(target.acknowledged[i], (i + 1) * 3);
    load_target_free(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_n_and_run_are_replaced),
        cmocka_unit_test(a_status_is_right_when_it_is_expected_and_5xx_has_a_class_of_its_own),
        cmocka_unit_test(a_body_must_be_the_same_within_one_version_and_status),
        cmocka_unit_test(a_body_must_be_the_file),
        cmocka_unit_test(a_body_must_contain_every_text_with_its_number),
        cmocka_unit_test(acknowledgements_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
