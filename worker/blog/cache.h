/* Articles that were read or published lately, rendered as they are sent. An article never changes, so what
 * is here is right whatever other processes do. Bounded in bytes; the cost of everything is bounded, too,
 * whatever ids clients choose. */
#ifndef BATON_BLOG_CACHE_H
#define BATON_BLOG_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/blog/article.h"
#include "worker/blog/draft.h"
#include "worker/http/buffer.h"

struct blog_cached {
    char id[BLOG_ID_MAX + 1];
    int64_t created_ms;
    struct http_buffer json; /* blog_json_article() */
    struct http_buffer html; /* blog_html_article_begin() */
    uint64_t used;           /* private: when, by the cache's own clock */
};

struct blog_cache;

/* Returns NULL without memory. */
struct blog_cache *blog_cache_create(size_t bytes_max);

/* NULL is fine. */
void blog_cache_free(struct blog_cache *cache);

/* What is known of an article; NULL: nothing. Valid until the next put. */
const struct blog_cached *blog_cache_get(struct blog_cache *cache, const char *id);

/* Render and keep. Returns NULL when the article is too large to keep, or without memory. */
const struct blog_cached *blog_cache_put(struct blog_cache *cache, const struct blog_article *article);

/* Whether an article of this id, whenever created, has the content of the cached one. No memory: false. */
bool blog_cache_same(const struct blog_cached *cached, const struct blog_article *article);

#endif
