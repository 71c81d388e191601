#include "worker/blog/schema.h"

#include <stdbool.h>
#include <stddef.h>

/* Expand only: nothing is ever dropped, renamed or given another meaning, and what is added may be NULL,
 * because older releases that do not know of it keep writing. */
static const char first_schema[] =
    "CREATE TABLE IF NOT EXISTS articles("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  title TEXT NOT NULL,"
    "  body TEXT NOT NULL,"
    "  author TEXT NOT NULL,"
    "  created_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS comments("
    "  number INTEGER PRIMARY KEY,"
    "  article INTEGER NOT NULL REFERENCES articles(number),"
    "  author TEXT NOT NULL,"
    "  body TEXT NOT NULL,"
    "  created_ms INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS comments_of_article ON comments(article, number);";

/* NULL: accepted by release 1, which does not review. */
static const char second_schema[] = "ALTER TABLE comments ADD COLUMN reviewed_ms INTEGER;";

static int has_row(sqlite3 *database, const char *query, bool *found)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(database, query, -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    *found = sqlite3_step(statement) == SQLITE_ROW;
    return sqlite3_finalize(statement);
}

static int missing(sqlite3 *database, enum blog_schema schema, bool *first, bool *second)
{
    bool has_index = false, has_column = true;
    int code =
        has_row(database, "SELECT 1 FROM sqlite_schema WHERE name = 'comments_of_article'", &has_index);

    if (code == SQLITE_OK && schema >= BLOG_SCHEMA_2)
        code = has_row(database, "SELECT 1 FROM pragma_table_info('comments') WHERE name = 'reviewed_ms'",
                       &has_column);
    *first = !has_index;
    *second = !has_column;
    return code;
}

int blog_schema_prepare(sqlite3 *database, enum blog_schema schema)
{
    bool first, second;
    int code = missing(database, schema, &first, &second);

    if (code != SQLITE_OK || (!first && !second))
        return code;
    code = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) /* another process may have been faster */
        code = missing(database, schema, &first, &second);
    if (code == SQLITE_OK && first)
        code = sqlite3_exec(database, first_schema, NULL, NULL, NULL);
    if (code == SQLITE_OK && second)
        code = sqlite3_exec(database, second_schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK && !sqlite3_get_autocommit(database))
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return code;
}
