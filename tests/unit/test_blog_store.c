#include "worker/blog/store.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/guard.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"
#include "worker/blog/article.h"
#include "worker/blog/comment.h"

static char reason[BLOG_REASON_BYTES];

static struct blog_store *open_store(enum blog_schema schema)
{
    struct blog_store *store;

    if (blog_store_open(&store, scratch, schema, reason) < 0)
        fail_msg("%s", reason);
    return store;
}

static int publish(struct blog_store *store, const char *id, const char *body)
{
    struct blog_article article = { .id = id, .title = "t", .author = "a", .body = body, .created_ms = 1000 };

    return blog_article_publish(store, &article);
}

/* Everything a list or a lookup has visited, as "id:body id:body ". */
static char visited[4096];

static void visit_article(void *arg, const struct blog_article *article)
{
    size_t length = strlen(visited);

    (void)arg;
    snprintf(visited + length, sizeof visited - length, "%s:%s ", article->id, article->body);
}

static void visit_comment(void *arg, const struct blog_comment *comment)
{
    size_t length = strlen(visited);

    (void)arg;
    snprintf(visited + length, sizeof visited - length, "%s%s ", comment->body,
             comment->reviewed ? "+" : "-");
}

static void assert_found(struct blog_store *store, const char *id, const char *expected)
{
    visited[0] = '\0';
    assert_int_equal(blog_article_find(store, id, visit_article, NULL), 0);
    assert_string_equal(visited, expected);
}

static void an_article_comes_back_as_it_was(void **state)
{
    static const char body[] = "ä\n\"'; DROP TABLE articles; --\x01\xf0\x9f\x8e\xbb";
    char expected[sizeof body + 8];

    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_1);
    assert_int_equal(publish(store, "x", body), 0);
    snprintf(expected, sizeof expected, "x:%s ", body);
    assert_found(store, "x", expected);
    assert_int_equal(blog_article_find(store, "X", visit_article, NULL), BLOG_ABSENT);
    blog_store_close(store);
    store = open_store(BLOG_SCHEMA_1);
    assert_found(store, "x", expected);
    blog_store_close(store);
    scratch_remove();
}

static void an_id_is_published_once(void **state)
{
    struct blog_article again = { .id = "x", .title = "t", .author = "a", .body = "b", .created_ms = 2000 };

    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_2), *other = open_store(BLOG_SCHEMA_1);
    assert_int_equal(publish(store, "x", "b"), 0);
    assert_int_equal(blog_article_publish(other, &again), BLOG_KNOWN);
    assert_int_equal(again.created_ms, 1000);
    assert_int_equal(publish(other, "x", "c"), BLOG_CONFLICT);
    again.title = "T";
    assert_int_equal(blog_article_publish(store, &again), BLOG_CONFLICT);
    assert_found(store, "x", "x:b ");
    blog_store_close(store);
    blog_store_close(other);
    scratch_remove();
}

static void articles_are_listed_from_the_newest(void **state)
{
    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_1);
    publish(store, "1", "b");
    publish(store, "2", "b");
    publish(store, "3", "b");
    visited[0] = '\0';
    assert_int_equal(blog_article_list(store, NULL, 2, visit_article, NULL), 0);
    assert_int_equal(blog_article_list(store, "2", 2, visit_article, NULL), 0);
    assert_int_equal(blog_article_list(store, "1", 2, visit_article, NULL), 0);
    assert_string_equal(visited, "3: 2: 1: ");
    assert_int_equal(blog_article_list(store, "4", 2, visit_article, NULL), BLOG_ABSENT);
    blog_store_close(store);
    scratch_remove();
}

static void both_releases_share_one_database(void **state)
{
    struct blog_comment comment = { .author = "a", .body = "c", .created_ms = 1 };

    (void)state;
    scratch_create();
    struct blog_store *first = open_store(BLOG_SCHEMA_1);
    assert_int_equal(publish(first, "1", "one"), 0);
    assert_int_equal(blog_comment_add(first, "1", &comment), 0);
    struct blog_store *second = open_store(BLOG_SCHEMA_2); /* expands the schema under the first one's feet */
    assert_found(second, "1", "1:one ");
    assert_int_equal(blog_comment_add(second, "1", &comment), 0);
    assert_int_equal(publish(second, "2", "two"), 0);
    assert_found(first, "2", "2:two ");
    assert_int_equal(blog_comment_add(first, "1", &comment), 0);
    assert_int_equal(comment.number, 3);
    visited[0] = '\0';
    assert_int_equal(blog_comment_list(second, "1", 0, 10, visit_comment, NULL), 0);
    assert_string_equal(visited, "c- c+ c- ");
    visited[0] = '\0';
    assert_int_equal(blog_comment_list(first, "1", 1, 1, visit_comment, NULL), 0);
    assert_string_equal(visited, "c- ");
    assert_int_equal(blog_comment_add(first, "3", &comment), BLOG_ABSENT);
    assert_int_equal(blog_comment_list(first, "3", 0, 10, visit_comment, NULL), BLOG_ABSENT);
    blog_store_close(first);
    blog_store_close(second);
    struct blog_store *rolled_back = open_store(BLOG_SCHEMA_1);
    assert_int_equal(blog_comment_add(rolled_back, "2", &comment), 0);
    blog_store_close(rolled_back);
    scratch_remove();
}

