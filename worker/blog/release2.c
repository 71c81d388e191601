/* Release 2: reads come from a cache, writes are committed in groups off the loop and rendered for the cache
 * after their answers are on the way, comments are reviewed. */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "worker/blog/answer.h"
#include "worker/blog/blog.h"
#include "worker/blog/cache.h"
#include "worker/blog/direct.h"
#include "worker/blog/front.h"
#include "worker/blog/html.h"
#include "worker/blog/list.h"
#include "worker/blog/publisher.h"
#include "worker/blog/review.h"

enum { CACHE_BYTES = 32 * 1024 * 1024 };

struct blog_async {
    struct blog_cache *cache;
    struct blog_front front;
    struct blog_publisher *publisher;
};

static void tell_cache(struct http_exchange *exchange, bool hit)
{
    http_response_field(&exchange->response, "X-Blog-Cache", hit ? "hit" : "miss");
}

/* --- reads -------------------------------------------------------------------------------------- */

struct lookup {
    struct blog_cache *cache;
    const struct blog_cached *found;
};

static void keep(void *arg, const struct blog_article *article)
{
    struct lookup *lookup = arg;

    lookup->found = blog_cache_put(lookup->cache, article);
}

/* The article from the cache, which the database fills. NULL: `outcome` says why; 0: too large to keep. */
static const struct blog_cached *look_up(struct blog *blog, const char *id, bool *hit, int *outcome)
{
    struct lookup lookup = { .cache = blog->async->cache, .found = blog_cache_get(blog->async->cache, id) };

    *outcome = 0;
    *hit = lookup.found != NULL;
    if (!*hit)
        *outcome = blog_article_find(blog->store, id, keep, &lookup);
    return lookup.found;
}

static void article(struct blog *blog, struct http_exchange *exchange, const char *id)
{
    bool hit;
    int outcome;
    const struct blog_cached *cached = look_up(blog, id, &hit, &outcome);

    tell_cache(exchange, hit);
    if (!cached && outcome == 0) {
        blog_direct_article(blog, exchange, id);
        return;
    }
    if (cached)
        http_buffer_append(&exchange->response.body, cached->json.data, cached->json.length);
    blog_answer(exchange, outcome, BLOG_TYPE_JSON);
}

static void page(struct blog *blog, struct http_exchange *exchange, const char *id)
{
    struct http_buffer *body = &exchange->response.body;
    bool hit;
    int outcome;
    const struct blog_cached *cached = look_up(blog, id, &hit, &outcome);

    tell_cache(exchange, hit);
    if (!cached && outcome == 0) {
        blog_direct_page(blog, exchange, id);
        return;
    }
    if (cached) {
        http_buffer_append(body, cached->html.data, cached->html.length);
        outcome = blog_list_comments_html(blog->store, body, id, BLOG_PAGE_COMMENTS);
        blog_html_article_end(body);
    }
    blog_answer(exchange, outcome, BLOG_TYPE_HTML);
}

static void list(struct blog *blog, struct http_exchange *exchange, enum blog_form form, const char *type)
{
    bool hit = false;
    int outcome = blog_front_write(&blog->async->front, blog->store, form, &exchange->response.body, &hit);

    tell_cache(exchange, hit);
    blog_answer(exchange, outcome, type);
}

static void newest(struct blog *blog, struct http_exchange *exchange)
{
    list(blog, exchange, BLOG_FORM_JSON, BLOG_TYPE_JSON);
}

static void front(struct blog *blog, struct http_exchange *exchange)
{
    list(blog, exchange, BLOG_FORM_HTML, BLOG_TYPE_HTML);
}

/* --- writes ------------------------------------------------------------------------------------- */

static struct blog_article article_of(const struct blog *blog, const struct blog_draft *draft)
{
    return (struct blog_article){
        .id = draft->id,
        .title = draft->title,
        .author = draft->author,
        .body = draft->body,
        .created_ms = (int64_t)(ev_now(blog->loop) * 1000),
    };
}

/* Answer for an id that is known already. Returns false when there is nothing to say yet. */
static bool answer_known(struct blog *blog, struct http_exchange *exchange, const struct blog_draft *draft)
{
    struct blog_article wanted = article_of(blog, draft);
    bool hit;
    int outcome;
    const struct blog_cached *cached = look_up(blog, draft->id, &hit, &outcome);

    if (cached) {
        outcome = blog_cache_same(cached, &wanted) ? BLOG_KNOWN : BLOG_CONFLICT;
        wanted.created_ms = cached->created_ms;
        tell_cache(exchange, true); /* also if it came from the database just now: nothing was published */
    } else if (outcome >= 0) {
        return false; /* absent, or too large for the cache: the publisher finds out */
    }
    blog_answer_article(exchange, outcome, &wanted);
    return true;
}

