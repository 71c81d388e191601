/* Publishing off the loop (release 2): a thread with a database connection of its own writes what the loop
 * hands to it. Everything that has queued up while it was busy goes into one transaction (group commit): the
 * disk is waited for once, not once for each. A job is done when it is on disk. */
#ifndef BATON_BLOG_PUBLISHER_H
#define BATON_BLOG_PUBLISHER_H

#include <ev.h>
#include <sys/queue.h>

#include "worker/blog/article.h"
#include "worker/blog/comment.h"
#include "worker/blog/draft.h"
#include "worker/http/exchange.h"

enum blog_job_kind { BLOG_JOB_ARTICLE, BLOG_JOB_COMMENT };

struct blog_job {
    STAILQ_ENTRY(blog_job) link;
    enum blog_job_kind kind;
    struct blog_draft draft; /* holds the strings of the article or the comment */
    union {
        struct blog_article article;
        struct blog_comment comment;
    };
    char article_id[BLOG_ID_MAX + 1]; /* of the article that is commented on */
    struct http_exchange *exchange;   /* the thread does not touch it */
    int outcome;                      /* of blog_article_publish() or blog_comment_add() */
};

STAILQ_HEAD(blog_jobs, blog_job);

struct blog_publisher;

/* Start the thread on the database in `directory`. `on_done` gets, in the loop, jobs that are done, in the
 * order of their submission; they are its own then. Returns 0; -errno and a reason in words. */
int blog_publisher_start(struct blog_publisher **out, struct ev_loop *loop, const char *directory,
                         void (*on_done)(void *arg, struct blog_jobs *jobs), void *arg,
                         char reason[BLOG_REASON_BYTES]);

/* Hand over one job; never blocks for the disk. */
void blog_publisher_submit(struct blog_publisher *publisher, struct blog_job *job);

/* Finish what was submitted (on_done is called for it) and end the thread. NULL is fine. */
void blog_publisher_stop(struct blog_publisher *publisher);

#endif
