/* The tables of the blog. */
#ifndef BATON_BLOG_SCHEMA_H
#define BATON_BLOG_SCHEMA_H

#include "worker/blog/store.h"

/* Create and expand what is missing for `schema`, in one transaction; does not write when nothing is.
 * Several processes may do it at once. Returns SQLITE_OK or an error code of SQLite. */
int blog_schema_prepare(sqlite3 *database, enum blog_schema schema);

#endif
