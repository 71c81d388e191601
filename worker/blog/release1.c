/* Release 1: every request is answered straight from the database, every write waits for the disk. */
#include <ev.h>

#include "worker/blog/answer.h"
#include "worker/blog/blog.h"
#include "worker/blog/direct.h"

static int64_t now_ms(const struct blog *blog)
{
    return (int64_t)(ev_now(blog->loop) * 1000);
}

static void publish(struct blog *blog, struct http_exchange *exchange, struct blog_draft *draft)
{
    int outcome = *draft->id ? 0 : blog_draft_invent_id(draft);
    struct blog_article article = {
        .id = draft->id,
        .title = draft->title,
        .author = draft->author,
        .body = draft->body,
        .created_ms = now_ms(blog),
    };

    if (outcome == 0)
        outcome = blog_article_publish(blog->store, &article);
    blog_answer_article(exchange, outcome, &article);
    blog_draft_free(draft);
}

static void comment(struct blog *blog, struct http_exchange *exchange, const char *id,
                    struct blog_draft *draft)
{
    struct blog_comment entry = { .author = draft->author, .body = draft->body, .created_ms = now_ms(blog) };

    if (*draft->body)
        blog_answer_comment(exchange, blog_comment_add(blog->store, id, &entry), &entry, false);
    else
        http_exchange_refuse(exchange, 400, NULL, "\"body\" must not be empty");
    blog_draft_free(draft);
}

const struct blog_release blog_release_1 = {
    .number = 1,
    .program = "baton-blog-v1",
    .schema = BLOG_SCHEMA_1,
    .publish = publish,
    .comment = comment,
    .article = blog_direct_article,
    .page = blog_direct_page,
    .newest = blog_direct_newest,
    .front = blog_direct_front,
};
