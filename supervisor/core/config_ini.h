/* The lines of an INI text, read by inih without losing a byte.
 *
 * inih as distributions ship it cuts lines at 200 bytes, section names at 49 and values at " ;", takes an
 * indented line for a continuation, and gives no line number. So its reader is ours: it joins lines that end
 * in a backslash, takes comments away (not inside quotes), checks that the text is text, counts, and hands
 * inih the skeleton of each line: its brackets or its key, and a placeholder for the rest, which never passes
 * through inih. What is not a line of an INI text is told, never skipped. */
#ifndef BATON_CONFIG_INI_H
#define BATON_CONFIG_INI_H

#include <stddef.h>

/* Each returns 0, or -errno to end the reading. Strings are the reader's; they have no blanks around them. */
struct config_ini_handler {
    /* `header`: the text between the brackets; NULL: it was wrong (and told), but a section begins. */
    int (*section)(void *arg, int line, const char *header);
    int (*key)(void *arg, int line, const char *key, const char *value);
    int (*wrong)(void *arg, int line, const char *what); /* the line was not understood; reading goes on */
};

/* Read `length` bytes; `line` counts from 1 and is where a joined line begins.
 * 0, -ENOMEM, or what a handler returned. */
int config_ini_read(const char *bytes, size_t length, const struct config_ini_handler *handler, void *arg);

#endif
