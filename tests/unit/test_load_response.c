#include "tests/bench/load_response.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define OK "HTTP/1.1 200 OK\r\n"

struct answer {
    const char *text;
    int status;
    const char *body;
    bool close;
    size_t extra; /* bytes of `text` after the answer */
};

static const struct answer answers[] = {
    { OK "Content-Length: 5\r\n\r\nhello", 200, "hello", false, 0 },
    { OK "content-LENGTH:5 \r\nConnection: Close\r\n\r\nhello", 200, "hello", true, 0 },
    { OK "Content-Length: 5\r\n\r\nhello world", 200, "hello", false, 6 },
    { OK "Content-Length: 0\r\n\r\n", 200, "", false, 0 },
    { OK "Content-Length: 0\r\nConnection: foo , close\r\n\r\nHTTP", 200, "", true, 4 },
    { "HTTP/1.1 404 \r\nContent-Length: 1\r\nX:\r\nY: \xc3\xa4 \t b\r\n\r\nx", 404, "x", false, 0 },
    { "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, 0 },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 304, "", false, 0 },
    { "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", 503, "no", false, 0 },
    { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true, 0 },
    { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", 200, "ok", false, 0 },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: close\r\n\r\n" OK
      "Content-Length: 2\r\n\r\nok",
      200, "ok", false, 0 },
    { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00a;x=\"y\"\r\n, world!?\n\r\n0\r\n\r\n", 200,
      "hello, world!?\n", false, 0 },
    { OK "Transfer-Encoding: Chunked\r\n\r\n0\r\nA: b\r\nC:\r\n\r\nx", 200, "", false, 1 },
    { OK "Transfer-Encoding: chunked\r\nConnection: "
         "close\r\n\r\n1F\r\n0123456789abcdef0123456789abcde\r\n000\r\n\r\n",
      200, "0123456789abcdef0123456789abcde", true, 0 },
};

static void check(const struct load_response *response, const struct answer *answer, int result, size_t used)
{
    if (result != LOAD_RESPONSE_COMPLETE)
        fail_msg("\"%s\": %s", answer->text, result < 0 ? response->wrong : "incomplete");
    assert_int_equal(used, strlen(answer->text) - answer->extra);
    assert_int_equal(response->status, answer->status);
    assert_int_equal(response->close, answer->close);
    assert_int_equal(response->body_bytes, strlen(answer->body));
    assert_int_equal(response->body.length, strlen(answer->body));
    if (response->body.length)
        assert_memory_equal(response->body.data, answer->body, response->body.length);
}

/* Feed `text` in pieces of at most `piece` bytes, each from a block of its own, so that sanitizers see
 * a read beyond the piece. */
static int feed(struct load_response *response, const char *text, size_t length, size_t piece, size_t *used)
{
    int result = 0;

    for (*used = 0; *used < length && result == 0;) {
        size_t taken, size = length - *used < piece ? length - *used : piece;
        char *copy = test_malloc(size);

        memcpy(copy, text + *used, size);
        result = load_response_feed(response, copy, size, &taken);
        test_free(copy);
        *used += taken;
        if (result == 0)
            assert_int_equal(taken, size);
    }
    return result;
}

static void an_answer_may_come_in_pieces_of_any_size(void **state)
{
    struct load_response response = { 0 };
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t length = strlen(answers[i].text);

        for (size_t piece = 1; piece <= length; piece++) {
            load_response_init(&response, true);
            int result = feed(&response, answers[i].text, length, piece, &used);
            check(&response, &answers[i], result, used);
        }
    }
    load_response_free(&response);
}

static void an_answer_is_not_complete_before_its_last_byte(void **state)
{
    struct load_response response = { 0 };
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t length = strlen(answers[i].text) - answers[i].extra;

        for (size_t part = 0; part < length; part++) {
            load_response_init(&response, false);
            assert_int_equal(feed(&response, answers[i].text, part, part + 1, &used), 0);
            assert_int_equal(response.begun, part > 0);
            assert_int_equal(load_response_end(&response), -EPIPE);
        }
    }
    load_response_free(&response);
}

