#include "proto/intake.h"

#include <stddef.h>

/* Move what is new in the complete set to `fresh`; the rest is closed. */
static const char *select_new(struct intake *intake, struct arrivals *fresh)
{
    for (size_t i = 0; i < intake->arriving.count; i++) {
        struct baton_listener *arrival = &intake->arriving.items[i];
        int outcome = nameset_add(&intake->held, arrival->name);

        if (outcome == NAMESET_PRESENT)
            continue;
        if (outcome == 0) {
            outcome = arrivals_add(fresh, arrival->name, arrival->fd);
            arrival->fd = -1;
        }
        if (outcome)
            return "the worker is out of memory";
    }
    if (intake->held_count + fresh->count > MESSAGE_LISTENERS_TOTAL_MAX)
        return "LISTENERS: a worker has at most 4096 listeners";
    return NULL;
}

static const char *add_chunk(struct intake *intake, const struct message *message,
                             struct channel_packet *packet)
{
    size_t arrived = intake->arriving.count;

    if (message->listeners.first != arrived || (arrived && message->listeners.total != intake->total))
        return "LISTENERS: the chunks are not in order";
    intake->total = message->listeners.total;
    for (size_t i = 0; i < packet->count; i++) {
        int fd = packet->fds[i];

        packet->fds[i] = -1;
        if (arrivals_add(&intake->arriving, message->listeners.names[i], fd))
            return "the worker is out of memory";
    }
    return NULL;
}

enum intake_outcome intake_chunk(struct intake *intake, const struct message *message,
                                 struct channel_packet *packet, struct arrivals *fresh, const char **wrong)
{
    const char *refusal = add_chunk(intake, message, packet);
    bool is_first = !intake->had_set;

    if (!refusal && intake->arriving.count < intake->total)
        return INTAKE_INCOMPLETE;
    if (!refusal)
        refusal = select_new(intake, fresh);
    intake_restart(intake);
    if (refusal) {
        *wrong = refusal;
        return INTAKE_REFUSED;
    }
    intake->had_set = true;
    intake->held_count += fresh->count;
    return fresh->count > 0 || is_first ? INTAKE_NEW : INTAKE_HELD;
}

int intake_hold(struct intake *intake, const struct arrivals *arrivals)
{
    for (size_t i = 0; i < arrivals->count; i++) {
        int outcome = nameset_add(&intake->held, arrivals->items[i].name);

        if (outcome < 0)
            return outcome;
    }
    intake->held_count += arrivals->count;
    return 0;
}

void intake_restart(struct intake *intake)
{
    arrivals_clear(&intake->arriving);
}

void intake_clear(struct intake *intake)
{
    arrivals_clear(&intake->arriving);
    nameset_clear(&intake->held);
    *intake = (struct intake){ 0 };
}
