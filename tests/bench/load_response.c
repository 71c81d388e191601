#include "tests/bench/load_response.h"

#include <errno.h>
#include <string.h>

#include "tests/bench/load_header.h"

enum { INTERIM_ANSWERS = 8 };

static int malformed(struct load_response *response, const char *wrong)
{
    response->wrong = wrong;
    return -EPROTO;
}

static int read_status_line(struct load_response *response, struct load_span line)
{
    const char *at = line.at;

    if (line.length < 13 || (at[7] != '0' && at[7] != '1') || at[8] != ' ' || at[12] != ' ')
        return malformed(response, "the status line is not \"HTTP/1.1 NNN REASON\"");
    for (int i = 9; i < 12; i++) {
        if (at[i] < '0' || at[i] > '9')
            return malformed(response, "the status is not three digits");
    }
    if (!load_span_is_text((struct load_span){ at + 13, line.length - 13 }))
        return malformed(response, "the reason holds a control character");
    response->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    response->close = at[7] == '0';
    if (response->status < 100 || response->status > 599)
        return malformed(response, "the status is outside 100..599");
    return 0;
}

static int read_content_length(struct load_response *response, struct load_span value)
{
    if (response->has_length)
        return malformed(response, "there are two Content-Length headers");
    if (value.length == 0 || value.length > 15)
        return malformed(response, "Content-Length is empty or absurd");
    response->remaining = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return malformed(response, "Content-Length is not a number");
        response->remaining = response->remaining * 10 + (uint64_t)(value.at[i] - '0');
    }
    response->has_length = true;
    return 0;
}

static void read_connection(struct load_response *response, struct load_span value)
{
    struct load_span option;

    while (load_header_element(&value, &option)) {
        if (load_span_is(option, "close"))
            response->close = true;
        else if (load_span_is(option, "keep-alive"))
            response->keep_alive = true;
    }
}

static int read_header(struct load_response *response, struct load_span line)
{
    struct load_span name, value;

    if (!load_header_split(line, &name, &value))
        return malformed(response, "a header line is not \"Name: value\"");
    if (load_span_is(name, "content-length"))
        return read_content_length(response, value);
    if (load_span_is(name, "connection"))
        read_connection(response, value);
    if (!load_span_is(name, "transfer-encoding"))
        return 0;
    if (response->chunked || !load_span_is(value, "chunked"))
        return malformed(response, "Transfer-Encoding is not exactly \"chunked\"");
    response->chunked = true;
    return 0;
}

/* Read the lines of a complete head; what they say together is judged by choose_framing(). */
static int read_head(struct load_response *response)
{
    struct load_span head = { response->head, response->head_bytes }, line;
    int error;

    response->has_length = response->chunked = response->keep_alive = false;
    load_header_line(&head, &line);
    error = read_status_line(response, line);
    bool http_1_0 = response->close;
    while (!error && load_header_line(&head, &line))
        error = read_header(response, line);
    if (error)
        return error;
    if (http_1_0 && response->chunked)
        return malformed(response, "HTTP/1.0 knows no chunks");
    if (response->chunked && response->has_length)
        return malformed(response, "there are both Content-Length and Transfer-Encoding");
    if (http_1_0 && response->keep_alive)
        response->close = false;
    return 0;
}

static int complete(struct load_response *response)
{
    response->part = LOAD_RESPONSE_DONE;
    return LOAD_RESPONSE_COMPLETE;
}

static int choose_framing(struct load_response *response)
{
    if (response->status < 200) {
        if (response->status == 101 || ++response->interim > INTERIM_ANSWERS)
            return malformed(response, "an interim answer nobody asked for");
        response->head_bytes = 0;
        return 0;
    }
    if (response->status == 204 && (response->has_length || response->chunked))
        return malformed(response, "204 has no body, so it has no Content-Length or Transfer-Encoding");
    if (response->status == 204 || response->status == 304)
        return complete(response);
    if (response->chunked) {
        response->part = LOAD_RESPONSE_CHUNK_SIZE;
    } else if (!response->has_length) {
        response->part = LOAD_RESPONSE_UNTIL_CLOSE;
        response->close = true;
    } else if (response->remaining == 0) {
        return complete(response);
    } else {
        response->part = LOAD_RESPONSE_LENGTH;
    }
    return 0;
}

/* Append to `line` up to and with LF. Returns the bytes taken; `*whole` when the LF was among them. */
static size_t take_line(char *line, size_t *line_bytes, size_t limit, struct load_span in, bool *whole)
{
    const char *end = memchr(in.at, '\n', in.length);
    size_t length = end ? (size_t)(end - in.at) + 1 : in.length;

    *whole = end != NULL;
    if (length > limit - *line_bytes) {
        length = limit - *line_bytes;
        *whole = false;
    }
    memcpy(line + *line_bytes, in.at, length);
    *line_bytes += length;
    return length;
}

static bool ends_with_crlf(const char *line, size_t length)
{
    return length >= 2 && line[length - 2] == '\r';
}

/* What cannot become a head is refused with its first bytes: waiting for a line end would make
 * a time-out, or an early close, of what is garbage. */
static bool starts_like_http(const struct load_response *response)
{
    static const char start[] = "HTTP/1.";
    size_t length = response->head_bytes < sizeof start - 1 ? response->head_bytes : sizeof start - 1;

    return !memcmp(response->head, start, length);
}

