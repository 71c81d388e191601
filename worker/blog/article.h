/* Articles in the store. An article never changes once it is published. */
#ifndef BATON_BLOG_ARTICLE_H
#define BATON_BLOG_ARTICLE_H

#include "worker/blog/store.h"

struct blog_article {
    int64_t number; /* in the order of publishing */
    const char *id;
    const char *title;
    const char *author;
    const char *body;   /* "" in lists */
    int64_t created_ms; /* since 1970, UTC */
};

/* Gets an article whose strings live until it returns. */
typedef void blog_article_visit(void *arg, const struct blog_article *article);

/* Publish. Returns 0 (`number` is filled in), or BLOG_KNOWN (`number` and `created_ms` are those of the
 * article that is there), BLOG_CONFLICT, -errno. Of several at once, in any process, one publishes. */
int blog_article_publish(struct blog_store *store, struct blog_article *article);

/* Returns 0 after the visit, BLOG_ABSENT, -errno. */
int blog_article_find(struct blog_store *store, const char *id, blog_article_visit *visit, void *arg);

/* At most `limit` articles, the newest first, all older than the one with the id `before` (NULL: from the
 * newest). Returns 0, BLOG_ABSENT when there is no `before`, -errno. */
int blog_article_list(struct blog_store *store, const char *before, int limit, blog_article_visit *visit,
                      void *arg);

/* The number of an article. Returns 0, BLOG_ABSENT, -errno. */
int blog_article_number(struct blog_store *store, const char *id, int64_t *number);

#endif
