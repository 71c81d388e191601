/* Foreign bytes made printable, for logs and terminals. Pure. */
#ifndef BATON_ESCAPE_H
#define BATON_ESCAPE_H

#include <stddef.h>

/* Write `text` so that it is one line of printable UTF-8: newline, return and tab as \n \r \t, other control
 * characters and invalid bytes as \xNN, each character of `special` (ASCII) with a backslash before it.
 * What does not fit is cut between characters and ends in "…". Returns the bytes written, the NUL not
 * counted; `bytes` is at least 4. */
size_t escape_text(const char *text, const char *special, char *out, size_t bytes);

#endif
