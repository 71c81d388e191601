#include "proto/nameset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where `name` is, or belongs. */
static size_t find_place(const struct nameset *set, const char *name, bool *present)
{
    size_t low = 0, high = set->count;

    *present = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, set->names[middle]);

        if (order == 0) {
            *present = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int make_room(struct nameset *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : 16;
    char **names;

    if (set->count < set->capacity)
        return 0;
    names = realloc(set->names, capacity * sizeof *names);
    if (!names)
        return -ENOMEM;
    set->names = names;
    set->capacity = capacity;
    return 0;
}

int nameset_add(struct nameset *set, const char *name)
{
    bool present;
    size_t place = find_place(set, name, &present);
    char *copy;

    if (present)
        return NAMESET_PRESENT;
    if (make_room(set) || !(copy = strdup(name)))
        return -ENOMEM;
    memmove(set->names + place + 1, set->names + place, (set->count - place) * sizeof *set->names);
    set->names[place] = copy;
    set->count++;
    return 0;
}

void nameset_clear(struct nameset *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->names[i]);
    free(set->names);
    *set = (struct nameset){ 0 };
}