static void what_is_not_correct_is_refused_in_pieces_of_any_size(void **state)
{
    static const char *const wrong[] = {
        "X",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 200 OK\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK "Content-Length: 5\n",
        OK "Content-Length : 5\r\n\r\n",
        OK "Content-Length\r\n\r\n",
        OK ": 5\r\n\r\n",
        OK "A: b\r\n c\r\n\r\n",
        OK "A: b\x01\r\n\r\n",
        OK "A: b\x7f\r\n\r\n",
        OK "A: b\rc\r\n\r\n",
        OK "A b: c\r\n\r\n",
        OK "Content-Length: \r\n\r\n",
        OK "Content-Length: -1\r\n\r\n",
        OK "Content-Length: 1 2\r\n\r\n",
        OK "Content-Length: 5, 5\r\n\r\n",
        OK "Content-Length: 0x5\r\n\r\n",
        OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        OK "Content-Length: 1234567890123456\r\n\r\n",
        OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK "Transfer-Encoding: identity\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n5 \r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n5\n",
        OK "Transfer-Encoding: chunked\r\n\r\n1234567890abc\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n5;\x01\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\n",
        OK "Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n",
    };
    struct load_response response = { 0 };
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t length = strlen(wrong[i]);

        for (size_t piece = 1; piece <= length; piece++) {
            load_response_init(&response, true);
            if (feed(&response, wrong[i], length, piece, &used) != -EPROTO)
                fail_msg("accepted in pieces of %zu: \"%s\"", piece, wrong[i]);
            assert_non_null(response.wrong);
        }
    }
    load_response_free(&response);
}

static void a_nul_byte_is_no_header(void **state)
{
    static const char text[] = OK "A\0: b\r\n\r\n", value[] = OK "A: \0b\r\n\r\n";
    struct load_response response = { 0 };
    size_t used;

    (void)state;
    load_response_init(&response, false);
    assert_int_equal(load_response_feed(&response, text, sizeof text - 1, &used), -EPROTO);
    load_response_init(&response, false);
    assert_int_equal(load_response_feed(&response, value, sizeof value - 1, &used), -EPROTO);
}

static void a_body_without_length_ends_with_the_connection(void **state)
{
    static const char text[] = OK "Connection: keep-alive\r\n\r\nhello";
    struct load_response response = { 0 };
    size_t used;

    (void)state;
    load_response_init(&response, true);
    assert_int_equal(load_response_feed(&response, text, sizeof text - 1, &used), 0);
    assert_int_equal(load_response_end(&response), LOAD_RESPONSE_COMPLETE);
    assert_true(response.close);
    assert_int_equal(response.body.length, 5);
    load_response_free(&response);
}

static void heads_and_lines_and_interim_answers_have_an_end(void **state)
{
    static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
    static const char chunk[] = OK "Transfer-Encoding: chunked\r\n\r\n5;";
    struct load_response response = { 0 };
    int result = 0;
    size_t used, fed;

    (void)state;
    load_response_init(&response, false);
    assert_int_equal(load_response_feed(&response, OK "A: ", 20, &used), 0);
    for (fed = 20; fed < LOAD_RESPONSE_HEAD_BYTES + 1 && !result; fed++)
        result = load_response_feed(&response, "b", 1, &used);
    assert_int_equal(result, -EPROTO);
    assert_int_equal(fed, LOAD_RESPONSE_HEAD_BYTES);

    load_response_init(&response, false);
    result = load_response_feed(&response, chunk, sizeof chunk - 1, &used);
    for (fed = 2; fed < LOAD_RESPONSE_LINE_BYTES + 1 && !result; fed++)
        result = load_response_feed(&response, "b", 1, &used);
    assert_int_equal(result, -EPROTO);

    load_response_init(&response, false);
    for (int i = 0; i < 8; i++)
        assert_int_equal(load_response_feed(&response, interim, sizeof interim - 1, &used), 0);
    assert_int_equal(load_response_feed(&response, interim, sizeof interim - 1, &used), -EPROTO);
}

static void assert_header(const struct load_response *response, const char *name, const char *value)
{
    size_t length;
    const char *found = load_response_header(response, name, &length);

    assert_non_null(found);
    assert_int_equal(length, strlen(value));
    assert_memory_equal(found, value, length);
}

static void headers_are_found_in_any_case_and_only_in_the_final_answer(void **state)
{
    static const char text[] =
        "HTTP/1.1 103 Early Hints\r\nEarly: 1\r\n\r\n" OK
        "X-Blog-Version:  2.0 \r\nEmpty:\r\nx-blog-version: 3\r\nContent-Length: 0\r\n\r\n";
    struct load_response response = { 0 };
    size_t used, length;

    (void)state;
    load_response_init(&response, false);
    assert_int_equal(load_response_feed(&response, text, sizeof text - 1, &used), LOAD_RESPONSE_COMPLETE);
    assert_header(&response, "x-BLOG-version", "2.0");
    assert_header(&response, "empty", "");
    assert_null(load_response_header(&response, "early", &length));
    assert_null(load_response_header(&response, "X-Blog", &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_may_come_in_pieces_of_any_size),
        cmocka_unit_test(an_answer_is_not_complete_before_its_last_byte),
        cmocka_unit_test(what_is_not_correct_is_refused_in_pieces_of_any_size),
        cmocka_unit_test(a_nul_byte_is_no_header),
        cmocka_unit_test(a_body_without_length_ends_with_the_connection),
        cmocka_unit_test(heads_and_lines_and_interim_answers_have_an_end),
        cmocka_unit_test(headers_are_found_in_any_case_and_only_in_the_final_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
