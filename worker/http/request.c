#include "worker/http/request.h"

#include <string.h>
#include <strings.h>

#include "worker/http/target.h"

enum {
    ROOM_BYTES = 4096,      /* asked of one receive */
    KEEP_BYTES = 64 * 1024, /* an input buffer that grew beyond this is not kept */
};

/* Characters of a token (RFC 9110, 5.6.2): what a field name is made of. */
static const bool is_token[256] = {
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,         ['\''] = true,
    ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true,
    ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,         ['a' ... 'z'] = true,
};

static int refuse(struct http_request *request, int status, const char *reason)
{
    request->refusal = status;
    request->reason = reason;
    return -1;
}

static struct http_request *of(const http_parser *parser)
{
    return parser->data;
}

static uint32_t offset_of(const struct http_request *request, const char *at)
{
    return (uint32_t)(at - request->input.data);
}

static uint32_t end_of(struct http_span span)
{
    return span.offset + span.length;
}

/* Lengthen `span` by what the parser found; the pieces of one element touch each other. */
static void extend(struct http_request *request, struct http_span *span, const char *at, size_t length)
{
    if (span->length == 0)
        span->offset = offset_of(request, at);
    span->length += (uint32_t)length;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    extend(of(parser), &of(parser)->target, at, length);
    return 0;
}

static int on_field_name(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = of(parser);

    if (request->head_done) /* a trailer: nobody reads it */
        return 0;
    if (request->in_value || request->field_count == 0) {
        if (request->field_count == HTTP_FIELDS_MAX)
            return refuse(request, 431, "more than 100 header fields");
        request->fields[request->field_count++] = (struct http_field){ 0 };
        request->in_value = false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_token[(unsigned char)at[i]])
            return refuse(request, 400, "a header field name contains a character that is not allowed");
    }
    extend(request, &request->fields[request->field_count - 1].name, at, length);
    return 0;
}

static int on_field_value(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = of(parser);

    if (request->head_done)
        return 0;
    struct http_field *field = &request->fields[request->field_count - 1];
    if (!request->in_value) {
        request->in_value = true;
        field->value.offset = offset_of(request, at);
        for (uint32_t i = end_of(field->name) + 1; i < field->value.offset; i++) {
            if (request->input.data[i] == '\n')
                return length ? refuse(request, 400, "a header field is folded over several lines") : 0;
        }
    } else if (offset_of(request, at) != end_of(field->value)) {
        return refuse(request, 400, "a header field is folded over several lines");
    }
    field->value.length += (uint32_t)length;
    return 0;
}

/* Cut the blanks behind each value, and see that none contains a control character. */
static int check_values(struct http_request *request)
{
    for (uint32_t i = 0; i < request->field_count; i++) {
        struct http_span *value = &request->fields[i].value;
        const unsigned char *text = (unsigned char *)request->input.data + value->offset;

        while (value->length && (text[value->length - 1] == ' ' || text[value->length - 1] == '\t'))
            value->length--;
        for (uint32_t at = 0; at < value->length; at++) {
            if ((text[at] < ' ' && text[at] != '\t') || text[at] == 0x7f)
                return refuse(request, 400, "a header field contains a control character");
        }
    }
    return 0;
}

static bool span_is(const struct http_request *request, struct http_span span, const char *text)
{
    return span.length == strlen(text) && !strncasecmp(request->input.data + span.offset, text, span.length);
}

/* Find a field; returns how many there are of that name and the first one's value. */
static unsigned int find_field(const struct http_request *request, const char *name, struct http_span *value)
{
    unsigned int found = 0;

    for (uint32_t i = 0; i < request->field_count; i++) {
        if (span_is(request, request->fields[i].name, name) && found++ == 0)
            *value = request->fields[i].value;
    }
    return found;
}

