#include "worker/http/response.h"

#include <ctype.h>
#include <http_parser.h>
#include <stddef.h>

enum {
    KEEP_HEAD_BYTES = 4096,
    KEEP_BODY_BYTES = 64 * 1024, /* a body that grew beyond this gives its memory back */
};

static const char *phrase(int status)
{
    return http_status_str((enum http_status)status);
}

void http_response_field(struct http_response *response, const char *name, const char *value)
{
    http_buffer_text(&response->fields, name);
    http_buffer_text(&response->fields, ": ");
    http_buffer_text(&response->fields, value);
    http_buffer_text(&response->fields, "\r\n");
}

static void append_lower(struct http_buffer *buffer, const char *text)
{
    for (; *text; text++) {
        char lower = (char)tolower((unsigned char)*text);
        http_buffer_append(buffer, &lower, 1);
    }
}

void http_response_error(struct http_response *response, int status, const char *error, const char *reason)
{
    struct http_buffer *body = &response->body;

    response->status = status;
    response->type = "application/json";
    http_buffer_reset(body, KEEP_BODY_BYTES);
    http_buffer_text(body, "{\"error\":");
    if (error) {
        http_buffer_json(body, error);
    } else {
        http_buffer_text(body, "\"");
        append_lower(body, phrase(status));
        http_buffer_text(body, "\"");
    }
    http_buffer_text(body, ",\"reason\":");
    http_buffer_json(body, reason);
    http_buffer_text(body, "}\n");
}

bool http_response_seal(struct http_response *response, const struct http_framing *framing)
{
    struct http_buffer *head = &response->head;

    if (response->body.failed || response->fields.failed) {
        http_buffer_reset(&response->fields, 0);
        http_buffer_reset(&response->body, 0);
        http_response_error(response, 500, NULL, "out of memory");
    }
    http_buffer_printf(head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status, phrase(response->status),
                       framing->date);
    if (response->type)
        http_buffer_printf(head, "Content-Type: %s\r\n", response->type);
    if (response->status != 204 && response->status != 304)
        http_buffer_printf(head, "Content-Length: %zu\r\n", response->body.length);
    http_buffer_append(head, response->fields.data, response->fields.length);
    http_buffer_text(head, framing->common);
    if (!framing->keep_alive)
        http_buffer_text(head, "Connection: close\r\n");
    else if (framing->is_http10)
        http_buffer_text(head, "Connection: keep-alive\r\n");
    http_buffer_text(head, "\r\n");
    if (framing->is_head)
        http_buffer_reset(&response->body, KEEP_BODY_BYTES);
    return !head->failed && !response->body.failed;
}

void http_response_reset(struct http_response *response)
{
    response->status = 0;
    response->type = NULL;
    http_buffer_reset(&response->fields, KEEP_HEAD_BYTES);
    http_buffer_reset(&response->head, KEEP_HEAD_BYTES);
    http_buffer_reset(&response->body, KEEP_BODY_BYTES);
}

void http_response_free(struct http_response *response)
{
    http_buffer_reset(&response->fields, 0);
    http_buffer_reset(&response->head, 0);
    http_buffer_reset(&response->body, 0);
}
