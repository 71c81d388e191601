#include "worker/blog/publisher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 256 /* jobs in one transaction: others want the lock, too */ };

struct blog_publisher {
    struct ev_loop *loop;
    void (*on_done)(void *arg, struct blog_jobs *jobs);
    void *arg;
    ev_async done_signal;
    pthread_t thread;
    struct blog_store *store; /* the thread's */

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wanted;
    struct blog_jobs queued;
    struct blog_jobs done;
    bool stopping;
};

/* --- in the thread ----------------------------------------------------------------------------- */

static void write_job(struct blog_store *store, struct blog_job *job)
{
    if (job->kind == BLOG_JOB_ARTICLE)
        job->outcome = blog_article_publish(store, &job->article);
    else
        job->outcome = blog_comment_add(store, job->article_id, &job->comment);
}

/* One transaction. Returns 0, or -errno: then nothing of it is in the database. */
static int write_together(struct blog_store *store, struct blog_jobs *jobs)
{
    struct blog_job *job;
    int error = blog_store_begin(store);

    if (error < 0)
        return error;
    STAILQ_FOREACH(job, jobs, link)
    {
        write_job(store, job);
        if (job->outcome < 0) {
            blog_store_rollback(store);
            return job->outcome;
        }
    }
    return blog_store_commit(store);
}

static void write_batch(struct blog_store *store, struct blog_jobs *jobs)
{
    struct blog_job *job;
    bool single = !STAILQ_NEXT(STAILQ_FIRST(jobs), link);
    int error = write_together(store, jobs);

    if (error == 0)
        return;
    STAILQ_FOREACH(job, jobs, link)
    { /* one may spoil it for the others: each for itself then */
        if (single)
            job->outcome = error;
        else
            write_job(store, job);
    }
}

/* Wait for work. Moves at most BATCH_MAX jobs to `batch`; returns false when there is and will be none. */
static bool take_batch(struct blog_publisher *publisher, struct blog_jobs *batch)
{
    struct blog_job *job;

    pthread_mutex_lock(&publisher->lock);
    while (STAILQ_EMPTY(&publisher->queued) && !publisher->stopping)
        pthread_cond_wait(&publisher->wanted, &publisher->lock);
    for (int i = 0; i < BATCH_MAX && (job = STAILQ_FIRST(&publisher->queued)); i++) {
        STAILQ_REMOVE_HEAD(&publisher->queued, link);
        STAILQ_INSERT_TAIL(batch, job, link);
    }
    pthread_mutex_unlock(&publisher->lock);
    return !STAILQ_EMPTY(batch);
}

static void *publish(void *arg)
{
    struct blog_publisher *publisher = arg;
    struct blog_jobs batch = STAILQ_HEAD_INITIALIZER(batch);

    while (take_batch(publisher, &batch)) {
        write_batch(publisher->store, &batch);
        pthread_mutex_lock(&publisher->lock);
        STAILQ_CONCAT(&publisher->done, &batch);
        pthread_mutex_unlock(&publisher->lock);
        ev_async_send(publisher->loop, &publisher->done_signal);
    }
    return NULL;
}

/* --- in the loop -------------------------------------------------------------------------------- */

static void deliver(struct blog_publisher *publisher)
{
    struct blog_jobs done = STAILQ_HEAD_INITIALIZER(done);

    pthread_mutex_lock(&publisher->lock);
    STAILQ_CONCAT(&done, &publisher->done);
    pthread_mutex_unlock(&publisher->lock);
    if (!STAILQ_EMPTY(&done))
        publisher->on_done(publisher->arg, &done);
}

static void on_done_signal(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop, (void)events;
    deliver(watcher->data);
}

/* Signals are for the loop. */
static int start_thread(struct blog_publisher *publisher)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&publisher->thread, NULL, publish, publisher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

int blog_publisher_start(struct blog_publisher **out, struct ev_loop *loop, const char *directory,
                         void (*on_done)(void *arg, struct blog_jobs *jobs), void *arg,
                         char reason[BLOG_REASON_BYTES])
{
    struct blog_store *store;
    int error = blog_store_open(&store, directory, BLOG_SCHEMA_2, reason);

    if (error < 0)
        return error;
    struct blog_publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher) {
        blog_store_close(store);
        snprintf(reason, BLOG_REASON_BYTES, "out of memory");
        return -ENOMEM;
    }
    *publisher = (struct blog_publisher){ .loop = loop, .on_done = on_done, .arg = arg, .store = store };
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->wanted, NULL);
    STAILQ_INIT(&publisher->queued);
    STAILQ_INIT(&publisher->done);
    ev_async_init(&publisher->done_signal, on_done_signal);
    publisher->done_signal.data = publisher;
    ev_async_start(loop, &publisher->done_signal);
    error = start_thread(publisher);
    if (error == 0) {
        *out = publisher;
        return 0;
    }
    snprintf(reason, BLOG_REASON_BYTES, "cannot start a thread: %s", strerror(-error));
    ev_async_stop(loop, &publisher->done_signal);
    blog_store_close(store);
    free(publisher);
    return error;
}

void blog_publisher_submit(struct blog_publisher *publisher, struct blog_job *job)
{
    pthread_mutex_lock(&publisher->lock);
    STAILQ_INSERT_TAIL(&publisher->queued, job, link);
    pthread_cond_signal(&publisher->wanted);
    pthread_mutex_unlock(&publisher->lock);
}

void blog_publisher_stop(struct blog_publisher *publisher)
{
    if (!publisher)
        return;
    pthread_mutex_lock(&publisher->lock);
    publisher->stopping = true;
    pthread_cond_signal(&publisher->wanted);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->thread, NULL);
    deliver(publisher);
    ev_async_stop(publisher->loop, &publisher->done_signal);
    pthread_cond_destroy(&publisher->wanted);
    pthread_mutex_destroy(&publisher->lock);
    blog_store_close(publisher->store);
    free(publisher);
}