static int check_framing(struct http_request *request)
{
    struct http_span value;
    unsigned int encodings = find_field(request, "transfer-encoding", &value);

    if (encodings == 0) {
        bool has_body = request->parser.content_length != UINT64_MAX;

        if (has_body && request->parser.content_length > request->limits->body_bytes)
            return refuse(request, 413, "the body is larger than this server accepts");
        return 0;
    }
    if (request->is_http10)
        return refuse(request, 400, "Transfer-Encoding does not exist in HTTP/1.0");
    if (find_field(request, "content-length", &value))
        return refuse(request, 400, "both Content-Length and Transfer-Encoding");
    find_field(request, "transfer-encoding", &value);
    if (encodings > 1 || !span_is(request, value, "chunked"))
        return refuse(request, 400, "the only Transfer-Encoding understood is chunked");
    return 0;
}

static int check_expectation(struct http_request *request)
{
    struct http_span value;

    if (!find_field(request, "expect", &value) || request->is_http10)
        return 0;
    if (!span_is(request, value, "100-continue"))
        return refuse(request, 417, "the only expectation understood is 100-continue");
    request->wants_continue = true;
    return 0;
}

static int on_head(http_parser *parser)
{
    struct http_request *request = of(parser);
    struct http_span value;

    request->head_done = true;
    request->method = (enum http_method)parser->method;
    request->is_http10 = parser->http_minor == 0;
    if (parser->http_major != 1)
        return refuse(request, 400, "HTTP/1.0 and HTTP/1.1 are spoken here");
    if (request->field_count &&
        end_of(request->fields[request->field_count - 1].value) > request->limits->head_bytes)
        return refuse(request, 431, "the header section is larger than this server accepts");
    if (check_values(request) < 0)
        return -1;
    unsigned int hosts = find_field(request, "host", &value);
    if (hosts > 1 || (hosts == 0 && !request->is_http10))
        return refuse(request, 400, "HTTP/1.1 requires exactly one Host field");
    if (parser->method == HTTP_CONNECT)
        return refuse(request, 405, "this is no proxy");
    parser->upgrade = 0; /* an offer to change the protocol may be ignored, and is */
    if (check_framing(request) < 0)
        return -1;
    return check_expectation(request);
}

/* The size of a chunk is known before its bytes: refuse at once what will not fit. */
static int on_chunk(http_parser *parser)
{
    struct http_request *request = of(parser);

    if (parser->content_length > request->limits->body_bytes - request->body_length)
        return refuse(request, 413, "the body is larger than this server accepts");
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = of(parser);

    if (request->body_length == 0)
        request->body_offset = offset_of(request, at);
    char *end = request->input.data + request->body_offset + request->body_length;
    if (end != at) /* chunked: close the gap that the framing left */
        memmove(end, at, length);
    request->body_length += length;
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct http_request *request = of(parser);

    request->complete = true;
    request->keep_alive = http_should_keep_alive(parser);
    http_parser_pause(parser, 1); /* what follows is another request */
    return 0;
}

