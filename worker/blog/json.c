#include "worker/blog/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void blog_time_text(int64_t time_ms, char text[BLOG_TIME_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    size_t length = strftime(text, BLOG_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));

    snprintf(text + length, BLOG_TIME_BYTES - length, ".%03dZ", (int)(time_ms % 1000));
}

static void member(struct http_buffer *buffer, const char *name, const char *value)
{
    http_buffer_text(buffer, ",\"");
    http_buffer_text(buffer, name);
    http_buffer_text(buffer, "\":");
    http_buffer_json(buffer, value);
}

static void created(struct http_buffer *buffer, int64_t created_ms)
{
    char time[BLOG_TIME_BYTES];

    blog_time_text(created_ms, time);
    member(buffer, "created", time);
}

static void head(struct http_buffer *buffer, const struct blog_article *article)
{
    http_buffer_text(buffer, "{\"id\":");
    http_buffer_json(buffer, article->id);
    member(buffer, "title", article->title);
    member(buffer, "author", article->author);
    created(buffer, article->created_ms);
}

void blog_json_article(struct http_buffer *buffer, const struct blog_article *article)
{
    head(buffer, article);
    member(buffer, "body", article->body);
    http_buffer_text(buffer, "}\n");
}

void blog_json_summary(struct http_buffer *buffer, const struct blog_article *article)
{
    head(buffer, article);
    http_buffer_text(buffer, "}");
}

void blog_json_comment(struct http_buffer *buffer, const struct blog_comment *comment, bool with_review)
{
    http_buffer_printf(buffer, "{\"number\":%" PRId64, comment->number);
    member(buffer, "author", comment->author);
    created(buffer, comment->created_ms);
    if (with_review)
        http_buffer_text(buffer, comment->reviewed ? ",\"reviewed\":true" : ",\"reviewed\":false");
    member(buffer, "body", comment->body);
    http_buffer_text(buffer, "}");
}
