/* Reads answered straight from the database: all of them in release 1, what is not cached in release 2. */
#ifndef BATON_BLOG_DIRECT_H
#define BATON_BLOG_DIRECT_H

#include "worker/blog/blog.h"

enum { BLOG_PAGE_COMMENTS = 500 }; /* on one HTML page */

void blog_direct_article(struct blog *blog, struct http_exchange *exchange, const char *id);
void blog_direct_page(struct blog *blog, struct http_exchange *exchange, const char *id);
void blog_direct_newest(struct blog *blog, struct http_exchange *exchange);
void blog_direct_front(struct blog *blog, struct http_exchange *exchange);

#endif
