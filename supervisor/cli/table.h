/* Aligned columns. Cells are added from left to right, row by row; a column in which every cell is empty is
 * left out.
 *
 *     static const struct table_column columns[] = { { "WORKER", TABLE_RIGHT }, { "STATE", TABLE_LEFT } };
 *     struct table table;
 *     table_open(&table, columns, 2);
 *     table_add(&table, "%u", worker);
 *     table_add(&table, "%s", state);
 *     table_print(&table, 2, stdout);
 *     table_close(&table);
 */
#ifndef BATON_TABLE_H
#define BATON_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum table_side { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title;
    enum table_side side;
};

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
    const struct table_column *columns;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX]; /* of the cells, without the titles */
    char **cells;                     /* row by row; an element is NULL when memory ran out */
    size_t cell_count, cell_space;
};

/* `columns` (at most TABLE_COLUMNS_MAX) must outlive it. */
void table_open(struct table *table, const struct table_column *columns, size_t column_count);

/* The next cell; without memory it stays empty. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All rows below their titles, `indent` columns from the left; no blanks at the end of a line. Nothing
 * without a row. */
void table_print(const struct table *table, int indent, FILE *to);

/* One row without titles, in the widths of all rows; for rows with something else between them. */
void table_print_row(const struct table *table, size_t row, int indent, FILE *to);

void table_close(struct table *table);

#endif