/* Start a process that runs `work` and exits with what it returns. */
static pid_t start(int (*work)(int number), int number)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(work(number));
    assert_true(pid > 0);
    return pid;
}

static void assert_success(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int open_and_publish(int number)
{
    enum blog_schema schema = number % 2 ? BLOG_SCHEMA_1 : BLOG_SCHEMA_2;
    struct blog_store *store;
    char id[16];

    if (blog_store_open(&store, scratch, schema, reason) < 0) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    snprintf(id, sizeof id, "%d", number);
    int outcome = publish(store, id, "b") == 0 ? publish(store, "same", "b") : -1;
    blog_store_close(store);
    return outcome != 0 && outcome != BLOG_KNOWN;
}

static void processes_may_create_the_database_at_once(void **state)
{
    enum { ROUNDS = 10, PROCESSES = 6 };
    pid_t pids[PROCESSES];

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        scratch_create();
        for (int i = 0; i < PROCESSES; i++)
            pids[i] = start(open_and_publish, i);
        for (int i = 0; i < PROCESSES; i++)
            assert_success(pids[i]);
        struct blog_store *store = open_store(BLOG_SCHEMA_2);
        visited[0] = '\0';
        assert_int_equal(blog_article_list(store, NULL, 100, visit_article, NULL), 0);
        assert_int_equal(strlen(visited), strlen("same: ") + PROCESSES * strlen("0: "));
        blog_store_close(store);
        scratch_remove();
    }
}

static int ready_pipe[2];

static int hold_the_lock_for_a_while(int number)
{
    const struct timespec a_while = { .tv_nsec = 30 * 1000 * 1000 };
    struct blog_store *store;

    (void)number;
    if (blog_store_open(&store, scratch, BLOG_SCHEMA_1, reason) < 0 || blog_store_begin(store) < 0 ||
        publish(store, "first", "b") != 0 || write(ready_pipe[1], "", 1) != 1)
        return 1;
    nanosleep(&a_while, NULL);
    int error = blog_store_commit(store);
    blog_store_close(store);
    return error != 0;
}

static void a_locked_database_is_waited_for(void **state)
{
    char byte;

    (void)state;
    scratch_create();
    assert_int_equal(pipe(ready_pipe), 0);
    pid_t holder = start(hold_the_lock_for_a_while, 0);
    assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
    struct blog_store *store = open_store(BLOG_SCHEMA_1);
    assert_int_equal(publish(store, "second", "b"), 0);
    assert_success(holder);
    visited[0] = '\0';
    assert_int_equal(blog_article_list(store, NULL, 10, visit_article, NULL), 0);
    assert_string_equal(visited, "second: first: ");
    blog_store_close(store);
    close(ready_pipe[0]);
    close(ready_pipe[1]);
    scratch_remove();
}

static int publish_for_ever(int number)
{
    struct blog_store *store;

    (void)number;
    if (blog_store_open(&store, scratch, BLOG_SCHEMA_2, reason) < 0)
        return 1;
    for (int i = 0;; i++) {
        char id[16];

        snprintf(id, sizeof id, "%d", i);
        if (publish(store, id, "b") != 0 || write(ready_pipe[1], &i, sizeof i) != sizeof i)
            return 1;
    }
}

