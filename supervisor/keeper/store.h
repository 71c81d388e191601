/* What the keeper has with systemd: the descriptor store, a copy of the vault that survives the keeper
 * itself, and the state that the supervisor wants to be known. */
#ifndef BATON_STORE_H
#define BATON_STORE_H

#include <stdbool.h>

#include "supervisor/keeper/sd.h"
#include "supervisor/keeper/vault.h"

struct store {
    struct sd sd;
    char text[WIRE_TEXT_BYTES]; /* not empty: systemd has still to take it */
};

/* Find systemd in the environment, and put into the vault what it kept for us: `count` descriptors with
 * `names`, from sd_listen_fds(). A name that is no id, or there twice, is closed. A process behind a pidfd is
 * not our child: it belonged to a former keeper. */
void store_open(struct store *store, struct vault_table *table, int count, char *names, uint64_t now_ms);

/* Text for systemd; replaces one that it has not taken yet. */
void store_notify(struct store *store, const char *text);

/* Tell systemd what it does not know yet, in the order it happened. Returns whether something is left: try
 * again in a moment. */
bool store_flush(struct store *store, struct vault_table *table);

#endif
