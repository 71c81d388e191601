#include "worker/http/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static const struct http_limits limits = { .head_bytes = 1024, .body_bytes = 2048 };

/* Feed `text` in pieces until the request is complete or refused. Returns what was not fed. */
static const char *feed(struct http_request *request, const char *text, size_t piece,
                        enum http_progress *progress)
{
    size_t left = strlen(text);

    *progress = HTTP_PARTIAL;
    while (left > 0 && *progress == HTTP_PARTIAL) {
        size_t room_bytes, bytes = left < piece ? left : piece;
        char *room = http_request_room(request, &room_bytes);

        assert_non_null(room);
        bytes = bytes < room_bytes ? bytes : room_bytes;
        memcpy(room, text, bytes);
        text += bytes;
        left -= bytes;
        *progress = http_request_feed(request, bytes, &limits);
    }
    return text;
}

static const size_t pieces[] = { 1, 2, 3, 7, 64, 100000 };

/* The status with which `text` is refused, however it is cut; 0 when it is not refused. */
static int refusal_of(const char *text)
{
    int refusal = -1;

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_request request = { 0 };
        enum http_progress progress;

        http_request_reset(&request);
        feed(&request, text, pieces[i], &progress);
        int status = progress == HTTP_REFUSED ? request.refusal : 0;
        if (refusal != -1 && status != refusal)
            fail_msg("%d in pieces of %zu, %d before: %s", status, pieces[i], refusal, text);
        refusal = status;
        if (progress == HTTP_REFUSED)
            assert_non_null(request.reason);
        http_request_free(&request);
    }
    return refusal;
}

static void assert_refused(int status, const char *text)
{
    int refusal = refusal_of(text);

    if (refusal != status)
        fail_msg("%d instead of %d: %s", refusal, status, text);
}

#define HOST "Host: x\r\n"

static void a_request_is_the_same_in_whatever_pieces_it_arrives(void **state)
{
    static const char text[] = "\r\nPOST /a%20b%c3%a4/c?d=%41 HTTP/1.1\r\n" HOST
                               "X-Empty:\r\nX-Padded:  two words \t \r\nContent-Length: 5\r\n\r\nhello";

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_request request = { 0 };
        enum http_progress progress;
        size_t length;

        http_request_reset(&request);
        feed(&request, text, pieces[i], &progress);
        assert_int_equal(progress, HTTP_COMPLETE);
        assert_int_equal(request.method, HTTP_POST);
        assert_string_equal(request.path, "/a b\xc3\xa4/c");
        assert_string_equal(request.query, "d=%41");
        assert_int_equal(request.body_length, 5);
        assert_memory_equal(request.body, "hello", 5);
        assert_true(request.keep_alive);
        assert_false(request.is_http10);
        const char *value = http_request_field(&request, "x-padded", &length);
        assert_int_equal(length, 9);
        assert_memory_equal(value, "two words", 9);
        assert_non_null(http_request_field(&request, "X-EMPTY", &length));
        assert_int_equal(length, 0);
        assert_null(http_request_field(&request, "x", &length));
        assert_int_equal(http_request_next(&request), 0);
        assert_false(request.begun);
        http_request_free(&request);
    }
}

static void chunks_become_one_body(void **state)
{
    static const char text[] =
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "3;name=value\r\nabc\r\n0e\r\nd\r\nefghijklmno\r\n1\r\np\r\n0\r\nTrailer: x\r\n\r\n";

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_request request = { 0 };
        enum http_progress progress;
        size_t length;

        http_request_reset(&request);
        const char *rest = feed(&request, text, pieces[i], &progress);
        assert_int_equal(progress, HTTP_COMPLETE);
        assert_string_equal(rest, "");
        assert_int_equal(request.body_length, 18);
        assert_memory_equal(request.body, "abcd\r\nefghijklmnop", 18);
        assert_null(http_request_field(&request, "trailer", &length));
        http_request_free(&request);
    }
}

static void pipelined_requests_come_one_by_one(void **state)
{
    static const char text[] =
        "GET /1 HTTP/1.1\r\n" HOST "\r\n"
        "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab\r\n"
        "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        "HEAD /4 HTTP/1.0\r\n\r\n";

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_request request = { 0 };
        enum http_progress progress;
        const char *rest = text;

        http_request_reset(&request);
        for (int n = 1; n <= 4; n++) {
            char path[] = { '/', (char)('0' + n), '\0' };

            progress = http_request_feed(&request, 0, &limits);
            if (progress == HTTP_PARTIAL)
                rest = feed(&request, rest, pieces[i], &progress);
            assert_int_equal(progress, HTTP_COMPLETE);
            assert_string_equal(request.path, path);
            assert_int_equal(request.body_length, n == 2 ? 2 : n == 3 ? 1 : 0);
            assert_int_equal(request.keep_alive, n != 4);
            http_request_next(&request);
        }
        http_request_free(&request);
    }
}

