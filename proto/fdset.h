/* A set of owned descriptors, in the order they came in.
 *
 * The verbs say who owns what: take gives a descriptor to the set, dup gives it a copy, steal takes
 * one out, peek only looks. Whatever the set still owns is closed by fdset_clear().
 * `struct fdset set = { 0 };` is an empty set. Code that may not allocate keeps an array of its own:
 * channel.h works with arrays.
 */
#ifndef BATON_FDSET_H
#define BATON_FDSET_H

#include <stddef.h>

enum { FDSET_MAX = 4096 };

struct fdset {
    int *fds; /* -1: stolen. Read it to send the set; it moves when the set grows */
    size_t count;
    size_t capacity;
};

/* Append `fd`; the set owns it from now on. On failure it is closed, so the caller is rid of it in
 * every case. Returns 0; -E2BIG when the set is full; -ENOMEM. */
int fdset_take(struct fdset *set, int fd);

/* Append a close-on-exec copy of `fd`, which stays the caller's.
 * Returns 0; -EBADF, -EMFILE; -E2BIG when the set is full; -ENOMEM. */
int fdset_dup(struct fdset *set, int fd);

/* Take descriptor `index` out: the caller owns it, its place holds -1. -1 when it was stolen before. */
int fdset_steal(struct fdset *set, size_t index);

/* Look at descriptor `index`; it stays the set's. -1 when it was stolen. */
int fdset_peek(const struct fdset *set, size_t index);

/* Close what the set owns, free its memory; the set is empty and can be used again. Keeps errno. */
void fdset_clear(struct fdset *set);

#endif