/* Hand a job over. The draft is taken. */
static void submit(struct blog *blog, const struct blog_job *wanted)
{
    struct blog_job *job = malloc(sizeof *job);

    if (!job) {
        struct blog_draft draft = wanted->draft;

        blog_draft_free(&draft);
        http_exchange_refuse(wanted->exchange, 503, NULL, "out of memory");
        return;
    }
    *job = *wanted;
    if (job->kind == BLOG_JOB_ARTICLE)
        job->article.id = job->draft.id; /* the copy's own */
    blog_publisher_submit(blog->async->publisher, job);
}

static void publish(struct blog *blog, struct http_exchange *exchange, struct blog_draft *draft)
{
    int error = 0;

    if (!*draft->id) {
        error = blog_draft_invent_id(draft);
    } else if (answer_known(blog, exchange, draft)) {
        blog_draft_free(draft);
        return;
    }
    struct blog_job job = { .kind = BLOG_JOB_ARTICLE, .draft = *draft, .exchange = exchange };
    job.article = article_of(blog, draft);
    if (error == 0) {
        submit(blog, &job);
        return;
    }
    blog_answer_article(exchange, error, &job.article);
    blog_draft_free(draft);
}

static void comment(struct blog *blog, struct http_exchange *exchange, const char *id,
                    struct blog_draft *draft)
{
    const char *objection = blog_review(draft->body);

    if (objection) {
        http_exchange_refuse(exchange, 400, "comment not reviewed", objection);
        blog_draft_free(draft);
        return;
    }
    struct blog_job job = { .kind = BLOG_JOB_COMMENT, .draft = *draft, .exchange = exchange };
    job.comment = (struct blog_comment){
        .author = draft->author,
        .body = draft->body,
        .created_ms = (int64_t)(ev_now(blog->loop) * 1000),
    };
    if (strlen(id) > BLOG_ID_MAX) { /* no article has such an id */
        blog_answer_comment(exchange, BLOG_ABSENT, &job.comment, true);
        blog_draft_free(draft);
        return;
    }
    strcpy(job.article_id, id);
    submit(blog, &job);
}

static void answer(struct blog_job *job)
{
    if (job->kind == BLOG_JOB_COMMENT) {
        blog_answer_comment(job->exchange, job->outcome, &job->comment, true);
        return;
    }
    tell_cache(job->exchange, job->outcome == BLOG_KNOWN);
    blog_answer_article(job->exchange, job->outcome, &job->article);
}

/* First all answers, then what nobody waits for. */
static void on_done(void *arg, struct blog_jobs *jobs)
{
    struct blog *blog = arg;
    struct blog_job *job;

    STAILQ_FOREACH(job, jobs, link)
    answer(job);
    while ((job = STAILQ_FIRST(jobs))) {
        STAILQ_REMOVE_HEAD(jobs, link);
        if (job->kind == BLOG_JOB_ARTICLE && (job->outcome == 0 || job->outcome == BLOG_KNOWN))
            blog_cache_put(blog->async->cache, &job->article);
        blog_draft_free(&job->draft);
        free(job);
    }
}

/* --- life --------------------------------------------------------------------------------------- */

static void close_async(struct blog *blog)
{
    struct blog_async *async = blog->async;

    blog_publisher_stop(async->publisher); /* what it still delivers goes to the cache */
    blog_cache_free(async->cache);
    blog_front_free(&async->front);
    free(async);
    blog->async = NULL;
}

static int start_publisher(struct blog *blog, char reason[BLOG_REASON_BYTES])
{
    return blog_publisher_start(&blog->async->publisher, blog->loop, blog->directory, on_done, blog, reason);
}

static int open_async(struct blog *blog, char reason[BLOG_REASON_BYTES])
{
    int error = -ENOMEM;

    blog->async = calloc(1, sizeof *blog->async);
    if (blog->async)
        blog->async->cache = blog_cache_create(CACHE_BYTES);
    if (blog->async && blog->async->cache)
        error = start_publisher(blog, reason);
    else
        strcpy(reason, "out of memory");
    if (error < 0 && blog->async)
        close_async(blog);
    return error;
}

const struct blog_release blog_release_2 = {
    .number = 2,
    .program = "baton-blog-v2",
    .schema = BLOG_SCHEMA_2,
    .open = open_async,
    .close = close_async,
    .publish = publish,
    .comment = comment,
    .article = article,
    .page = page,
    .newest = newest,
    .front = front,
};