static void what_is_malformed_is_refused_with_400(void **state)
{
    static const char *const bad[] = {
        "\x16\x03\x01\x02",
        "get / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/2.0\r\n" HOST "\r\n",
        "GET / HTTP/0.9\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / FTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET / HTTP/1.0\r\n" HOST HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A:\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n",
        "GET / HTTP/1.1\r\n A: b\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A\x80: x\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST ": no name\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n",
        "GET * HTTP/1.1\r\n" HOST "\r\n",
        "GET a HTTP/1.1\r\n" HOST "\r\n",
        "GET /%zz HTTP/1.1\r\n" HOST "\r\n",
        "GET /%4 HTTP/1.1\r\n" HOST "\r\n",
        "GET /%00 HTTP/1.1\r\n" HOST "\r\n",
        "GET /%ff HTTP/1.1\r\n" HOST "\r\n",
        "GET /%c0%af HTTP/1.1\r\n" HOST "\r\n",
        "GET /%ed%a0%80 HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xff HTTP/1.1\r\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(400, bad[i]);
}

static void other_refusals_have_their_own_status(void **state)
{
    (void)state;
    assert_refused(405, "FOO / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused(405, "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
    assert_refused(413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2049\r\n\r\n");
    assert_refused(413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n801\r\n");
    assert_refused(413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n800\r\n");
    assert_refused(417, "POST / HTTP/1.1\r\n" HOST "Expect: tea\r\nContent-Length: 1\r\n\r\n");
}

static void what_is_allowed_is_not_refused(void **state)
{
    static const char *const good[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "\r\n\r\n\nGET / HTTP/1.1\r\n" HOST "\r\n",
        "DELETE / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET http://x/y?z HTTP/1.1\r\n" HOST "\r\n",
        "GET /? HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nab",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            struct http_request request = { 0 };
            enum http_progress progress;

            http_request_reset(&request);
            feed(&request, good[i], pieces[p], &progress);
            if (progress != HTTP_COMPLETE)
                fail_msg("%d %s: %s", request.refusal, request.reason ? request.reason : "partial", good[i]);
            assert_int_equal(http_request_next(&request), 0);
            http_request_free(&request);
        }
    }
}

/* A head of which the last value ends at `head_bytes`. */
static void make_head(char *text, size_t head_bytes)
{
    strcpy(text, "GET / HTTP/1.1\r\n" HOST "A: ");
    size_t start = strlen(text);
    memset(text + start, 'a', head_bytes - start);
    strcpy(text + head_bytes, "\r\n\r\n");
}

static void a_head_may_have_its_limit_and_not_a_byte_more(void **state)
{
    char text[2048];

    (void)state;
    make_head(text, limits.head_bytes);
    assert_refused(0, text);
    make_head(text, limits.head_bytes + 1);
    assert_refused(431, text);
    memset(text, '\0', sizeof text);
    memset(text, 'a', limits.head_bytes + 100);
    memcpy(text, "GET /", 5);
    assert_refused(431, text);
}

static void a_head_may_have_100_fields(void **state)
{
    char text[2048] = "GET / HTTP/1.1\r\n" HOST;

    (void)state;
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        strcat(text, "a:b\r\n");
    size_t length = strlen(text);
    strcpy(text + length, "\r\n");
    assert_refused(0, text);
    strcpy(text + length, "a:b\r\n\r\n");
    assert_refused(431, text);
}

static void a_body_may_have_its_limit(void **state)
{
    char text[4096] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 2048\r\n\r\n";
    struct http_request request = { 0 };
    enum http_progress progress;

    (void)state;
    memset(text + strlen(text), 'b', limits.body_bytes);
    http_request_reset(&request);
    feed(&request, text, 100, &progress);
    assert_int_equal(progress, HTTP_COMPLETE);
    assert_int_equal(request.body_length, limits.body_bytes);
    for (size_t i = 0; i < request.body_length; i++)
        assert_int_equal(request.body[i], 'b');
    http_request_free(&request);
}

/* Chunks of one byte carry five bytes of framing each: a body may not hide a flood of it. */
static void endless_chunk_framing_is_refused(void **state)
{
    struct http_request request = { 0 };
    enum http_progress progress;
    size_t fed = 0;

    (void)state;
    http_request_reset(&request);
    feed(&request, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 100, &progress);
    while (progress == HTTP_PARTIAL && fed < limits.body_bytes) {
        feed(&request, "1\r\nx\r\n", 100, &progress);
        fed++;
    }
    assert_int_equal(progress, HTTP_REFUSED);
    assert_int_equal(request.refusal, 413);
    assert_true(request.input.capacity < 16 * 1024);
    http_request_free(&request);
}

static void a_client_that_waits_for_100_is_known(void **state)
{
    struct http_request request = { 0 };
    enum http_progress progress;

    (void)state;
    http_request_reset(&request);
    feed(&request, "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 9,
         &progress);
    assert_int_equal(progress, HTTP_PARTIAL);
    assert_true(request.head_done);
    assert_true(request.wants_continue);
    http_request_free(&request);
}

static void keep_alive_is_what_the_client_asked_for(void **state)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        { "GET / HTTP/1.1\r\n" HOST "\r\n", true },
        { "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: foo, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = { 0 };
        enum http_progress progress;

        http_request_reset(&request);
        feed(&request, cases[i].text, 100, &progress);
        assert_int_equal(progress, HTTP_COMPLETE);
        assert_int_equal(request.keep_alive, cases[i].keep_alive);
        http_request_free(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_request_is_the_same_in_whatever_pieces_it_arrives),
        GUARDED(chunks_become_one_body),
        GUARDED(pipelined_requests_come_one_by_one),
        GUARDED(what_is_malformed_is_refused_with_400),
        GUARDED(other_refusals_have_their_own_status),
        GUARDED(what_is_allowed_is_not_refused),
        GUARDED(a_head_may_have_its_limit_and_not_a_byte_more),
        GUARDED(a_head_may_have_100_fields),
        GUARDED(a_body_may_have_its_limit),
        GUARDED(endless_chunk_framing_is_refused),
        GUARDED(a_client_that_waits_for_100_is_known),
        GUARDED(keep_alive_is_what_the_client_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
