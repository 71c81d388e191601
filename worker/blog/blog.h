/* The blog: one server program in two releases, built from one tree. What differs is in the table below. */
#ifndef BATON_BLOG_BLOG_H
#define BATON_BLOG_BLOG_H

#include <ev.h>

#include "worker/blog/draft.h"
#include "worker/blog/store.h"
#include "worker/http/exchange.h"

struct blog {
    const struct blog_release *release;
    struct ev_loop *loop;
    const char *directory;    /* of the database */
    struct blog_store *store; /* for everything that happens in the loop */
    struct blog_async *async; /* release 2 */
};

/* The handlers answer the exchange, at once or later. Those that get a draft free it. */
struct blog_release {
    int number;
    const char *program;
    enum blog_schema schema;

    /* May be NULL. On failure: -errno and a reason in words. */
    int (*open)(struct blog *blog, char reason[BLOG_REASON_BYTES]);
    void (*close)(struct blog *blog);

    void (*publish)(struct blog *blog, struct http_exchange *exchange, struct blog_draft *draft);
    void (*comment)(struct blog *blog, struct http_exchange *exchange, const char *id,
                    struct blog_draft *draft);
    void (*article)(struct blog *blog, struct http_exchange *exchange, const char *id); /* as JSON */
    void (*page)(struct blog *blog, struct http_exchange *exchange,
                 const char *id);                                      /* as HTML, with comments */
    void (*newest)(struct blog *blog, struct http_exchange *exchange); /* the list as JSON */
    void (*front)(struct blog *blog, struct http_exchange *exchange);  /* the list as HTML */
};

extern const struct blog_release blog_release_1;
extern const struct blog_release blog_release_2;

/* Open the database in `directory` (which outlives the blog) and what else the release needs.
 * Returns 0; -errno and a reason in words (nothing is open then). */
int blog_open(struct blog *blog, const struct blog_release *release, struct ev_loop *loop,
              const char *directory, char reason[BLOG_REASON_BYTES]);

void blog_close(struct blog *blog);

/* Serve one request; `blog` is the arg of the server. */
void blog_handle(void *blog, struct http_exchange *exchange);

/* The whole program: options, life, exit status. */
int blog_main(const struct blog_release *release, int argc, char **argv);

#endif
