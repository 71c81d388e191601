/* Telling how something goes on: one line for each change, and on a terminal below them one that lives. */
#ifndef BATON_LIVE_H
#define BATON_LIVE_H

#include <stdbool.h>

struct live {
    bool terminal; /* stdout is one */
    bool shown;    /* the living line stands there */
};

void live_open(struct live *live);

/* A line that stays; flushed. `text` is made printable. */
void live_say(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The living line "TEXT … TIME", the text cut to the width of the terminal; nothing elsewhere. Both must be
 * clean (prose.h). */
void live_show(struct live *live, const char *text, const char *time);

/* How long to wait for news before the living line wants to be shown again, in milliseconds; -1: for ever. */
int live_pause_ms(const struct live *live);

/* Take the living line away. */
void live_close(struct live *live);

#endif
