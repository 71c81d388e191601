/* What keeper and supervisor say to each other, over a channel (proto/channel.h) in frames (proto/frame.h).
 * Pure: bytes in, messages out.
 *
 *     keeper                                      supervisor
 *     START      how it was started          ->
 *     ENTRIES    + one descriptor per entry  ->   as often as needed
 *     END        that was all                ->
 *                                            <-   HELLO        restored and serving: this binary works
 *                                            <-   STORE        + the descriptor to keep
 *     STORED     it is safe                  ->
 *     REFUSED    or it is not (errno)        ->
 *                                            <-   DROP         of an unknown id is fine
 *     EXIT       the process was reaped      ->
 *     SIGNAL     to the main PID             ->
 *                                            <-   SIGNAL_DONE  recorded: do not repeat it
 *                                            <-   NOTIFY       text for systemd
 *                                            <-   FINISH       exit with this code when I have exited
 *
 * The two may come from different versions, because the keeper outlives an upgrade: a number is never used
 * again for something else, and WIRE_VERSION, the first thing a supervisor reads, changes whenever an older
 * supervisor would misunderstand a message. */
#ifndef BATON_WIRE_H
#define BATON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_VERSION = 1,
    WIRE_ID_BYTES = 25,       /* an id, its NUL included: 1 to 24 bytes of A-Z a-z 0-9 . _ - */
    WIRE_ENTRIES_MAX = 200,   /* in one message */
    WIRE_TEXT_BYTES = 1024,   /* the text of NOTIFY, its NUL included */
    WIRE_MESSAGE_BYTES = 8192 /* room for any encoded message */
};

enum wire_type {
    WIRE_START = 1,
    WIRE_ENTRIES = 2,
    WIRE_END = 3,
    WIRE_STORED = 4,
    WIRE_REFUSED = 5,
    WIRE_EXIT = 6,
    WIRE_SIGNAL = 7,
    WIRE_HELLO = 65,
    WIRE_STORE = 66,
    WIRE_DROP = 67,
    WIRE_SIGNAL_DONE = 68,
    WIRE_NOTIFY = 69,
    WIRE_FINISH = 70,
};

struct wire_start {
    bool restarted, safe_mode;
    int32_t previous_status;
    uint32_t restarts;
    uint64_t nofile_soft, nofile_hard;
};

struct wire_entry {
    char id[WIRE_ID_BYTES];
    int32_t pid; /* 0: not a process; -1: one that had ended before its pid was known */
    bool exited;
    int32_t status; /* of waitpid(2) when exited, -1: unknown; REFUSED: errno */
};

struct wire_message {
    enum wire_type type;
    union {
        struct wire_start start;
        struct {
            size_t count;
            struct wire_entry list[WIRE_ENTRIES_MAX];
        } entries;
        struct wire_entry entry;    /* STORED, REFUSED, EXIT, STORE, DROP: the fields that make sense */
        int32_t number;             /* SIGNAL, SIGNAL_DONE: signo; FINISH: exit code */
        char text[WIRE_TEXT_BYTES]; /* NOTIFY */
    };
};

/* Whether `id` may name an entry. */
bool wire_is_id(const char *id);

/* Returns the bytes written, or 0 when the message is not one that wire_decode() would accept. */
size_t wire_encode(const struct wire_message *message, uint8_t bytes[WIRE_MESSAGE_BYTES]);

/* Read a packet. Returns NULL, or a static sentence that says what is wrong (`message` is undefined then). */
const char *wire_decode(struct wire_message *message, const void *bytes, size_t size);

/* How many descriptors have to travel with the message. */
size_t wire_descriptors(const struct wire_message *message);

#endif