static int feed_head(struct load_response *response, struct load_span in, size_t *used)
{
    bool whole;

    *used = take_line(response->head, &response->head_bytes, sizeof response->head, in, &whole);
    if (!starts_like_http(response))
        return malformed(response, "the answer does not begin with \"HTTP/1.\"");
    if (!whole && response->head_bytes == sizeof response->head)
        return malformed(response, "the head is longer than 8192 bytes");
    if (!whole)
        return 0;
    if (!ends_with_crlf(response->head, response->head_bytes))
        return malformed(response, "a line of the head does not end with CRLF");
    if (response->head_bytes < 4 || response->head[response->head_bytes - 3] != '\n')
        return 0;
    int error = read_head(response);
    return error ? error : choose_framing(response);
}

static int feed_body(struct load_response *response, struct load_span in, size_t *used)
{
    bool counted = response->part != LOAD_RESPONSE_UNTIL_CLOSE;

    *used = counted && response->remaining < in.length ? (size_t)response->remaining : in.length;
    response->body_bytes += *used;
    if (response->keep_body) {
        if (response->body_bytes > LOAD_RESPONSE_BODY_BYTES)
            return malformed(response, "the body is too long to be compared (64 MiB)");
        load_buffer_append(&response->body, in.at, *used);
    }
    if (!counted || (response->remaining -= *used) > 0)
        return 0;
    if (response->part == LOAD_RESPONSE_LENGTH)
        return complete(response);
    response->part = LOAD_RESPONSE_CHUNK_END;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1a2b" or "1a2b;extension". */
static int read_chunk_size(struct load_response *response, struct load_span line)
{
    uint64_t size = 0;
    size_t digits = 0;

    while (digits < line.length && hex_digit(line.at[digits]) >= 0) {
        if (digits == 12)
            return malformed(response, "a chunk size is absurd");
        size = size * 16 + (uint64_t)hex_digit(line.at[digits++]);
    }
    if (digits == 0 || (digits < line.length && line.at[digits] != ';'))
        return malformed(response, "a chunk size is not hexadecimal");
    if (!load_span_is_text(line))
        return malformed(response, "a chunk extension holds a control character");
    response->remaining = size;
    response->part = size ? LOAD_RESPONSE_CHUNK_DATA : LOAD_RESPONSE_TRAILER;
    return 0;
}

static int read_trailer(struct load_response *response, struct load_span line)
{
    struct load_span name, value;

    if (line.length == 0)
        return complete(response);
    if (!load_header_split(line, &name, &value))
        return malformed(response, "a trailer line is not \"Name: value\"");
    return 0;
}

/* The lines between the chunks: sizes, the empty line after the data, trailers. */
static int feed_line(struct load_response *response, struct load_span in, size_t *used)
{
    bool whole;

    *used = take_line(response->line, &response->line_bytes, sizeof response->line, in, &whole);
    if (!whole && response->line_bytes == sizeof response->line)
        return malformed(response, "a chunk size or trailer line is longer than 256 bytes");
    if (!whole)
        return 0;
    if (!ends_with_crlf(response->line, response->line_bytes))
        return malformed(response, "a line between the chunks does not end with CRLF");
    struct load_span line = { response->line, response->line_bytes - 2 };
    response->line_bytes = 0;
    if (response->part == LOAD_RESPONSE_CHUNK_SIZE)
        return read_chunk_size(response, line);
    if (response->part == LOAD_RESPONSE_TRAILER)
        return read_trailer(response, line);
    if (line.length > 0)
        return malformed(response, "a chunk is longer than its size");
    response->part = LOAD_RESPONSE_CHUNK_SIZE;
    return 0;
}

static int feed_part(struct load_response *response, struct load_span in, size_t *used)
{
    switch (response->part) {
    case LOAD_RESPONSE_HEAD:
        return feed_head(response, in, used);
    case LOAD_RESPONSE_LENGTH:
    case LOAD_RESPONSE_UNTIL_CLOSE:
    case LOAD_RESPONSE_CHUNK_DATA:
        return feed_body(response, in, used);
    case LOAD_RESPONSE_CHUNK_SIZE:
    case LOAD_RESPONSE_CHUNK_END:
    case LOAD_RESPONSE_TRAILER:
        return feed_line(response, in, used);
    case LOAD_RESPONSE_DONE:
        break;
    }
    *used = 0;
    return LOAD_RESPONSE_COMPLETE;
}

int load_response_feed(struct load_response *response, const char *bytes, size_t length, size_t *used)
{
    *used = 0;
    while (*used < length) {
        size_t taken;

        response->begun = true;
        int result = feed_part(response, (struct load_span){ bytes + *used, length - *used }, &taken);
        *used += taken;
        if (result)
            return result;
    }
    return 0;
}

int load_response_end(struct load_response *response)
{
    return response->part == LOAD_RESPONSE_UNTIL_CLOSE ? complete(response) : -EPIPE;
}

const char *load_response_header(const struct load_response *response, const char *name, size_t *length)
{
    struct load_span head = { response->head, response->head_bytes }, line, found, value;

    load_header_line(&head, &line);
    while (load_header_line(&head, &line)) {
        if (load_header_split(line, &found, &value) && load_span_is(found, name)) {
            *length = value.length;
            return value.at;
        }
    }
    return NULL;
}

void load_response_init(struct load_response *response, bool keep_body)
{
    response->part = LOAD_RESPONSE_HEAD;
    response->keep_body = keep_body;
    response->begun = response->close = false;
    response->status = 0;
    response->wrong = NULL;
    response->body_bytes = response->remaining = 0;
    response->interim = 0;
    response->head_bytes = response->line_bytes = 0;
    load_buffer_clear(&response->body);
}

void load_response_free(struct load_response *response)
{
    load_buffer_free(&response->body);
}
