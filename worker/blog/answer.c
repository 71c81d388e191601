#include "worker/blog/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/blog/json.h"

static void fail(struct http_exchange *exchange, int error)
{
    char reason[128];
    bool damaged = error == -EIO || error == -EUCLEAN;

    snprintf(reason, sizeof reason, "the database does not answer: %s", strerror(-error));
    if (!damaged) /* locked, full or read-only: may pass */
        http_response_field(&exchange->response, "Retry-After", "1");
    http_exchange_refuse(exchange, damaged ? 500 : 503, NULL, reason);
}

void blog_answer(struct http_exchange *exchange, int outcome, const char *type)
{
    if (outcome < 0)
        fail(exchange, outcome);
    else if (outcome == BLOG_ABSENT)
        http_exchange_refuse(exchange, 404, NULL, "there is no such article");
    else
        http_exchange_answer(exchange, 200, type);
}

void blog_answer_article(struct http_exchange *exchange, int outcome, const struct blog_article *article)
{
    if (outcome == BLOG_CONFLICT) {
        http_exchange_refuse(exchange, 409, NULL, "this id belongs to an article with other content");
        return;
    }
    if (outcome < 0) {
        fail(exchange, outcome);
        return;
    }
    http_buffer_text(&exchange->response.fields, "Location: /articles/");
    http_buffer_text(&exchange->response.fields, article->id);
    http_buffer_text(&exchange->response.fields, "\r\n");
    blog_json_article(&exchange->response.body, article);
    http_exchange_answer(exchange, outcome == BLOG_KNOWN ? 200 : 201, BLOG_TYPE_JSON);
}

void blog_answer_comment(struct http_exchange *exchange, int outcome, const struct blog_comment *comment,
                         bool with_review)
{
    if (outcome != 0) {
        blog_answer(exchange, outcome, BLOG_TYPE_JSON);
        return;
    }
    blog_json_comment(&exchange->response.body, comment, with_review);
    http_buffer_text(&exchange->response.body, "\n");
    http_exchange_answer(exchange, 201, BLOG_TYPE_JSON);
}
