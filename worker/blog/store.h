/* One connection to the blog's database, DIR/blog.db: used by one thread at a time. Several processes, of
 * both releases, work on one database at once; a connection that finds it locked waits for a short while.
 * What was committed is on disk (WAL, synchronous = FULL) and survives kill -9 and a power cut.
 *
 * All functions return 0, a named outcome (enum blog_outcome), or -errno: -EBUSY (locked for seconds),
 * -ENOSPC, -EROFS, -ENOMEM, -EUCLEAN (damaged), -EIO (anything else).
 */
#ifndef BATON_BLOG_STORE_H
#define BATON_BLOG_STORE_H

#include <sqlite3.h>
#include <stdint.h>

enum { BLOG_REASON_BYTES = 256 };

enum blog_outcome {
    BLOG_KNOWN = 1,    /* it is there already, with the same content */
    BLOG_CONFLICT = 2, /* the id belongs to something else */
    BLOG_ABSENT = 3,   /* there is no such article */
};

/* Which columns the program uses. The schema only grows: whoever opens the database adds what it needs and
 * is missing, and older releases go on working beside it. */
enum blog_schema { BLOG_SCHEMA_1 = 1, BLOG_SCHEMA_2 = 2 };

enum blog_statement {
    BLOG_BEGIN,
    BLOG_COMMIT,
    BLOG_ROLLBACK,
    BLOG_DATA_VERSION,
    BLOG_CHECK,
    BLOG_ARTICLE_ADD,
    BLOG_ARTICLE_FIND,
    BLOG_ARTICLE_NUMBER,
    BLOG_ARTICLE_LIST,
    BLOG_COMMENT_ADD,
    BLOG_COMMENT_LIST,
    BLOG_COMMENT_ADD_REVIEWED,  /* schema 2 */
    BLOG_COMMENT_LIST_REVIEWED, /* schema 2 */
    BLOG_STATEMENTS
};

struct blog_store {
    sqlite3 *database;
    enum blog_schema schema;
    int64_t waiting_since_ms;                  /* private, of the busy handler */
    sqlite3_stmt *statements[BLOG_STATEMENTS]; /* prepared at their first use */
};

/* Open `directory`/blog.db; both are created when they are missing. On failure `reason` says why in words. */
int blog_store_open(struct blog_store **out, const char *directory, enum blog_schema schema,
                    char reason[BLOG_REASON_BYTES]);

/* NULL is fine. */
void blog_store_close(struct blog_store *store);

/* Several writes in one transaction, on disk once commit has returned 0. A failed commit leaves none. */
int blog_store_begin(struct blog_store *store);
int blog_store_commit(struct blog_store *store);
void blog_store_rollback(struct blog_store *store);

/* A number that changes when another connection, of this process or another, has committed something. */
int blog_store_version(struct blog_store *store, int64_t *version);

/* Whether the database answers. */
int blog_store_check(struct blog_store *store);

/* For article.c and comment.c: a prepared statement, NULL when it cannot be prepared; … */
sqlite3_stmt *blog_store_statement(struct blog_store *store, enum blog_statement which);
void blog_store_bind_text(sqlite3_stmt *statement, int column, const char *text); /* not copied */

/* … and its end: reset, so that no transaction stays open; `code` is what the last sqlite3_step() said. */
int blog_store_finish(struct blog_store *store, sqlite3_stmt *statement, int code);

#endif
