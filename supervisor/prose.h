/* Text of any length from elsewhere (workers, peers, other programs' errors) made fit for JSON, logs and
 * terminals: UTF-8 of proto/text.h's characters, newlines and tabs. */
#ifndef BATON_PROSE_H
#define BATON_PROSE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Replace every other byte by '?'. In place. */
void prose_clean(char *text);

/* Cut clean text to at most `bytes` (>= 3) between two characters; what is cut off becomes "…". In place. */
void prose_cut(char *text, size_t bytes);

/* Characters of clean text: the columns it takes, as far as we go (wide and combining ones count as one). */
size_t prose_columns(const char *text);

/* Print a text of any origin, cleaned: its first line here, further lines below it, `indent` columns from the
 * left, without empty ones. Ends with a newline. */
void prose_print(const char *text, size_t indent, FILE *to);

/* Formatted and clean; malloc'd. NULL: out of memory. */
char *prose_format(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
