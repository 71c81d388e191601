/* A set of names, to know again what was given before. Pure. `struct nameset set = { 0 };` is empty. */
#ifndef BATON_NAMESET_H
#define BATON_NAMESET_H

#include <stddef.h>

enum { NAMESET_PRESENT = 1 }; /* the name was in the set already */

struct nameset {
    char **names; /* sorted */
    size_t count;
    size_t capacity;
};

/* Add a copy of `name`. Returns 0; NAMESET_PRESENT; -ENOMEM. */
int nameset_add(struct nameset *set, const char *name);

/* Free the names; the set is empty and can be used again. */
void nameset_clear(struct nameset *set);

#endif
