#include "worker/blog/comment.h"

#include "worker/blog/article.h"

int blog_comment_add(struct blog_store *store, const char *article_id, struct blog_comment *comment)
{
    enum blog_statement add = store->schema >= BLOG_SCHEMA_2 ? BLOG_COMMENT_ADD_REVIEWED : BLOG_COMMENT_ADD;
    sqlite3_stmt *statement = blog_store_statement(store, add);
    int code = SQLITE_ERROR;

    if (statement) {
        blog_store_bind_text(statement, 1, article_id);
        blog_store_bind_text(statement, 2, comment->author);
        blog_store_bind_text(statement, 3, comment->body);
        sqlite3_bind_int64(statement, 4, comment->created_ms);
        code = sqlite3_step(statement);
    }
    int error = blog_store_finish(store, statement, code);
    if (error < 0)
        return error;
    if (sqlite3_changes(store->database) == 0)
        return BLOG_ABSENT;
    comment->number = sqlite3_last_insert_rowid(store->database);
    comment->reviewed = store->schema >= BLOG_SCHEMA_2;
    return 0;
}

static struct blog_comment comment_of(sqlite3_stmt *row)
{
    const char *author = (const char *)sqlite3_column_text(row, 1);
    const char *body = (const char *)sqlite3_column_text(row, 2);

    return (struct blog_comment){
        .number = sqlite3_column_int64(row, 0),
        .author = author ? author : "",
        .body = body ? body : "",
        .created_ms = sqlite3_column_int64(row, 3),
        .reviewed = sqlite3_column_type(row, 4) != SQLITE_NULL,
    };
}

int blog_comment_list(struct blog_store *store, const char *article_id, int64_t after, int limit,
                      blog_comment_visit *visit, void *arg)
{
    enum blog_statement list =
        store->schema >= BLOG_SCHEMA_2 ? BLOG_COMMENT_LIST_REVIEWED : BLOG_COMMENT_LIST;
    sqlite3_stmt *statement = blog_store_statement(store, list);
    int64_t article;
    int code = SQLITE_ERROR, error = blog_article_number(store, article_id, &article);

    if (error != 0)
        return error;
    if (statement) {
        sqlite3_bind_int64(statement, 1, article);
        sqlite3_bind_int64(statement, 2, after);
        sqlite3_bind_int(statement, 3, limit);
    }
    while (statement && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct blog_comment comment = comment_of(statement);
        visit(arg, &comment);
    }
    return blog_store_finish(store, statement, code);
}
