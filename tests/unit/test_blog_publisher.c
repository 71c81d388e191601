#include "worker/blog/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static struct world {
    struct ev_loop *loop;
    struct blog_publisher *publisher;
    int submitted, done;
    int outcomes[1000];
    char ids[1000][16];
} world;

static char reason[BLOG_REASON_BYTES];

/* Jobs must come back in the order in which they went. */
static void on_done(void *arg, struct blog_jobs *jobs)
{
    struct blog_job *job;

    assert_ptr_equal(arg, &world);
    while ((job = STAILQ_FIRST(jobs))) {
        STAILQ_REMOVE_HEAD(jobs, link);
        assert_ptr_equal(job->exchange, (struct http_exchange *)world.ids[world.done]);
        world.outcomes[world.done++] = job->outcome;
        free(job);
    }
}

static void start(void)
{
    scratch_create();
    memset(&world, 0, sizeof world);
    world.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    assert_int_equal(blog_publisher_start(&world.publisher, world.loop, scratch, on_done, &world, reason), 0);
}

static void stop(void)
{
    blog_publisher_stop(world.publisher);
    ev_loop_destroy(world.loop);
    scratch_remove();
}

static struct blog_job *new_job(enum blog_job_kind kind)
{
    struct blog_job *job = calloc(1, sizeof *job);

    job->kind = kind;
    job->exchange = (struct http_exchange *)world.ids[world.submitted]; /* a mark: nobody looks behind it */
    return job;
}

static void submit_article(const char *id, const char *body)
{
    struct blog_job *job = new_job(BLOG_JOB_ARTICLE);

    snprintf(world.ids[world.submitted++], sizeof world.ids[0], "%s", id);
    job->article = (struct blog_article){
        .id = world.ids[world.submitted - 1], .title = "t", .author = "a", .body = body, .created_ms = 1
    };
    blog_publisher_submit(world.publisher, job);
}

static void submit_comment(const char *article_id)
{
    struct blog_job *job = new_job(BLOG_JOB_COMMENT);

    world.submitted++;
    job->comment = (struct blog_comment){ .author = "a", .body = "b", .created_ms = 1 };
    strcpy(job->article_id, article_id);
    blog_publisher_submit(world.publisher, job);
}

static void await(void)
{
    while (world.done < world.submitted)
        ev_run(world.loop, EVRUN_ONCE);
}

static void jobs_that_queue_up_are_all_done_in_order(void **state)
{
    char id[16];

    (void)state;
    start();
    for (int i = 0; i < 600; i++) {
        snprintf(id, sizeof id, "%d", i / 2);
        submit_article(id, i % 3 ? "b" : "c");
    }
    await();
    for (int i = 0; i < 600; i += 2) {
        bool same = (i % 3 == 0) == ((i + 1) % 3 == 0);

        assert_int_equal(world.outcomes[i], 0);
        assert_int_equal(world.outcomes[i + 1], same ? BLOG_KNOWN : BLOG_CONFLICT);
    }
    stop();
}

static void a_comment_may_follow_its_article_at_once(void **state)
{
    (void)state;
    start();
    submit_comment("x");
    submit_article("x", "b");
    submit_comment("x");
    await();
    assert_int_equal(world.outcomes[0], BLOG_ABSENT);
    assert_int_equal(world.outcomes[1], 0);
    assert_int_equal(world.outcomes[2], 0);
    stop();
}

/* The database refuses one article of a group: the others are published all the same. */
static void a_job_that_fails_fails_alone(void **state)
{
    static const char refuse_bad[] = "CREATE TRIGGER bad BEFORE INSERT ON articles WHEN new.id = 'bad'"
                                     " BEGIN SELECT RAISE(ABORT, 'bad'); END";
    struct blog_store *store;
    char id[16];

    (void)state;
    start();
    assert_int_equal(blog_store_open(&store, scratch, BLOG_SCHEMA_2, reason), 0);
    assert_int_equal(sqlite3_exec(store->database, refuse_bad, NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "%d", i);
        submit_article(i % 20 == 10 ? "bad" : id, "b");
    }
    await();
    for (int i = 0; i < 60; i++)
        assert_int_equal(world.outcomes[i], i % 20 == 10 ? -EIO : 0);
    blog_store_close(store);
    stop();
}

static void stop_finishes_what_was_submitted(void **state)
{
    struct blog_article again = { .id = "99", .title = "t", .author = "a", .body = "b" };
    struct blog_store *store;
    char id[16];

    (void)state;
    start();
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "%d", i);
        submit_article(id, "b");
    }
    blog_publisher_stop(world.publisher);
    world.publisher = NULL;
    assert_int_equal(world.done, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(world.outcomes[i], 0);
    assert_int_equal(blog_store_open(&store, scratch, BLOG_SCHEMA_1, reason), 0);
    assert_int_equal(blog_article_publish(store, &again), BLOG_KNOWN);
    blog_store_close(store);
    stop();
}

static void without_its_database_it_does_not_start(void **state)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);

    (void)state;
    assert_true(blog_publisher_start(&world.publisher, loop, "/dev/null", on_done, &world, reason) < 0);
    assert_non_null(strstr(reason, "/dev/null/blog.db: Not a directory"));
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(jobs_that_queue_up_are_all_done_in_order),
        GUARDED(a_comment_may_follow_its_article_at_once),
        GUARDED(a_job_that_fails_fails_alone),
        GUARDED(stop_finishes_what_was_submitted),
        GUARDED(without_its_database_it_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
