/* A release that is held: shared by the generation that runs it and the service that may go back to it.
 *
 * Its executable and its environment are in the vault ("r<serial>.x", "r<serial>.e"), so a restarted
 * supervisor still starts exactly this. The environment lies in a sealed memfd and nowhere else. */
#ifndef BATON_KEPT_RELEASE_H
#define BATON_KEPT_RELEASE_H

#include <stdint.h>

#include "supervisor/process/release.h"
#include "supervisor/process/runtime.h"

struct kept_release {
    struct release *release;
    uint64_t serial;
    unsigned references;
    struct runtime *runtime;
};

/* `release` is taken (on failure too). One reference. 0 or -errno. */
int kept_release_create(struct runtime *runtime, struct release *release, struct kept_release **out);

/* From the state: the entries of the vault are attached by kept_release_take_entry(). No reference yet. */
struct kept_release *kept_release_restore(struct runtime *runtime, struct release *release, uint64_t serial);
bool kept_release_take_entry(struct kept_release *kept, const struct vault_entry *entry); /* false: not its */

struct kept_release *kept_release_ref(struct kept_release *kept);
void kept_release_unref(struct kept_release *kept); /* the last one frees and drops; NULL is fine */

#endif
