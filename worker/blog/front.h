/* The newest articles, as JSON and as HTML, kept until anybody publishes anything (release 2). Other
 * processes may: what is kept is compared with the database's version at each use. */
#ifndef BATON_BLOG_FRONT_H
#define BATON_BLOG_FRONT_H

#include <stdbool.h>

#include "worker/blog/store.h"
#include "worker/http/buffer.h"

enum blog_form { BLOG_FORM_JSON, BLOG_FORM_HTML, BLOG_FORMS };

struct blog_front {
    struct {
        bool valid;
        int64_t version; /* blog_store_version() */
        struct http_buffer text;
    } kept[BLOG_FORMS];
};

/* Append the list to `buffer`; `hit` says whether it was kept. Returns 0, -errno. */
int blog_front_write(struct blog_front *front, struct blog_store *store, enum blog_form form,
                     struct http_buffer *buffer, bool *hit);

void blog_front_free(struct blog_front *front);

#endif
