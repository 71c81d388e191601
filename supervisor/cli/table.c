#include "supervisor/cli/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include "supervisor/prose.h"

enum { GAP = 2 };

void table_open(struct table *table, const struct table_column *columns, size_t column_count)
{
    *table = (struct table){ .columns = columns, .column_count = column_count };
}

static void grow(struct table *table)
{
    size_t space = table->cell_space ? 2 * table->cell_space : 8 * table->column_count;
    char **cells = reallocarray(table->cells, space, sizeof *cells);

    if (!cells)
        return;
    table->cells = cells;
    table->cell_space = space;
}

void table_add(struct table *table, const char *format, ...)
{
    size_t *width = &table->widths[table->cell_count % table->column_count];
    va_list arguments;

    if (table->cell_count == table->cell_space)
        grow(table);
    if (table->cell_count == table->cell_space)
        return;
    va_start(arguments, format);
    char *text = prose_format(format, arguments);
    va_end(arguments);
    table->cells[table->cell_count++] = text;
    if (text && prose_columns(text) > *width)
        *width = prose_columns(text);
}

static const char *cell(const struct table *table, size_t row, size_t column)
{
    size_t index = row * table->column_count + column;
    const char *text = index < table->cell_count ? table->cells[index] : NULL;

    return text ? text : "";
}

static size_t row_count(const struct table *table)
{
    return (table->cell_count + table->column_count - 1) / table->column_count;
}

static void spaces(size_t count, FILE *to)
{
    fprintf(to, "%*s", (int)count, "");
}

/* `pending` blanks stand between what was printed and here; they are printed only before something. */
static void print_cell(const char *text, size_t width, enum table_side side, size_t *pending, FILE *to)
{
    size_t blank = width - prose_columns(text);

    if (*text) {
        spaces(*pending + (side == TABLE_RIGHT ? blank : 0), to);
        fputs(text, to);
        *pending = side == TABLE_RIGHT ? 0 : blank;
    } else {
        *pending += width;
    }
    *pending += GAP;
}

enum { TITLES = -1 };

static void print_line(const struct table *table, long row, bool titled, int indent, FILE *to)
{
    size_t pending = (size_t)indent;

    for (size_t column = 0; column < table->column_count; column++) {
        const struct table_column *of = &table->columns[column];
        size_t width = table->widths[column];

        if (width == 0)
            continue;
        if (titled && width < prose_columns(of->title))
            width = prose_columns(of->title);
        print_cell(row == TITLES ? of->title : cell(table, (size_t)row, column), width, of->side, &pending,
                   to);
    }
    fputc('\n', to);
}

void table_print(const struct table *table, int indent, FILE *to)
{
    if (table->cell_count == 0)
        return;
    print_line(table, TITLES, true, indent, to);
    for (size_t row = 0; row < row_count(table); row++)
        print_line(table, (long)row, true, indent, to);
}

void table_print_row(const struct table *table, size_t row, int indent, FILE *to)
{
    print_line(table, (long)row, false, indent, to);
}

void table_close(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
}
