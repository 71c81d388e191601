#include "tests/bench/load_request.h"

#include <stdio.h>
#include <string.h>

static void render_body(struct load_buffer *out, const struct load_request *request,
                        const struct load_options *options)
{
    static const char filler[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    if (request->target->body) {
        load_template_append(out, request->target->body, request->n, options->run);
        return;
    }
    for (size_t left = request->filler_bytes; left > 0;) {
        size_t piece = left < sizeof filler - 1 ? left : sizeof filler - 1;
        load_buffer_append(out, filler, piece);
        left -= piece;
    }
}

static size_t end_head(struct load_buffer *out)
{
    load_buffer_text(out, "\r\n");
    return out->length;
}

/* The length of the body stands in the head: the body is rendered first. */
static size_t append_body(struct load_buffer *out, const struct load_request *request,
                          const struct load_options *options)
{
    struct load_buffer body = { 0 };
    char line[64];

    render_body(&body, request, options);
    snprintf(line, sizeof line, "Content-Length: %zu\r\n", body.length);
    load_buffer_text(out, "Content-Type: application/json\r\n");
    load_buffer_text(out, line);
    size_t head_bytes = end_head(out);
    load_buffer_append(out, body.data, body.length);
    load_buffer_free(&body);
    return head_bytes;
}

size_t load_request_render(struct load_buffer *out, const struct load_request *request,
                           const struct load_options *options)
{
    const struct load_target *target = request->target;
    bool post = target->body || request->filler_bytes;

    load_buffer_clear(out);
    load_buffer_text(out, post ? "POST " : "GET ");
    load_template_append(out, target->path, request->n, options->run);
    load_buffer_text(out, " HTTP/1.1\r\nHost: ");
    load_buffer_text(out, target->server.host);
    load_buffer_text(out, "\r\nUser-Agent: baton-load\r\n");
    load_buffer_append(out, options->headers.data, options->headers.length);
    if (request->close)
        load_buffer_text(out, "Connection: close\r\n");
    return post ? append_body(out, request, options) : end_head(out);
}
