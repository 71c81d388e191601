#include "proto/baton.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/facts.h"
#include "proto/intake.h"
#include "proto/message.h"

struct baton {
    struct baton_handlers handlers;
    void *arg;
    int fd; /* the channel; -1 without one */
    uint32_t generation;
    bool lost;        /* the channel ended: nothing is sent any more, fd is -1 soon */
    bool dispatching; /* a handler may call baton_dispatch(): the outer one goes on */
    bool welcomed;    /* a supervisor has spoken */
    bool has_role, role;
    bool has_drain;
    uint32_t drain_ms;
    struct facts facts;
    struct arrivals inherited; /* LISTEN_FDS, until the first dispatch */
    struct intake intake;
};

/* --- the environment ------------------------------------------------------------------------------ */

/* The descriptor in BATON_CHANNEL; -ENOENT without one, -EINVAL, -ENOTSOCK. */
static int find_channel(void)
{
    const char *text = getenv("BATON_CHANNEL");
    unsigned long fd;
    int error;

    if (!text)
        return -ENOENT;
    if (!text_to_number(text, INT_MAX, &fd))
        return -EINVAL;
    error = channel_check((int)fd);
    if (error)
        return error == -ENOTSOCK ? error : -EINVAL;
    return (int)fd;
}

static uint32_t find_generation(void)
{
    const char *text = getenv("BATON_GENERATION");
    unsigned long generation;

    return text && text_to_number(text, UINT32_MAX, &generation) ? (uint32_t)generation : 0;
}

/* Listening sockets are shared with other generations: the flag is set for all of them and never cleared. */
static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags != -1 && !(flags & O_NONBLOCK))
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* --- sending -------------------------------------------------------------------------------------- */

/* Send what is pending, as far as the supervisor reads. Returns 0; CHANNEL_CLOSED; -errno. */
static int send_pending(struct baton *baton)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    struct message message;

    while (facts_next(&baton->facts, &message)) {
        int size = message_encode(&message, bytes);
        int outcome = size < 0 ? size : channel_send(baton->fd, bytes, (size_t)size, NULL, 0);

        if (outcome)
            return outcome == CHANNEL_AGAIN ? 0 : outcome;
        facts_sent(&baton->facts, message.type);
    }
    return 0;
}

static bool is_connected(const struct baton *baton)
{
    return baton->fd != -1 && !baton->lost;
}

/* A fact was added. That the channel is closed is for baton_dispatch() to find: on_lost comes from there. */
static int say(struct baton *baton)
{
    if (!is_connected(baton))
        return -EPIPE;
    send_pending(baton);
    return 0;
}

/* The descriptor is still open while on_lost runs, so that an event loop can let go of it. */
static void lose(struct baton *baton, const char *reason)
{
    baton->lost = true;
    intake_restart(&baton->intake);
    if (baton->handlers.on_lost)
        baton->handlers.on_lost(baton->arg, reason);
    close(baton->fd);
    baton->fd = -1;
}

/* --- listeners ------------------------------------------------------------------------------------ */

/* Give the arrived listeners to the program; what it has no handler for is closed. */
static void deliver(struct baton *baton, struct arrivals *arrivals)
{
    struct arrivals given = *arrivals;

    *arrivals = (struct arrivals){ 0 };
    facts_delivered(&baton->facts, (uint32_t)given.count);
    for (size_t i = 0; i < given.count; i++)
        set_nonblocking(given.items[i].fd);
    if (baton->handlers.on_listeners) {
        baton->handlers.on_listeners(baton->arg, given.items, given.count);
        for (size_t i = 0; i < given.count; i++)
            given.items[i].fd = -1;
    }
    arrivals_clear(&given);
}

static void deliver_inherited(struct baton *baton)
{
    if (baton->inherited.count > 0 && intake_hold(&baton->intake, &baton->inherited) == 0)
        deliver(baton, &baton->inherited);
}

/* --- what the supervisor says ---------------------------------------------------------------------
 * Each returns NULL, or a sentence that says what is wrong with the message. */

static const char *on_welcome(struct baton *baton, const struct message *message)
{
    intake_restart(&baton->intake); /* the rest of the set died with the supervisor that sent it */
    baton->welcomed = true;
    baton->generation = message->welcome.generation;
    facts_greet(&baton->facts);
    return NULL;
}

static const char *on_listeners(struct baton *baton, const struct message *message,
                                struct channel_packet *packet)
{
    struct arrivals fresh = { 0 };
    const char *wrong = NULL;

    switch (intake_chunk(&baton->intake, message, packet, &fresh, &wrong)) {
    case INTAKE_NEW:
        deliver(baton, &fresh);
        break;
    case INTAKE_HELD:
        facts_given_again(&baton->facts);
        break;
    case INTAKE_INCOMPLETE:
    case INTAKE_REFUSED:
        break;
    }
    arrivals_clear(&fresh);
    return wrong;
}

static const char *on_role(struct baton *baton, bool role)
{
    bool repeated = baton->has_role && baton->role == role;

    baton->has_role = true;
    baton->role = role;
    if (!repeated && baton->handlers.on_role)
        baton->handlers.on_role(baton->arg, role);
    return NULL;
}

