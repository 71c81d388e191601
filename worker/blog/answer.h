/* Answers that both releases give. */
#ifndef BATON_BLOG_ANSWER_H
#define BATON_BLOG_ANSWER_H

#include "worker/blog/article.h"
#include "worker/blog/comment.h"
#include "worker/http/exchange.h"

#define BLOG_TYPE_JSON "application/json"
#define BLOG_TYPE_HTML "text/html; charset=utf-8"

/* The body is complete: 200; 404 for BLOG_ABSENT; 5xx for -errno. */
void blog_answer(struct http_exchange *exchange, int outcome, const char *type);

/* What blog_article_publish() said: 201, 200, 409 or 5xx. */
void blog_answer_article(struct http_exchange *exchange, int outcome, const struct blog_article *article);

/* What blog_comment_add() said: 201, 404 or 5xx. */
void blog_answer_comment(struct http_exchange *exchange, int outcome, const struct blog_comment *comment,
                         bool with_review);

#endif
