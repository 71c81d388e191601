#include "worker/blog/html.h"

#include <string.h>

#include "worker/blog/json.h"

static const char style[] =
    "<style>body{font:1.05rem/1.6 Georgia,serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    "p{white-space:pre-line;overflow-wrap:anywhere}small{color:#666}"
    "section{border-top:1px solid #ccc}</style>";

static void page_begin(struct http_buffer *buffer, const char *title)
{
    http_buffer_text(buffer, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                             "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    http_buffer_html(buffer, title);
    http_buffer_text(buffer, "</title>");
    http_buffer_text(buffer, style);
    http_buffer_text(buffer, "</head><body>\n");
}

static void page_end(struct http_buffer *buffer)
{
    http_buffer_text(buffer, "</body></html>\n");
}

static void byline(struct http_buffer *buffer, const char *author, int64_t created_ms)
{
    char time[BLOG_TIME_BYTES];

    blog_time_text(created_ms, time);
    http_buffer_text(buffer, "<small>");
    http_buffer_html(buffer, author);
    http_buffer_printf(buffer, ", <time datetime=\"%s\">%.10s %.5s UTC</time></small>", time, time,
                       time + 11);
}

/* What stands between empty lines becomes a paragraph; single line ends stay (white-space: pre-line). */
static void paragraphs(struct http_buffer *buffer, const char *text)
{
    struct http_buffer escaped = { 0 };

    http_buffer_html(&escaped, text);
    http_buffer_append(&escaped, "", 1);
    buffer->failed |= escaped.failed;
    for (const char *at = escaped.failed ? "" : escaped.data; *at;) {
        const char *end = strstr(at, "\n\n");
        size_t length = end ? (size_t)(end - at) : strlen(at);

        if (length > 0) {
            http_buffer_text(buffer, "<p>");
            http_buffer_append(buffer, at, length);
            http_buffer_text(buffer, "</p>\n");
        }
        at += length + (end ? 2 : 0);
    }
    http_buffer_reset(&escaped, 0);
}

void blog_html_list_begin(struct http_buffer *buffer)
{
    page_begin(buffer, "Blog");
    http_buffer_text(buffer, "<h1>Blog</h1>\n<ul>\n");
}

void blog_html_summary(struct http_buffer *buffer, const struct blog_article *article)
{
    http_buffer_text(buffer, "<li><a href=\"/read/");
    http_buffer_html(buffer, article->id);
    http_buffer_text(buffer, "\">");
    http_buffer_html(buffer, article->title);
    http_buffer_text(buffer, "</a> ");
    byline(buffer, article->author, article->created_ms);
    http_buffer_text(buffer, "</li>\n");
}

void blog_html_list_end(struct http_buffer *buffer, const char *older)
{
    http_buffer_text(buffer, "</ul>\n");
    if (older) {
        http_buffer_text(buffer, "<p><a href=\"/?before=");
        http_buffer_html(buffer, older);
        http_buffer_text(buffer, "\">Older articles</a></p>\n");
    }
    page_end(buffer);
}

void blog_html_article_begin(struct http_buffer *buffer, const struct blog_article *article)
{
    page_begin(buffer, article->title);
    http_buffer_text(buffer, "<p><a href=\"/\">Blog</a></p>\n<article><h1>");
    http_buffer_html(buffer, article->title);
    http_buffer_text(buffer, "</h1>\n<p>");
    byline(buffer, article->author, article->created_ms);
    http_buffer_text(buffer, "</p>\n");
    paragraphs(buffer, article->body);
    http_buffer_text(buffer, "</article>\n<h2>Comments</h2>\n");
}

void blog_html_comment(struct http_buffer *buffer, const struct blog_comment *comment)
{
    http_buffer_text(buffer, "<section>");
    byline(buffer, comment->author, comment->created_ms);
    http_buffer_text(buffer, "\n");
    paragraphs(buffer, comment->body);
    http_buffer_text(buffer, "</section>\n");
}

void blog_html_article_end(struct http_buffer *buffer)
{
    page_end(buffer);
}
