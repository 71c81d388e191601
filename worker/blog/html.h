/* Articles and comments as HTML pages: begin, content, end. Everything that users wrote is escaped. */
#ifndef BATON_BLOG_HTML_H
#define BATON_BLOG_HTML_H

#include "worker/blog/article.h"
#include "worker/blog/comment.h"
#include "worker/http/buffer.h"

void blog_html_list_begin(struct http_buffer *buffer);
void blog_html_summary(struct http_buffer *buffer, const struct blog_article *article);
/* `older`: the id of the last article on this page when there may be more, NULL otherwise. */
void blog_html_list_end(struct http_buffer *buffer, const char *older);

/* The page of an article up to its comments. Empty lines separate paragraphs. */
void blog_html_article_begin(struct http_buffer *buffer, const struct blog_article *article);
void blog_html_comment(struct http_buffer *buffer, const struct blog_comment *comment);
void blog_html_article_end(struct http_buffer *buffer);

#endif
