/* What a client sent: the JSON of an article or a comment, checked. Pure.
 *
 *     article {"id": optional, "title": 1 to 300 characters, "body": not empty, "author": optional}
 *     comment {"body": a string, "author": optional}
 *
 * Members that are not known are ignored: clients of another release may send more. */
#ifndef BATON_BLOG_DRAFT_H
#define BATON_BLOG_DRAFT_H

#include <jansson.h>
#include <stddef.h>

enum { BLOG_ID_MAX = 64, BLOG_DRAFT_REASON_BYTES = 256 };

struct blog_draft {
    json_t *document;         /* holds the strings below */
    char id[BLOG_ID_MAX + 1]; /* "": none was given */
    const char *title;
    const char *body;
    const char *author;
};

/* Parse. Returns 0; -EINVAL and in `reason` a sentence for the client; -ENOMEM.
 * Free the draft with blog_draft_free() after success only. */
int blog_draft_article(struct blog_draft *draft, const char *text, size_t length,
                       char reason[BLOG_DRAFT_REASON_BYTES]);
int blog_draft_comment(struct blog_draft *draft, const char *text, size_t length,
                       char reason[BLOG_DRAFT_REASON_BYTES]);

/* Invent an id: 16 characters, 80 bits of chance. Returns 0, -errno. */
int blog_draft_invent_id(struct blog_draft *draft);

void blog_draft_free(struct blog_draft *draft);

#endif
