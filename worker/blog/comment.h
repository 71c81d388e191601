/* Comments on articles in the store. */
#ifndef BATON_BLOG_COMMENT_H
#define BATON_BLOG_COMMENT_H

#include <stdbool.h>

#include "worker/blog/store.h"

struct blog_comment {
    int64_t number;
    const char *author;
    const char *body;
    int64_t created_ms;
    bool reviewed; /* schema 2: false for what release 1 has accepted */
};

typedef void blog_comment_visit(void *arg, const struct blog_comment *comment);

/* Add a comment. Returns 0 (`number` is filled in), BLOG_ABSENT when there is no such article, -errno. */
int blog_comment_add(struct blog_store *store, const char *article_id, struct blog_comment *comment);

/* At most `limit` comments, the oldest first, after the one numbered `after` (0: from the first).
 * Returns 0, BLOG_ABSENT, -errno. */
int blog_comment_list(struct blog_store *store, const char *article_id, int64_t after, int limit,
                      blog_comment_visit *visit, void *arg);

#endif
