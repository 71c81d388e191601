/* The listeners a supervisor gives a worker: chunks become a set, and of a complete set only what the
 * worker does not hold yet is delivered. So a restarted supervisor may send a set again, whole, and a
 * set whose rest died with the supervisor is forgotten. `struct intake intake = { 0 };` holds nothing. */
#ifndef BATON_INTAKE_H
#define BATON_INTAKE_H

#include "proto/arrivals.h"
#include "proto/channel.h"
#include "proto/message.h"
#include "proto/nameset.h"

enum intake_outcome {
    INTAKE_INCOMPLETE, /* more chunks follow */
    INTAKE_NEW,        /* `fresh` is to be delivered; it is empty when the first set of all is */
    INTAKE_HELD,       /* the set is complete and holds nothing new */
    INTAKE_REFUSED,    /* `wrong` says why; drop the peer */
};

struct intake {
    struct nameset held; /* names of all listeners that were delivered */
    size_t held_count;   /* listeners; inherited ones may share a name */
    bool had_set;
    struct arrivals arriving; /* the chunks so far */
    size_t total;             /* of the set that is arriving */
};

/* A LISTENERS message and the packet it came in, whose descriptors are stolen. `fresh` is empty before
 * and the caller's to clear afterwards. `wrong` is set to a static sentence with INTAKE_REFUSED only. */
enum intake_outcome intake_chunk(struct intake *intake, const struct message *message,
                                 struct channel_packet *packet, struct arrivals *fresh, const char **wrong);

/* These came another way (LISTEN_FDS) and are held now; nothing is taken. Returns 0 or -ENOMEM. */
int intake_hold(struct intake *intake, const struct arrivals *arrivals);

/* Forget an incomplete set and close its descriptors. */
void intake_restart(struct intake *intake);

void intake_clear(struct intake *intake);

#endif
