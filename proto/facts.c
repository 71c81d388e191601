#include "proto/facts.h"

#include <string.h>

static uint32_t bit(enum message_type type)
{
    return UINT32_C(1) << type;
}

void facts_greet(struct facts *facts)
{
    facts->pending |= bit(MESSAGE_HELLO);
    if (facts->has_status)
        facts->pending |= bit(MESSAGE_STATUS);
    if (facts->has_bye)
        facts->pending |= bit(MESSAGE_BYE);
}

void facts_ready(struct facts *facts)
{
    facts->holds |= MESSAGE_HOLDS_READY;
    facts->pending |= bit(MESSAGE_READY);
}

void facts_serving(struct facts *facts)
{
    facts->holds |= MESSAGE_HOLDS_SERVING;
    facts->pending |= bit(MESSAGE_SERVING);
}

void facts_drained(struct facts *facts)
{
    facts->holds |= MESSAGE_HOLDS_DRAINED;
    facts->pending |= bit(MESSAGE_DRAINED);
}

void facts_status(struct facts *facts, const struct baton_status *status)
{
    facts->has_status = true;
    facts->status = *status;
    facts->pending |= bit(MESSAGE_STATUS);
}

void facts_bye(struct facts *facts, const char *reason)
{
    facts->has_bye = true;
    text_clean(facts->bye, reason);
    facts->pending |= bit(MESSAGE_BYE);
}

void facts_delivered(struct facts *facts, uint32_t count)
{
    if (count == 0)
        return;
    facts->delivered += count;
    facts->holds &= ~(uint32_t)MESSAGE_HOLDS_SERVING;
    facts->pending &= ~bit(MESSAGE_SERVING);
}

void facts_given_again(struct facts *facts)
{
    if (facts->holds & MESSAGE_HOLDS_SERVING)
        facts->pending |= bit(MESSAGE_SERVING);
}

void facts_draining(struct facts *facts)
{
    facts->holds |= MESSAGE_HOLDS_DRAINING;
}

static void fill(const struct facts *facts, struct message *out)
{
    switch (out->type) {
    case MESSAGE_HELLO:
        out->hello.version = FRAME_VERSION;
        out->hello.pid = facts->pid;
        out->hello.features = 0;
        out->hello.holds = facts->holds;
        out->hello.listeners_held = facts->delivered;
        break;
    case MESSAGE_SERVING:
        out->serving.count = facts->delivered;
        break;
    case MESSAGE_STATUS:
        out->status.active = facts->status.active;
        out->status.idle = facts->status.idle;
        out->status.requests = facts->status.requests;
        out->status.errors = facts->status.errors;
        break;
    case MESSAGE_BYE:
        memcpy(out->bye.text, facts->bye, sizeof out->bye.text);
        break;
    default: /* READY and DRAINED have no fields */
        break;
    }
}

bool facts_next(const struct facts *facts, struct message *out)
{
    static const enum message_type order[] = {
        MESSAGE_HELLO, MESSAGE_READY, MESSAGE_SERVING, MESSAGE_STATUS, MESSAGE_DRAINED, MESSAGE_BYE,
    };

    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (facts->pending & bit(order[i])) {
            out->type = order[i];
            fill(facts, out);
            return true;
        }
    }
    return false;
}

void facts_sent(struct facts *facts, enum message_type type)
{
    facts->pending &= ~bit(type);
}
