/* What a worker has to say: facts that are true, and which of them the supervisor has not heard yet.
 * Facts, not messages, are kept while the supervisor does not read: however long that takes there
 * is one of each, and of the status only the latest. Pure. `struct facts facts = { .pid = … };` says nothing.
 */
#ifndef BATON_FACTS_H
#define BATON_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/baton.h"
#include "proto/message.h"

struct facts {
    uint32_t pid;       /* of the worker */
    uint32_t holds;     /* enum message_holds */
    uint32_t delivered; /* listeners the program was given */
    uint32_t pending;   /* messages to send: bits 1 << enum message_type */
    bool has_status;
    struct baton_status status;
    bool has_bye;
    char bye[TEXT_BYTES];
};

/* A supervisor (the first, or a restarted one) is there: say HELLO, which holds all that is true, then
 * what it has no room for. A fact nobody has heard yet is said by itself too, after it. */
void facts_greet(struct facts *facts);

void facts_ready(struct facts *facts);
void facts_serving(struct facts *facts);
void facts_drained(struct facts *facts);
void facts_status(struct facts *facts, const struct baton_status *status);
void facts_bye(struct facts *facts, const char *reason);

/* `count` more listeners were delivered: the worker does not serve all of them any more. */
void facts_delivered(struct facts *facts, uint32_t count);

/* The supervisor gave listeners that were held already: tell it again when they are served. */
void facts_given_again(struct facts *facts);

/* The supervisor said DRAIN. */
void facts_draining(struct facts *facts);

/* The message to send next. Returns whether there is one; `out` is untouched else. */
bool facts_next(const struct facts *facts, struct message *out);

/* The message of this type was sent. */
void facts_sent(struct facts *facts, enum message_type type);

#endif