/* Killed at any moment, a writer leaves everything it has acknowledged, and a database that works. */
static void what_was_acknowledged_survives_kill_9(void **state)
{
    int acknowledged = -1, i, status;

    (void)state;
    scratch_create();
    for (int round = 0; round < 3; round++) {
        scratch_remove();
        scratch_create();
        assert_int_equal(pipe(ready_pipe), 0);
        pid_t writer = start(publish_for_ever, 0);
        close(ready_pipe[1]);
        for (i = 0; i < 20 + 7 * round; i++)
            assert_int_equal(read(ready_pipe[0], &acknowledged, sizeof acknowledged), sizeof acknowledged);
        kill(writer, SIGKILL);
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_true(WIFSIGNALED(status));
        while (read(ready_pipe[0], &i, sizeof i) == sizeof i)
            acknowledged = i;
        close(ready_pipe[0]);
        struct blog_store *store = open_store(BLOG_SCHEMA_1);
        for (i = 0; i <= acknowledged; i++) {
            char id[16];

            snprintf(id, sizeof id, "%d", i);
            assert_int_equal(publish(store, id, "b"), BLOG_KNOWN);
        }
        assert_int_equal(publish(store, "after", "b"), 0);
        blog_store_close(store);
    }
    scratch_remove();
}

static void a_transaction_is_all_or_nothing(void **state)
{
    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_1);
    assert_int_equal(blog_store_begin(store), 0);
    assert_int_equal(publish(store, "1", "b"), 0);
    blog_store_rollback(store);
    assert_int_equal(blog_article_find(store, "1", visit_article, NULL), BLOG_ABSENT);
    assert_int_equal(blog_store_begin(store), 0);
    assert_int_equal(publish(store, "1", "b"), 0);
    assert_int_equal(blog_store_commit(store), 0);
    assert_found(store, "1", "1:b ");
    blog_store_close(store);
    scratch_remove();
}

static void the_version_changes_when_others_write(void **state)
{
    int64_t before, after;

    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_1), *other = open_store(BLOG_SCHEMA_1);
    assert_int_equal(blog_store_version(store, &before), 0);
    assert_int_equal(blog_store_version(store, &after), 0);
    assert_int_equal(before, after);
    assert_int_equal(publish(other, "1", "b"), 0);
    assert_int_equal(blog_store_version(store, &after), 0);
    assert_int_not_equal(before, after);
    blog_store_close(store);
    blog_store_close(other);
    scratch_remove();
}

static void what_cannot_be_opened_is_named(void **state)
{
    struct blog_store *store = NULL;
    char path[128];

    (void)state;
    scratch_create();
    snprintf(path, sizeof path, "%s/no/such", scratch);
    assert_true(blog_store_open(&store, path, BLOG_SCHEMA_1, reason) < 0);
    assert_non_null(strstr(reason, "/no/such/blog.db: No such file or directory"));
    snprintf(path, sizeof path, "%s/blog.db", scratch);
    FILE *file = fopen(path, "we");
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    assert_int_equal(blog_store_open(&store, scratch, BLOG_SCHEMA_1, reason), -EUCLEAN);
    assert_non_null(strstr(reason, "blog.db: file is not a database"));
    assert_true(blog_store_open(&store, path, BLOG_SCHEMA_1, reason) < 0);
    assert_non_null(strstr(reason, "blog.db/blog.db: Not a directory"));
    assert_null(store);
    scratch_remove();
}

static void a_database_that_fails_says_so(void **state)
{
    struct blog_comment comment = { .author = "a", .body = "c", .created_ms = 1 };
    int64_t number;

    (void)state;
    scratch_create();
    struct blog_store *store = open_store(BLOG_SCHEMA_2);
    assert_int_equal(blog_store_check(store), 0);
    assert_int_equal(
        sqlite3_exec(store->database, "DROP TABLE comments; DROP TABLE articles", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(blog_store_check(store), -EIO);
    assert_int_equal(publish(store, "1", "b"), -EIO);
    assert_int_equal(blog_article_find(store, "1", visit_article, NULL), -EIO);
    assert_int_equal(blog_article_list(store, NULL, 1, visit_article, NULL), -EIO);
    assert_int_equal(blog_article_number(store, "1", &number), -EIO);
    assert_int_equal(blog_comment_add(store, "1", &comment), -EIO);
    assert_int_equal(blog_comment_list(store, "1", 0, 1, visit_comment, NULL), -EIO);
    assert_int_equal(blog_store_commit(store), -EIO);
    blog_store_close(store);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(an_article_comes_back_as_it_was),
        GUARDED(an_id_is_published_once),
        GUARDED(articles_are_listed_from_the_newest),
        GUARDED(both_releases_share_one_database),
        GUARDED(processes_may_create_the_database_at_once),
        GUARDED(a_locked_database_is_waited_for),
        GUARDED(what_was_acknowledged_survives_kill_9),
        GUARDED(a_transaction_is_all_or_nothing),
        GUARDED(the_version_changes_when_others_write),
        GUARDED(what_cannot_be_opened_is_named),
        GUARDED(a_database_that_fails_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
