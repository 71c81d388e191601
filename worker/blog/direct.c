#include "worker/blog/direct.h"

#include "worker/blog/answer.h"
#include "worker/blog/html.h"
#include "worker/blog/json.h"
#include "worker/blog/list.h"

static void write_json(void *arg, const struct blog_article *article)
{
    blog_json_article(arg, article);
}

static void write_page(void *arg, const struct blog_article *article)
{
    blog_html_article_begin(arg, article);
}

void blog_direct_article(struct blog *blog, struct http_exchange *exchange, const char *id)
{
    blog_answer(exchange, blog_article_find(blog->store, id, write_json, &exchange->response.body),
                BLOG_TYPE_JSON);
}

void blog_direct_page(struct blog *blog, struct http_exchange *exchange, const char *id)
{
    struct http_buffer *body = &exchange->response.body;
    int outcome = blog_article_find(blog->store, id, write_page, body);

    if (outcome == 0)
        outcome = blog_list_comments_html(blog->store, body, id, BLOG_PAGE_COMMENTS);
    blog_html_article_end(body);
    blog_answer(exchange, outcome, BLOG_TYPE_HTML);
}

void blog_direct_newest(struct blog *blog, struct http_exchange *exchange)
{
    int outcome = blog_list_json(blog->store, &exchange->response.body, NULL, BLOG_LIST_DEFAULT);

    blog_answer(exchange, outcome, BLOG_TYPE_JSON);
}

void blog_direct_front(struct blog *blog, struct http_exchange *exchange)
{
    blog_answer(exchange, blog_list_html(blog->store, &exchange->response.body, NULL), BLOG_TYPE_HTML);
}
