#include "worker/blog/article.h"

#include <stdbool.h>
#include <string.h>

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}

static struct blog_article article_of(sqlite3_stmt *row)
{
    return (struct blog_article){
        .number = sqlite3_column_int64(row, 0),
        .id = text_of(row, 1),
        .title = text_of(row, 2),
        .author = text_of(row, 3),
        .created_ms = sqlite3_column_int64(row, 4),
        .body = text_of(row, 5),
    };
}

struct comparison {
    struct blog_article *wanted;
    bool same;
};

static void compare(void *arg, const struct blog_article *there)
{
    struct comparison *comparison = arg;
    struct blog_article *wanted = comparison->wanted;

    comparison->same = !strcmp(there->title, wanted->title) && !strcmp(there->author, wanted->author) &&
                       !strcmp(there->body, wanted->body);
    if (comparison->same) {
        wanted->number = there->number;
        wanted->created_ms = there->created_ms;
    }
}

int blog_article_publish(struct blog_store *store, struct blog_article *article)
{
    struct comparison comparison = { .wanted = article };
    sqlite3_stmt *statement = blog_store_statement(store, BLOG_ARTICLE_ADD);
    int code = SQLITE_ERROR;

    if (statement) {
        blog_store_bind_text(statement, 1, article->id);
        blog_store_bind_text(statement, 2, article->title);
        blog_store_bind_text(statement, 3, article->body);
        blog_store_bind_text(statement, 4, article->author);
        sqlite3_bind_int64(statement, 5, article->created_ms);
        code = sqlite3_step(statement);
    }
    int error = blog_store_finish(store, statement, code);
    if (error < 0)
        return error;
    if (sqlite3_changes(store->database) == 1) {
        article->number = sqlite3_last_insert_rowid(store->database);
        return 0;
    }
    error = blog_article_find(store, article->id, compare, &comparison);
    if (error != 0)
        return error;
    return comparison.same ? BLOG_KNOWN : BLOG_CONFLICT;
}

/* Step through the rows of `statement`, whose parameters are bound. Counts them in `rows`. */
static int visit_rows(struct blog_store *store, sqlite3_stmt *statement, blog_article_visit *visit, void *arg,
                      int *rows)
{
    int code = SQLITE_ERROR;

    for (*rows = 0; statement && (code = sqlite3_step(statement)) == SQLITE_ROW; ++*rows) {
        const struct blog_article article = article_of(statement);
        visit(arg, &article);
    }
    return blog_store_finish(store, statement, code);
}

int blog_article_find(struct blog_store *store, const char *id, blog_article_visit *visit, void *arg)
{
    sqlite3_stmt *statement = blog_store_statement(store, BLOG_ARTICLE_FIND);
    int rows;

    if (statement)
        blog_store_bind_text(statement, 1, id);
    int error = visit_rows(store, statement, visit, arg, &rows);
    return error == 0 && rows == 0 ? BLOG_ABSENT : error;
}

int blog_article_list(struct blog_store *store, const char *before, int limit, blog_article_visit *visit,
                      void *arg)
{
    sqlite3_stmt *statement = blog_store_statement(store, BLOG_ARTICLE_LIST);
    int64_t before_number = INT64_MAX;
    int rows, error = before ? blog_article_number(store, before, &before_number) : 0;

    if (error != 0)
        return error;
    if (statement) {
        sqlite3_bind_int64(statement, 1, before_number);
        sqlite3_bind_int(statement, 2, limit);
    }
    return visit_rows(store, statement, visit, arg, &rows);
}

int blog_article_number(struct blog_store *store, const char *id, int64_t *number)
{
    sqlite3_stmt *statement = blog_store_statement(store, BLOG_ARTICLE_NUMBER);
    int code = SQLITE_ERROR;

    if (statement) {
        blog_store_bind_text(statement, 1, id);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    int error = blog_store_finish(store, statement, code);
    return error == 0 && code != SQLITE_ROW ? BLOG_ABSENT : error;
}
