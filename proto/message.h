/* The messages of the native protocol: typed values <-> packets. Pure; PROTOCOL.md says who sends
 * what, when and why. */
#ifndef BATON_MESSAGE_H
#define BATON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/text.h"

enum {
    MESSAGE_MAX_BYTES = FRAME_MAX_BYTES, /* of one encoded message */
    MESSAGE_LISTENERS_MAX = 100,         /* listeners, and so descriptors, in one LISTENERS */
    MESSAGE_LISTENERS_TOTAL_MAX = 4096,  /* listeners of one worker */
};

/* The numbers are the wire's: never change or reuse one. */
enum message_type {
    MESSAGE_HELLO = 1,
    MESSAGE_WELCOME = 2,
    MESSAGE_READY = 3,
    MESSAGE_LISTENERS = 4,
    MESSAGE_SERVING = 5,
    MESSAGE_ROLE = 6,
    MESSAGE_DRAIN = 7,
    MESSAGE_DRAINED = 8,
    MESSAGE_STATUS = 9,
    MESSAGE_BYE = 10,
    MESSAGE_CONNECTION = 11, /* reserved, refused */
    MESSAGE_TAKEN = 12,      /* reserved, refused */
    MESSAGE_CREDIT = 13,     /* reserved, refused */
};

/* What a worker holds to be true, in HELLO. */
enum message_holds {
    MESSAGE_HOLDS_READY = 1 << 0,    /* it said READY */
    MESSAGE_HOLDS_SERVING = 1 << 1,  /* it accepts on every listener it was given */
    MESSAGE_HOLDS_DRAINING = 1 << 2, /* it was told DRAIN */
    MESSAGE_HOLDS_DRAINED = 1 << 3,  /* it said DRAINED */
};

enum { MESSAGE_HOLDS_ALL = 15 };

/* Deadline of a DRAIN that has none. */
#define MESSAGE_DRAIN_INFINITE UINT32_MAX

struct message {
    enum message_type type;
    union {
        struct {
            uint16_t version;        /* highest version the worker speaks, 1 or more */
            uint32_t pid;            /* as the worker sees itself; for people */
            uint32_t features;       /* none is defined yet: 0; unknown bits are ignored */
            uint32_t holds;          /* enum message_holds */
            uint32_t listeners_held; /* listeners delivered to the program so far */
        } hello;
        struct {
            uint32_t generation;
            uint32_t worker; /* number of the worker in its generation */
        } welcome;
        struct {
            uint16_t total; /* of the whole set; 0: there is none (then first and count are 0) */
            uint16_t first; /* index of names[0] in the set */
            uint16_t count; /* names, and descriptors, in this message */
            char names[MESSAGE_LISTENERS_MAX][TEXT_NAME_BYTES];
        } listeners;
        struct {
            uint32_t count; /* listeners on which the worker accepts */
        } serving;
        struct {
            bool serving;
        } role;
        struct {
            uint32_t deadline_ms; /* from now on; MESSAGE_DRAIN_INFINITE: none */
        } drain;
        struct {
            uint32_t active;   /* connections with a request in flight */
            uint32_t idle;     /* connections that wait */
            uint64_t requests; /* answered since the start */
            uint64_t errors;   /* of these failed */
        } status;
        struct {
            char text[TEXT_BYTES];
        } bye;
    };
};

/* Write `message` as one packet. Returns its bytes (> 0); -EINVAL when a field is out of range or
 * no such type may be sent (use text_clean() on strings of other origin). */
int message_encode(const struct message *message, uint8_t bytes[MESSAGE_MAX_BYTES]);

/* Read one packet. Returns NULL and fills `out`, or a static sentence that says what is wrong
 * (`out` is untouched). What decode accepts, encode writes back byte for byte. */
const char *message_decode(const void *bytes, size_t size, struct message *out);

/* Whether `descriptors` of them may travel with `message`: LISTENERS has one for each name, WELCOME
 * none or one (the scoreboard), all others none. A receiver drops a peer that breaks this. */
bool message_carries(const struct message *message, size_t descriptors);

/* Who may send this type. False for both: unknown or reserved. */
bool message_from_worker(enum message_type type);
bool message_from_supervisor(enum message_type type);

/* "HELLO", "WELCOME", …; "?" for a number that is none. Static. */
const char *message_name(enum message_type type);

#endif
