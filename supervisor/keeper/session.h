/* The conversation with the supervisor that lives, as far as the keeper speaks.
 *
 * What is still to be said is read off the vault and the counters below each time, never queued: a supervisor
 * that does not read costs nothing, and the next one is told the same again. */
#ifndef BATON_SESSION_H
#define BATON_SESSION_H

#include <signal.h>

#include "supervisor/keeper/vault.h"
#include "supervisor/keeper/wire.h"

enum session_stage { SESSION_START, SESSION_ENTRIES, SESSION_LIVE };

struct session {
    int channel; /* owned; -1: no supervisor */
    enum session_stage stage;
    uint32_t sent;             /* serial of the last entry that was sent */
    struct wire_start start;   /* what START says */
    struct wire_entry refused; /* id not empty: to be told before the next message is read */
    uint8_t pending[NSIG];     /* signals that no supervisor has acknowledged; they outlive the session */
    uint8_t told[NSIG];        /* how many of them this supervisor has heard */
};

/* A new supervisor at the other end of `channel` (taken). */
void session_begin(struct session *session, struct vault_table *table, int channel);

/* Say what is due. 0: all of it; CHANNEL_AGAIN: the rest when the channel is writable; -ETOOMANYREFS: the
 * rest in a moment. A supervisor that is gone hears nothing: 0. */
int session_flush(struct session *session, struct vault_table *table);

void session_end(struct session *session);

/* A signal to be told; the supervisor has recorded one; is one of these three not recorded yet: TERM, INT,
 * QUIT. */
void session_signal(struct session *session, int signo);
void session_signal_done(struct session *session, int signo);
bool session_wants_stop(const struct session *session);

#endif
