#include "worker/blog/list.h"

#include <inttypes.h>
#include <stdio.h>

#include "worker/blog/article.h"
#include "worker/blog/comment.h"
#include "worker/blog/draft.h"
#include "worker/blog/html.h"
#include "worker/blog/json.h"

struct listing {
    struct http_buffer *buffer;
    int count;
    char last_id[BLOG_ID_MAX + 1];
    int64_t last_number;
    bool with_review;
};

static void add_json(void *arg, const struct blog_article *article)
{
    struct listing *listing = arg;

    http_buffer_text(listing->buffer, listing->count++ ? ",\n" : "\n");
    blog_json_summary(listing->buffer, article);
    snprintf(listing->last_id, sizeof listing->last_id, "%s", article->id);
}

int blog_list_json(struct blog_store *store, struct http_buffer *buffer, const char *before, int limit)
{
    struct listing listing = { .buffer = buffer };

    http_buffer_text(buffer, "{\"articles\":[");
    int error = blog_article_list(store, before, limit, add_json, &listing);
    if (error != 0)
        return error;
    if (listing.count == limit)
        http_buffer_printf(buffer, "],\n\"next\":\"/articles?limit=%d&before=%s\"}\n", limit,
                           listing.last_id);
    else
        http_buffer_text(buffer, "],\n\"next\":null}\n");
    return 0;
}

static void add_html(void *arg, const struct blog_article *article)
{
    struct listing *listing = arg;

    listing->count++;
    blog_html_summary(listing->buffer, article);
    snprintf(listing->last_id, sizeof listing->last_id, "%s", article->id);
}

int blog_list_html(struct blog_store *store, struct http_buffer *buffer, const char *before)
{
    struct listing listing = { .buffer = buffer };

    blog_html_list_begin(buffer);
    int error = blog_article_list(store, before, BLOG_LIST_DEFAULT, add_html, &listing);
    if (error != 0)
        return error;
    blog_html_list_end(buffer, listing.count == BLOG_LIST_DEFAULT ? listing.last_id : NULL);
    return 0;
}

static void add_comment_json(void *arg, const struct blog_comment *comment)
{
    struct listing *listing = arg;

    http_buffer_text(listing->buffer, listing->count++ ? ",\n" : "\n");
    blog_json_comment(listing->buffer, comment, listing->with_review);
    listing->last_number = comment->number;
}

int blog_list_comments_json(struct blog_store *store, struct http_buffer *buffer, const char *id,
                            int64_t after, int limit)
{
    struct listing listing = { .buffer = buffer, .with_review = store->schema >= BLOG_SCHEMA_2 };

    http_buffer_text(buffer, "{\"article\":");
    http_buffer_json(buffer, id);
    http_buffer_text(buffer, ",\"comments\":[");
    int error = blog_comment_list(store, id, after, limit, add_comment_json, &listing);
    if (error != 0)
        return error;
    if (listing.count == limit)
        http_buffer_printf(buffer, "],\n\"next\":\"/articles/%s/comments?limit=%d&after=%" PRId64 "\"}\n", id,
                           limit, listing.last_number);
    else
        http_buffer_text(buffer, "],\n\"next\":null}\n");
    return 0;
}

static void add_comment_html(void *arg, const struct blog_comment *comment)
{
    blog_html_comment(arg, comment);
}

int blog_list_comments_html(struct blog_store *store, struct http_buffer *buffer, const char *id, int limit)
{
    return blog_comment_list(store, id, 0, limit, add_comment_html, buffer);
}