static const char *on_drain(struct baton *baton, uint32_t drain_ms)
{
    bool repeated = baton->has_drain && baton->drain_ms == drain_ms;

    baton->has_drain = true;
    baton->drain_ms = drain_ms;
    facts_draining(&baton->facts);
    if (!repeated && baton->handlers.on_drain)
        baton->handlers.on_drain(baton->arg, drain_ms);
    return NULL;
}

static const char *handle(struct baton *baton, const struct message *message, struct channel_packet *packet)
{
    if (!message_carries(message, packet->count))
        return "the message came with a wrong number of descriptors";
    if (!message_from_supervisor(message->type))
        return "a supervisor does not send this message";
    if (!baton->welcomed && message->type != MESSAGE_WELCOME && message->type != MESSAGE_BYE)
        return "the first message is WELCOME";
    switch (message->type) {
    case MESSAGE_WELCOME:
        return on_welcome(baton, message);
    case MESSAGE_LISTENERS:
        return on_listeners(baton, message, packet);
    case MESSAGE_ROLE:
        return on_role(baton, message->role.serving);
    case MESSAGE_DRAIN:
        return on_drain(baton, message->drain.deadline_ms);
    default: /* BYE */
        lose(baton, message->bye.text[0] ? message->bye.text : "baton has given up this worker");
        return NULL;
    }
}

/* Tell the supervisor what was wrong with its message, then do without it. */
static void refuse(struct baton *baton, const char *wrong)
{
    facts_bye(&baton->facts, wrong);
    send_pending(baton);
    lose(baton, wrong);
}

static void on_packet(struct baton *baton, struct channel_packet *packet)
{
    struct message message;
    const char *wrong = message_decode(packet->bytes, packet->size, &message);

    if (!wrong)
        wrong = handle(baton, &message, packet);
    channel_packet_close(packet);
    if (wrong)
        refuse(baton, wrong);
}

static const char *end_sentence(int outcome)
{
    switch (outcome) {
    case CHANNEL_CLOSED:
        return "baton is gone";
    case -EPROTO:
        return "a packet did not fit, or RLIMIT_NOFILE is too low for its descriptors";
    default:
        return strerror(-outcome);
    }
}

/* Receive until nothing is left and everything is said. A peer that is found to be gone while we
 * send is heard to its end first. */
static void converse(struct baton *baton)
{
    struct channel_packet packet;
    int sent = 0;

    while (is_connected(baton)) {
        int received = channel_receive(baton->fd, &packet);

        if (received == 0) {
            on_packet(baton, &packet);
        } else if (received != CHANNEL_AGAIN) {
            lose(baton, end_sentence(received));
        } else if (sent != 0) {
            lose(baton, end_sentence(sent));
        } else {
            sent = send_pending(baton);
            if (sent == 0)
                return;
        }
    }
}

/* --- public --------------------------------------------------------------------------------------- */

int baton_open(struct baton **out, const struct baton_handlers *handlers, void *arg)
{
    struct arrivals inherited = { 0 };
    int fd = find_channel();
    int error = fd < 0 && fd != -ENOENT ? fd : arrivals_inherit(&inherited);
    struct baton *baton;

    *out = NULL;
    if (error && (error != -ENOENT || fd < 0))
        return error;
    baton = calloc(1, sizeof *baton);
    if (!baton) {
        arrivals_clear(&inherited);
        return -ENOMEM;
    }
    baton->handlers = *handlers;
    baton->arg = arg;
    baton->fd = fd < 0 ? -1 : fd;
    baton->generation = find_generation();
    baton->inherited = inherited;
    baton->facts.pid = (uint32_t)getpid();
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        set_nonblocking(fd);
        unsetenv("BATON_CHANNEL");
        facts_greet(&baton->facts);
        send_pending(baton);
    }
    *out = baton;
    return 0;
}

int baton_fd(const struct baton *baton)
{
    return baton->fd;
}

int baton_wants_write(const struct baton *baton)
{
    return is_connected(baton) && (baton->facts.pending != 0 || baton->inherited.count > 0);
}

int baton_dispatch(struct baton *baton)
{
    if (!baton->dispatching) {
        baton->dispatching = true;
        deliver_inherited(baton);
        converse(baton);
        baton->dispatching = false;
    }
    return baton->lost ? -EPIPE : 0;
}

int baton_ready(struct baton *baton)
{
    facts_ready(&baton->facts);
    return say(baton);
}

int baton_serving(struct baton *baton)
{
    facts_serving(&baton->facts);
    return say(baton);
}

int baton_drained(struct baton *baton)
{
    facts_drained(&baton->facts);
    return say(baton);
}

int baton_status(struct baton *baton, const struct baton_status *status)
{
    facts_status(&baton->facts, status);
    return say(baton);
}

int baton_bye(struct baton *baton, const char *reason)
{
    facts_bye(&baton->facts, reason);
    return say(baton);
}

uint32_t baton_generation(const struct baton *baton)
{
    return baton->generation;
}

const char *baton_version(void)
{
    return BATON_VERSION;
}

void baton_close(struct baton *baton)
{
    if (!baton)
        return;
    if (baton->fd != -1)
        close(baton->fd);
    arrivals_clear(&baton->inherited);
    intake_clear(&baton->intake);
    free(baton);
}
