/* What the blog serves. Lists are JSON objects with "next": the path of the next page, or null.
 *
 *     GET  /                      the newest articles, HTML; ?before=ID
 *     GET  /read/ID               an article with its comments, HTML
 *     GET  /articles              the newest articles; ?limit=1..100&before=ID
 *     POST /articles              {"title", "body", "author"?, "id"?}: 201 and Location; a known id: 200 when
 *                                 the content is the same, 409 otherwise, so it may be sent again
 *     GET  /articles/ID
 *     GET  /articles/ID/comments  oldest first; ?limit=1..100&after=NUMBER
 *     POST /articles/ID/comments  {"body", "author"?}: 201; release 2: 400 when the review objects
 *     GET  /healthz               200 when the database answers
 *
 * A write that was answered with 2xx is on disk. Errors are {"error", "reason"}: 400, 404, 405, 409, 413; 503
 * while the database is locked, full or read-only, 500 when it fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/blog/answer.h"
#include "worker/blog/blog.h"
#include "worker/blog/list.h"
#include "worker/http/route.h"
#include "worker/http/target.h"

static void refuse_query(struct http_exchange *exchange, const char *reason)
{
    http_exchange_refuse(exchange, 400, NULL, reason);
}

static void refuse_draft(struct http_exchange *exchange, int error, const char *reason)
{
    if (error == -ENOMEM)
        http_exchange_refuse(exchange, 503, NULL, "out of memory");
    else
        http_exchange_refuse(exchange, 400, NULL, reason);
}

/* The number `name` of the query, `fallback` without it. Returns false when it is no number from least to
 * most. */
static bool query_number(const char *query, const char *name, long long least, long long most,
                         long long fallback, long long *number)
{
    char text[24], *end;

    *number = fallback;
    switch (http_query_get(query, name, text, sizeof text)) {
    case 0:
        return true;
    case 1:
        errno = 0;
        *number = strtoll(text, &end, 10);
        return *text && !*end && errno == 0 && *number >= least && *number <= most;
    default:
        return false;
    }
}

static void get_list(void *arg, struct http_exchange *exchange, const char *segment)
{
    struct blog *blog = arg;
    const char *query = exchange->request.query;
    char before[BLOG_ID_MAX + 1];
    long long limit;

    (void)segment;
    if (!*query) {
        blog->release->newest(blog, exchange);
        return;
    }
    int found = http_query_get(query, "before", before, sizeof before);
    if (!query_number(query, "limit", 1, BLOG_LIST_MAX, BLOG_LIST_DEFAULT, &limit) || found < 0) {
        refuse_query(exchange, "limit is a number from 1 to 100, before the id of an article");
        return;
    }
    int outcome = blog_list_json(blog->store, &exchange->response.body, found ? before : NULL, (int)limit);
    if (outcome == BLOG_ABSENT)
        refuse_query(exchange, "before: there is no article with this id");
    else
        blog_answer(exchange, outcome, BLOG_TYPE_JSON);
}

static void get_front(void *arg, struct http_exchange *exchange, const char *segment)
{
    struct blog *blog = arg;
    char before[BLOG_ID_MAX + 1];
    int found = http_query_get(exchange->request.query, "before", before, sizeof before);

    (void)segment;
    if (found == 0) {
        blog->release->front(blog, exchange);
        return;
    }
    int outcome = found < 0 ? BLOG_ABSENT : blog_list_html(blog->store, &exchange->response.body, before);
    if (outcome == BLOG_ABSENT)
        refuse_query(exchange, "before: there is no article with this id");
    else
        blog_answer(exchange, outcome, BLOG_TYPE_HTML);
}

static void post_article(void *arg, struct http_exchange *exchange, const char *segment)
{
    struct blog *blog = arg;
    const struct http_request *request = &exchange->request;
    char reason[BLOG_DRAFT_REASON_BYTES];
    struct blog_draft draft;
    int error = blog_draft_article(&draft, request->body, request->body_length, reason);

    (void)segment;
    if (error < 0)
        refuse_draft(exchange, error, reason);
    else
        blog->release->publish(blog, exchange, &draft);
}

static void get_article(void *arg, struct http_exchange *exchange, const char *id)
{
    struct blog *blog = arg;

    blog->release->article(blog, exchange, id);
}

static void get_page(void *arg, struct http_exchange *exchange, const char *id)
{
    struct blog *blog = arg;

    blog->release->page(blog, exchange, id);
}

static void post_comment(void *arg, struct http_exchange *exchange, const char *id)
{
    struct blog *blog = arg;
    const struct http_request *request = &exchange->request;
    char reason[BLOG_DRAFT_REASON_BYTES];
    struct blog_draft draft;
    int error = blog_draft_comment(&draft, request->body, request->body_length, reason);

    if (error < 0)
        refuse_draft(exchange, error, reason);
    else
        blog->release->comment(blog, exchange, id, &draft);
}

static void get_comments(void *arg, struct http_exchange *exchange, const char *id)
{
    struct blog *blog = arg;
    const char *query = exchange->request.query;
    long long limit, after;

    if (!query_number(query, "limit", 1, BLOG_LIST_MAX, BLOG_LIST_DEFAULT, &limit) ||
        !query_number(query, "after", 0, INT64_MAX, 0, &after)) {
        refuse_query(exchange, "limit is a number from 1 to 100, after the number of a comment");
        return;
    }
    int outcome = blog_list_comments_json(blog->store, &exchange->response.body, id, after, (int)limit);
    blog_answer(exchange, outcome, BLOG_TYPE_JSON);
}

static void get_health(void *arg, struct http_exchange *exchange, const char *segment)
{
    struct blog *blog = arg;

    (void)segment;
    http_buffer_printf(&exchange->response.body, "{\"status\":\"ok\",\"version\":%d}\n",
                       blog->release->number);
    blog_answer(exchange, blog_store_check(blog->store), BLOG_TYPE_JSON);
}

static const struct http_route routes[] = {
    { HTTP_GET, "/articles/{}", get_article },
    { HTTP_GET, "/articles", get_list },
    { HTTP_POST, "/articles", post_article },
    { HTTP_GET, "/articles/{}/comments", get_comments },
    { HTTP_POST, "/articles/{}/comments", post_comment },
    { HTTP_GET, "/read/{}", get_page },
    { HTTP_GET, "/", get_front },
    { HTTP_GET, "/healthz", get_health },
};

void blog_handle(void *blog, struct http_exchange *exchange)
{
    http_route_dispatch(routes, sizeof routes / sizeof *routes, blog, exchange);
}
