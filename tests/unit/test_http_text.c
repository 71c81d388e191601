#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"
#include "worker/http/buffer.h"
#include "worker/http/response.h"
#include "worker/http/target.h"

static const char *content(struct http_buffer *buffer)
{
    http_buffer_append(buffer, "", 1);
    return buffer->data;
}

static void json_and_html_are_escaped(void **state)
{
    struct http_buffer buffer = { 0 };

    (void)state;
    http_buffer_json(&buffer, "a\"b\\c\n\t\x01\x7f</ä>");
    assert_string_equal(content(&buffer), "\"a\\\"b\\\\c\\n\\u0009\\u0001\\u007f</ä>\"");
    http_buffer_reset(&buffer, 0);
    assert_null(buffer.data);
    http_buffer_html(&buffer, "<a href=\"x\">'&ä");
    assert_string_equal(content(&buffer), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;ä");
    http_buffer_reset(&buffer, 0);
}

static void a_buffer_takes_what_is_printed_whatever_its_length(void **state)
{
    struct http_buffer buffer = { 0 };
    char expected[6000];

    (void)state;
    memset(expected, 'x', sizeof expected);
    for (int length = 0; length < (int)sizeof expected; length += 61) {
        http_buffer_reset(&buffer, length % 2 ? sizeof expected : 0);
        http_buffer_printf(&buffer, "%.*s|", length, expected);
        assert_int_equal(buffer.length, length + 1);
        assert_memory_equal(buffer.data, expected, (size_t)length);
        assert_int_equal(buffer.data[length], '|');
        assert_false(buffer.failed);
    }
    http_buffer_reset(&buffer, 0);
}

static void a_buffer_that_cannot_grow_says_so_once_and_for_all(void **state)
{
    struct http_buffer buffer = { 0 };

    (void)state;
    http_buffer_text(&buffer, "kept");
    assert_false(http_buffer_reserve(&buffer, SIZE_MAX / 2));
    http_buffer_text(&buffer, " and more");
    assert_true(buffer.failed);
    http_buffer_reset(&buffer, buffer.capacity);
    assert_false(buffer.failed);
    http_buffer_reset(&buffer, 0);
}

static void an_answer_that_lost_bytes_becomes_a_500(void **state)
{
    const struct http_framing framing = { .date = "now", .common = "", .keep_alive = true };
    struct http_response response = { .status = 200, .type = "text/plain" };

    (void)state;
    http_buffer_text(&response.body, "half an ans");
    response.body.failed = true;
    assert_true(http_response_seal(&response, &framing));
    assert_memory_equal(response.head.data, "HTTP/1.1 500 ", 13);
    assert_string_equal(content(&response.body),
                        "{\"error\":\"internal server error\",\"reason\":\"out of memory\"}\n");
    http_response_free(&response);
}

static void query_values_are_found_and_decoded(void **state)
{
    char value[8];

    (void)state;
    assert_int_equal(http_query_get("a=1&b=x+%C3%A4&c", "b", value, sizeof value), 1);
    assert_string_equal(value, "x ä");
    assert_int_equal(http_query_get("a=1&b=2", "a", value, sizeof value), 1);
    assert_string_equal(value, "1");
    assert_int_equal(http_query_get("a=", "a", value, sizeof value), 1);
    assert_string_equal(value, "");
    assert_int_equal(http_query_get("aa=1&&c=&ba=2", "a", value, sizeof value), 0);
    assert_int_equal(http_query_get("", "a", value, sizeof value), 0);
    assert_int_equal(http_query_get("a=1234567", "a", value, sizeof value), 1);
    assert_int_equal(http_query_get("a=12345678", "a", value, sizeof value), -EINVAL);
    assert_int_equal(http_query_get("a=%4", "a", value, sizeof value), -EINVAL);
    assert_int_equal(http_query_get("a=%", "a", value, sizeof value), -EINVAL);
    assert_int_equal(http_query_get("a=%ff", "a", value, sizeof value), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(json_and_html_are_escaped),
        GUARDED(a_buffer_takes_what_is_printed_whatever_its_length),
        GUARDED(a_buffer_that_cannot_grow_says_so_once_and_for_all),
        GUARDED(an_answer_that_lost_bytes_becomes_a_500),
        GUARDED(query_values_are_found_and_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
