/* Requests are the same, complete or refused, whether their bytes come at once or one by one. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/http/request.h"

enum { INPUT_MAX = 8 * 1024 };

/* The head may be as long as an input: where a long one is cut decides which of its faults is seen first. */
static const struct http_limits limits = { .head_bytes = INPUT_MAX, .body_bytes = 64 };

static void note(struct http_buffer *story, const struct http_request *request, enum http_progress progress)
{
    if (progress == HTTP_COMPLETE) {
        http_buffer_printf(story, "%d %s?%s %d%d %u ", request->method, request->path, request->query,
                           request->keep_alive, request->is_http10, request->field_count);
        http_buffer_append(story, request->body, request->body_length);
    } else if (progress == HTTP_REFUSED) {
        http_buffer_printf(story, "refused %d", request->refusal);
    } else {
        http_buffer_printf(story, "partial %d%d%d", request->begun, request->head_done,
                           request->wants_continue);
    }
    http_buffer_text(story, "\n");
}

/* What comes of `bytes` when `piece` of them arrive at a time. */
static void tell(struct http_buffer *story, const uint8_t *bytes, size_t size, size_t piece)
{
    struct http_request request = { 0 };
    enum http_progress progress = HTTP_PARTIAL;
    size_t room_bytes;

    http_request_reset(&request);
    while (size > 0 && progress != HTTP_REFUSED) {
        char *room = http_request_room(&request, &room_bytes);
        size_t fed = piece < size ? piece : size;

        fed = fed < room_bytes ? fed : room_bytes;
        memcpy(room, bytes, fed);
        bytes += fed;
        size -= fed;
        progress = http_request_feed(&request, fed, &limits);
        while (progress == HTTP_COMPLETE) {
            note(story, &request, progress);
            http_request_next(&request);
            progress = http_request_feed(&request, 0, &limits);
        }
    }
    note(story, &request, progress);
    http_request_free(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct http_buffer at_once = { 0 }, one_by_one = { 0 };

    if (size > INPUT_MAX)
        return 0;
    tell(&at_once, bytes, size, size);
    tell(&one_by_one, bytes, size, 1);
    if (at_once.length != one_by_one.length || memcmp(at_once.data, one_by_one.data, at_once.length) != 0) {
        fprintf(stderr, "at once:\n%.*sone by one:\n%.*s", (int)at_once.length, at_once.data,
                (int)one_by_one.length, one_by_one.data);
        abort();
    }
    http_buffer_reset(&at_once, 0);
    http_buffer_reset(&one_by_one, 0);
    return 0;
}
