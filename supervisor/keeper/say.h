/* The keeper's few words, on stderr. */
#ifndef BATON_SAY_H
#define BATON_SAY_H

/* One line, at most 512 bytes. A stderr that cannot take it now does not get it: the keeper never blocks. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
