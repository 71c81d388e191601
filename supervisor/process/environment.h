/* The environment of a worker: baton's own, the release's, and what baton says. */
#ifndef BATON_ENVIRONMENT_H
#define BATON_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

/* A NULL-terminated list of NAME=VALUE under construction. `struct environment e = { 0 };` is empty. */
struct environment {
    char **list;
    size_t count;
    int error; /* -ENOMEM once something did not fit; asked for once, at the end */
};

/* Everything in `from` but what names a relation to another supervisor: BATON_*, LISTEN_*, NOTIFY_SOCKET,
 * WATCHDOG_*, MAINPID, … */
void environment_inherit(struct environment *environment, char *const *from);

/* Every NAME=VALUE of `from`, replacing earlier values. NULL is fine. */
void environment_merge(struct environment *environment, char *const *from);

/* Set or replace. environment_set(e, "LISTEN_PID", "") gives the element spawn fills in. */
void environment_set(struct environment *environment, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put NAME=VALUE in the place of an element of that name, or at the end. `element` (malloc'd; NULL: there was
 * no memory for it) is taken. */
void environment_put(struct environment *environment, char *element);

/* The value of `name`, or NULL. */
const char *environment_get(const struct environment *environment, const char *name);

/* A number that changes when a name or value of the NULL-terminated `list` does, whatever its order. */
uint64_t environment_digest(char *const *list);

void environment_free(struct environment *environment);

#endif
