/* What a start would need beyond a right configuration, as far as it can be seen without touching anything:
 * programs, users, directories, environment files. */
#ifndef BATON_PREFLIGHT_H
#define BATON_PREFLIGHT_H

#include "supervisor/core/config.h"

struct preflight {
    char **errors; /* a start would fail: "FILE:LINE: [service blog]: what"; NULL-terminated, or NULL */
    char **notes;  /* could not be seen from here, or worth knowing */
};

/* Look. 0 or -ENOMEM. preflight_free() in any case. */
int preflight(const struct config *config, struct preflight *out);

void preflight_free(struct preflight *preflight);

#endif