static const http_parser_settings callbacks = {
    .on_url = on_url,
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_headers_complete = on_head,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* Everything but the input. */
static void clear(struct http_request *request)
{
    struct http_buffer input = request->input;

    memset(request, 0, offsetof(struct http_request, fields));
    request->input = input;
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
}

void http_request_reset(struct http_request *request)
{
    http_buffer_reset(&request->input, KEEP_BYTES);
    clear(request);
}

char *http_request_room(struct http_request *request, size_t *room_bytes)
{
    struct http_buffer *input = &request->input;
    size_t wanted = ROOM_BYTES / 4;
    bool sized_body = request->head_done && !request->parser.uses_transfer_encoding;

    if (sized_body && request->parser.content_length > wanted)
        wanted = (size_t)request->parser.content_length; /* what is missing of it, at most the limit */
    if (input->capacity - input->length < wanted &&
        !http_buffer_reserve(input, wanted < ROOM_BYTES ? ROOM_BYTES : wanted))
        return NULL;
    *room_bytes = input->capacity - input->length;
    return input->data + input->length;
}

/* Blank lines in front of a request are skipped (RFC 9112, 2.2); they do not begin it. */
static bool skip_blank_lines(struct http_request *request)
{
    struct http_buffer *input = &request->input;

    while (request->parsed < input->length &&
           (input->data[request->parsed] == '\r' || input->data[request->parsed] == '\n'))
        request->parsed++;
    if (request->parsed == input->length) {
        request->parsed = input->length = 0;
        return false;
    }
    request->begun = true;
    request->first = input->data[request->parsed];
    return true;
}

static enum http_progress refuse_syntax(struct http_request *request, enum http_errno error)
{
    switch (error) {
    case HPE_INVALID_METHOD:
        if (request->first >= 'A' && request->first <= 'Z')
            refuse(request, 405, "unknown method");
        else
            refuse(request, 400, "this is not HTTP");
        break;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        refuse(request, 400, "Content-Length contradicts another header field");
        break;
    case HPE_HEADER_OVERFLOW:
        refuse(request, 431, "the header section is larger than this server accepts");
        break;
    default:
        refuse(request, 400, http_errno_description(error));
    }
    return HTTP_REFUSED;
}

static enum http_progress finish(struct http_request *request)
{
    char *data = request->input.data;

    if (!http_target_split(data + request->target.offset, request->target.length, &request->path,
                           &request->query)) {
        refuse(request, 400, "the request target is not a valid path");
        return HTTP_REFUSED;
    }
    request->body = request->body_length ? data + request->body_offset : "";
    return HTTP_COMPLETE;
}

/* More is needed. Give back what the framing of chunks took, and see that nothing grows without end. */
static enum http_progress await_more(struct http_request *request, size_t parsed_bytes)
{
    if (!request->head_done) {
        if (request->parsed <= request->limits->head_bytes + strlen("\r\n\r\n"))
            return HTTP_PARTIAL;
        refuse(request, 431, "the header section is larger than this server accepts");
        return HTTP_REFUSED;
    }
    request->body_wire_bytes += parsed_bytes;
    if (request->body_length)
        request->parsed = request->input.length = request->body_offset + request->body_length;
    size_t framing_max = request->limits->body_bytes + request->limits->head_bytes;
    if (request->body_wire_bytes <= request->body_length + framing_max)
        return HTTP_PARTIAL;
    refuse(request, 413, "the framing of the chunks is larger than this server accepts");
    return HTTP_REFUSED;
}

enum http_progress http_request_feed(struct http_request *request, size_t received,
                                     const struct http_limits *limits)
{
    request->limits = limits;
    request->input.length += received;
    if (!request->begun && !skip_blank_lines(request))
        return HTTP_PARTIAL;

    const char *unparsed = request->input.data + request->parsed;
    size_t unparsed_bytes = request->input.length - request->parsed;
    size_t parsed = http_parser_execute(&request->parser, &callbacks, unparsed, unparsed_bytes);
    enum http_errno error = HTTP_PARSER_ERRNO(&request->parser);

    request->parsed += parsed;
    if (request->refusal)
        return HTTP_REFUSED;
    if (request->complete)
        return finish(request);
    if (error != HPE_OK)
        return refuse_syntax(request, error);
    return await_more(request, parsed);
}

size_t http_request_next(struct http_request *request)
{
    size_t rest = request->input.length - request->parsed;

    if (rest == 0) {
        http_request_reset(request);
        return 0;
    }
    memmove(request->input.data, request->input.data + request->parsed, rest);
    request->input.length = rest;
    clear(request);
    return rest;
}

const char *http_request_field(const struct http_request *request, const char *name, size_t *length)
{
    struct http_span value;

    if (!find_field(request, name, &value))
        return NULL;
    *length = value.length;
    return request->input.data + value.offset;
}

void http_request_free(struct http_request *request)
{
    http_buffer_reset(&request->input, 0);
}
