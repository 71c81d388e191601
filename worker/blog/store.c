#include "worker/blog/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "worker/blog/schema.h"

enum {
    BUSY_LIMIT_MS = 5000,
    BUSY_QUICK_TRIES = 50, /* a group commit of another process is over in a few of these */
    BUSY_QUICK_US = 200,
    BUSY_SLOW_US = 2000
};

static const char *const queries[BLOG_STATEMENTS] = {
    [BLOG_BEGIN] = "BEGIN IMMEDIATE",
    [BLOG_COMMIT] = "COMMIT",
    [BLOG_ROLLBACK] = "ROLLBACK",
    [BLOG_DATA_VERSION] = "PRAGMA data_version",
    [BLOG_CHECK] = "SELECT number FROM articles LIMIT 1",
    [BLOG_ARTICLE_ADD] =
        "INSERT INTO articles(id, title, body, author, created_ms) VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(id) DO NOTHING",
    [BLOG_ARTICLE_FIND] = "SELECT number, id, title, author, created_ms, body FROM articles WHERE id = ?1",
    [BLOG_ARTICLE_NUMBER] = "SELECT number FROM articles WHERE id = ?1",
    [BLOG_ARTICLE_LIST] = "SELECT number, id, title, author, created_ms, '' FROM articles WHERE number < ?1"
                          " ORDER BY number DESC LIMIT ?2",
    [BLOG_COMMENT_ADD] = "INSERT INTO comments(article, author, body, created_ms)"
                         " SELECT number, ?2, ?3, ?4 FROM articles WHERE id = ?1",
    [BLOG_COMMENT_LIST] = "SELECT number, author, body, created_ms, NULL FROM comments"
                          " WHERE article = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    [BLOG_COMMENT_ADD_REVIEWED] = "INSERT INTO comments(article, author, body, created_ms, reviewed_ms)"
                                  " SELECT number, ?2, ?3, ?4, ?4 FROM articles WHERE id = ?1",
    [BLOG_COMMENT_LIST_REVIEWED] = "SELECT number, author, body, created_ms, reviewed_ms FROM comments"
                                   " WHERE article = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
};

static int error_of(int code)
{
    switch (code & 0xff) { /* the primary code */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    default:
        return -EIO;
    }
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(unsigned int microseconds)
{
    const struct timespec time = { .tv_nsec = (long)microseconds * 1000 };

    nanosleep(&time, NULL);
}

/* SQLite's own handler sleeps up to 100 ms between two looks; commits here take a few. */
static int on_busy(void *arg, int tries)
{
    struct blog_store *store = arg;

    if (tries == 0)
        store->waiting_since_ms = now_ms();
    else if (now_ms() - store->waiting_since_ms > BUSY_LIMIT_MS)
        return 0;
    nap(tries < BUSY_QUICK_TRIES ? BUSY_QUICK_US : BUSY_SLOW_US);
    return 1;
}

/* The switch to WAL does not call the busy handler when two processes create the database at once. */
static int enter_wal(sqlite3 *database)
{
    int64_t since_ms = now_ms();
    int code;

    while ((code = sqlite3_exec(database, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)) == SQLITE_BUSY) {
        if (now_ms() - since_ms > BUSY_LIMIT_MS)
            break;
        nap(BUSY_SLOW_US);
    }
    return code;
}

static int prepare_database(struct blog_store *store, const char *path)
{
    int code = sqlite3_open_v2(path, &store->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_busy_handler(store->database, on_busy, store);
    code = enter_wal(store->database);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->database,
                            "PRAGMA synchronous = FULL;"
                            "PRAGMA temp_store = MEMORY;"
                            "PRAGMA journal_size_limit = 16777216",
                            NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = blog_schema_prepare(store->database, store->schema);
    return code;
}

/* SQLite's "unable to open database file" hides what the system said. */
static const char *why(struct blog_store *store, int code)
{
    int error = sqlite3_system_errno(store->database);

    if (code == SQLITE_CANTOPEN && error != 0)
        return strerror(error);
    return store->database ? sqlite3_errmsg(store->database) : sqlite3_errstr(code);
}

int blog_store_open(struct blog_store **out, const char *directory, enum blog_schema schema,
                    char reason[BLOG_REASON_BYTES])
{
    struct blog_store *store = calloc(1, sizeof *store);
    char *path = NULL;

    if (!store || asprintf(&path, "%s/blog.db", directory) < 0) {
        free(store);
        snprintf(reason, BLOG_REASON_BYTES, "out of memory");
        return -ENOMEM;
    }
    store->schema = schema;
    mkdir(directory, 0750); /* when this fails the next call says what is wrong */
    int code = prepare_database(store, path);
    if (code != SQLITE_OK) {
        snprintf(reason, BLOG_REASON_BYTES, "cannot open %s: %s", path, why(store, code));
        blog_store_close(store);
    } else {
        *out = store;
    }
    free(path);
    return error_of(code);
}

void blog_store_close(struct blog_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < BLOG_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->database);
    free(store);
}

sqlite3_stmt *blog_store_statement(struct blog_store *store, enum blog_statement which)
{
    sqlite3_stmt **statement = &store->statements[which];

    if (!*statement)
        sqlite3_prepare_v3(store->database, queries[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return *statement;
}

void blog_store_bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

int blog_store_finish(struct blog_store *store, sqlite3_stmt *statement, int code)
{
    if (!statement)
        return error_of(sqlite3_errcode(store->database));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return error_of(code);
}

/* Run a statement without parameters; the number in its first column goes to `value` unless that is NULL. */
static int run(struct blog_store *store, enum blog_statement which, int64_t *value)
{
    sqlite3_stmt *statement = blog_store_statement(store, which);
    int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;

    if (code == SQLITE_ROW && value)
        *value = sqlite3_column_int64(statement, 0);
    return blog_store_finish(store, statement, code);
}

int blog_store_begin(struct blog_store *store)
{
    return run(store, BLOG_BEGIN, NULL);
}

int blog_store_commit(struct blog_store *store)
{
    int error = run(store, BLOG_COMMIT, NULL);

    if (error < 0)
        blog_store_rollback(store);
    return error;
}

void blog_store_rollback(struct blog_store *store)
{
    if (!sqlite3_get_autocommit(store->database)) /* a full disk has rolled back already */
        run(store, BLOG_ROLLBACK, NULL);
}

int blog_store_version(struct blog_store *store, int64_t *version)
{
    return run(store, BLOG_DATA_VERSION, version);
}

int blog_store_check(struct blog_store *store)
{
    return run(store, BLOG_CHECK, NULL);
}
