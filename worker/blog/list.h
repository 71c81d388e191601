/* Lists of articles and of comments, page by page. */
#ifndef BATON_BLOG_LIST_H
#define BATON_BLOG_LIST_H

#include "worker/blog/store.h"
#include "worker/http/buffer.h"

enum { BLOG_LIST_DEFAULT = 20, BLOG_LIST_MAX = 100 };

/* Each appends to `buffer` and returns 0; BLOG_ABSENT: there is no article `before`, or none to comment on;
 * -errno. */

/* {"articles": [newest first, …], "next": "/articles?…" or null}. `before`: an id; NULL: the first page. */
int blog_list_json(struct blog_store *store, struct http_buffer *buffer, const char *before, int limit);
int blog_list_html(struct blog_store *store, struct http_buffer *buffer, const char *before);

/* {"article": id, "comments": [oldest first, …], "next": "/articles/…" or null} */
int blog_list_comments_json(struct blog_store *store, struct http_buffer *buffer, const char *id,
                            int64_t after, int limit);
/* The comments of a page, at most `limit`. */
int blog_list_comments_html(struct blog_store *store, struct http_buffer *buffer, const char *id, int limit);

#endif
