/* Articles and comments as JSON text. */
#ifndef BATON_BLOG_JSON_H
#define BATON_BLOG_JSON_H

#include "worker/blog/article.h"
#include "worker/blog/comment.h"
#include "worker/http/buffer.h"

/* A whole article, and a line end. */
void blog_json_article(struct http_buffer *buffer, const struct blog_article *article);

/* An article without its body, an element of a list. */
void blog_json_summary(struct http_buffer *buffer, const struct blog_article *article);

/* A comment; `with_review`: also whether it was reviewed. */
void blog_json_comment(struct http_buffer *buffer, const struct blog_comment *comment, bool with_review);

enum { BLOG_TIME_BYTES = 32 };

/* "2026-01-31T23:59:59.123Z" */
void blog_time_text(int64_t time_ms, char text[BLOG_TIME_BYTES]);

#endif
