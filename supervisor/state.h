/* The whole state of the supervisor as versioned JSON, for the one that comes after it. */
#ifndef BATON_STATE_H
#define BATON_STATE_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/service.h"

/* Written by this version; read: this one. */
enum { STATE_VERSION = 1 };

struct state {
    char *accepted; /* canonical text of the accepted configuration; owned */
    double started; /* unix time at which baton started */
    bool announced; /* READY=1 was sent */
    bool stopping;
    uint64_t stop_drain_ms; /* 0: as configured */
    struct service *services;
    struct lanes lanes;
};

/* New JSON object, or NULL: no memory. */
json_t *state_save(const struct state *state, const struct runtime *runtime);

/* Fill `state` from `json` and the vault's entries; entries that are used get fd -1. Services are created
 * with the given surroundings but not resumed. runtime->serial is set. 0, or -EPROTO with a sentence in
 * *reason (static): the version is not known, or something does not fit; then nothing of the entries was
 * closed and no process was touched. */
int state_restore(json_t *json, struct runtime *runtime, struct events *events,
                  const struct service_handlers *handlers, struct vault_entry *entries, size_t count,
                  struct state *state, const char **reason);

#endif
