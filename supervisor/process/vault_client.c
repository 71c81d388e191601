#include "supervisor/process/vault_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/channel.h"
#include "supervisor/keeper/wire.h"

_Static_assert((int)VAULT_ID_BYTES == (int)WIRE_ID_BYTES, "the same ids");

enum { OPEN_MS = 10000, MESSAGES_PER_DISPATCH = 64 };

/* A message that the keeper had no room for. */
struct waiting {
    struct waiting *next;
    int fd; /* owned; -1: none travels with it */
    size_t size;
    uint8_t bytes[];
};

struct vault {
    int fd; /* owned; -1: closed */
    struct vault_handlers handlers;
    void *arg;
    struct waiting *first, **end;
};

/* --- receiving the entries -------------------------------------------------------------------------- */

/* Entries as they come in. */
struct intake {
    struct vault_entry *entries;
    size_t count;
    struct vault_start start;
    bool started;
};

static void intake_free(struct intake *intake)
{
    for (size_t i = 0; i < intake->count; i++)
        close(intake->entries[i].fd);
    free(intake->entries);
}

static void intake_start(struct intake *intake, const struct wire_start *start)
{
    intake->started = true;
    intake->start = (struct vault_start){
        .restarted = start->restarted,
        .safe_mode = start->safe_mode,
        .previous_status = start->previous_status,
        .restarts = start->restarts,
        .nofile_soft = start->nofile_soft,
        .nofile_hard = start->nofile_hard,
    };
}

/* Takes the descriptors out of the packet. */
static int intake_entries(struct intake *intake, const struct wire_message *message,
                          struct channel_packet *packet)
{
    size_t count = message->entries.count;
    struct vault_entry *entries = realloc(intake->entries, (intake->count + count) * sizeof *entries);

    if (!entries)
        return -ENOMEM;
    intake->entries = entries;
    for (size_t i = 0; i < count; i++) {
        const struct wire_entry *from = &message->entries.list[i];
        struct vault_entry *to = &entries[intake->count++];

        *to = (struct vault_entry){ .fd = packet->fds[i], .pid = from->pid, .exited = from->exited };
        to->status = from->status;
        strcpy(to->id, from->id);
        packet->fds[i] = -1;
    }
    return 0;
}

/* 0: more is to come; 1: that was all. */
static int intake_message(struct intake *intake, const struct wire_message *message,
                          struct channel_packet *packet)
{
    if (packet->count != wire_descriptors(message) || intake->started == (message->type == WIRE_START))
        return -EPROTO;
    switch (message->type) {
    case WIRE_START:
        intake_start(intake, &message->start);
        return 0;
    case WIRE_ENTRIES:
        return message->entries.count > 0 ? intake_entries(intake, message, packet) : 0;
    case WIRE_END:
        return 1;
    default:
        return -EPROTO;
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int wait_readable(int fd, uint64_t until_ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    uint64_t now = now_ms();

    if (now >= until_ms)
        return -ETIMEDOUT;
    return poll(&ready, 1, (int)(until_ms - now)) < 0 && errno != EINTR ? -errno : 0;
}

/* The next message, and what it means. As intake_message(). */
static int receive_entries(int fd, struct intake *intake, uint64_t until_ms)
{
    static struct wire_message message;
    struct channel_packet packet;
    int outcome = channel_receive(fd, &packet);

    if (outcome == CHANNEL_AGAIN)
        return wait_readable(fd, until_ms);
    if (outcome)
        return outcome == CHANNEL_CLOSED ? -EPIPE : outcome;
    outcome = wire_decode(&message, packet.bytes, packet.size) ? -EPROTO
                                                               : intake_message(intake, &message, &packet);
    channel_packet_close(&packet);
    return outcome;
}

int vault_inherited(void)
{
    const char *text = getenv("BATON_KEEPER");
    char *end;
    long fd;
    int error;

    if (!text)
        return -ENOENT;
    fd = strtol(text, &end, 10);
    error = text[0] < '0' || text[0] > '9' || *end || fd > INT_MAX ? -EINVAL : channel_check((int)fd);
    unsetenv("BATON_KEEPER");
    if (!error && fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        error = -errno;
    return error ? error : (int)fd;
}

int vault_open(int fd, const struct vault_handlers *handlers, void *arg, struct vault **out,
               struct vault_entry **entries, size_t *count, struct vault_start *start)
{
    struct vault *vault = calloc(1, sizeof *vault);
    struct intake intake = { 0 };
    uint64_t until_ms = now_ms() + OPEN_MS;
    int result = vault ? 0 : -ENOMEM;

    while (result == 0)
        result = receive_entries(fd, &intake, until_ms);
    if (result < 0) {
        intake_free(&intake);
        free(vault);
        close(fd);
        return result;
    }
    *vault = (struct vault){ .fd = fd, .handlers = *handlers, .arg = arg, .end = &vault->first };
    *out = vault;
    *entries = intake.entries;
    *count = intake.count;
    *start = intake.start;
    return 0;
}

/* --- what the keeper says --------------------------------------------------------------------------- */

static void lose(struct vault *vault)
{
    int fd = vault->fd;

    vault->handlers.on_closed(vault->arg);
    vault->fd = -1;
    close(fd);
}

/* Returns false for what a keeper does not say to a supervisor that has all entries. */
static bool handle(struct vault *vault, const struct wire_message *message)
{
    const struct wire_entry *entry = &message->entry;

    switch (message->type) {
    case WIRE_STORED:
        vault->handlers.on_stored(vault->arg, entry->id);
        return true;
    case WIRE_REFUSED:
        if (vault->handlers.on_refused)
            vault->handlers.on_refused(vault->arg, entry->id, entry->status);
        return true;
    case WIRE_EXIT:
        vault->handlers.on_exit(vault->arg, entry->id, entry->pid, entry->status);
        return true;
    case WIRE_SIGNAL:
        vault->handlers.on_signal(vault->arg, message->number);
        return true;
    default:
        return false;
    }
}

/* Handle the next message and take it then: killed in between, our successor hears it. Returns whether there
 * may be another one. */
static bool handle_next(struct vault *vault)
{
    struct wire_message message; /* not static: a handler may come back here */
    struct channel_packet packet;
    int outcome = channel_peek(vault->fd, &packet);

    if (outcome == CHANNEL_AGAIN)
        return false;
    if (outcome || wire_decode(&message, packet.bytes, packet.size) || !handle(vault, &message)) {
        lose(vault);
        return false;
    }
    if (channel_receive(vault->fd, &packet) == 0)
        channel_packet_close(&packet);
    return true;
}

/* --- what the supervisor says ----------------------------------------------------------------------- */

static void pop(struct vault *vault)
{
    struct waiting *sent = vault->first;

    vault->first = sent->next;
    if (!vault->first)
        vault->end = &vault->first;
    if (sent->fd >= 0)
        close(sent->fd);
    free(sent);
}

/* When the keeper is gone, the next peek says so. */
static void send_waiting(struct vault *vault)
{
    while (vault->first) {
        const struct waiting *next = vault->first;

        if (channel_send(vault->fd, next->bytes, next->size, &next->fd, next->fd >= 0) != 0)
            return;
        pop(vault);
    }
}

static int enqueue(struct vault *vault, const uint8_t *bytes, size_t size, int fd)
{
    struct waiting *waiting = malloc(sizeof *waiting + size);

    if (!waiting)
        return -ENOMEM;
    *waiting = (struct waiting){ .fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0), .size = size };
    if (fd >= 0 && waiting->fd < 0) {
        int error = -errno;

        free(waiting);
        return error;
    }
    memcpy(waiting->bytes, bytes, size);
    *vault->end = waiting;
    vault->end = &waiting->next;
    return 0;
}

/* Send at once what can be sent: the descriptor needs no copy then, and the message survives our death. */
static int submit(struct vault *vault, const struct wire_message *message, int fd)
{
    uint8_t bytes[WIRE_MESSAGE_BYTES];
    size_t size = wire_encode(message, bytes);
    int outcome = CHANNEL_AGAIN;

    if (size == 0)
        return -EINVAL;
    if (vault->fd < 0)
        return -EPIPE;
    if (!vault->first)
        outcome = channel_send(vault->fd, bytes, size, &fd, fd >= 0);
    if (outcome == CHANNEL_AGAIN || outcome == -ETOOMANYREFS)
        return enqueue(vault, bytes, size, fd);
    return outcome == CHANNEL_CLOSED ? -EPIPE : outcome;
}

static int submit_entry(struct vault *vault, enum wire_type type, const char *id, pid_t pid, int fd)
{
    struct wire_message message = { .type = type };

    if (!wire_is_id(id) || pid < 0)
        return -EINVAL;
    message.entry.pid = pid;
    strcpy(message.entry.id, id);
    return submit(vault, &message, fd);
}

static int submit_number(struct vault *vault, enum wire_type type, int number)
{
    struct wire_message message = { .type = type, .number = number };

    return submit(vault, &message, -1);
}

int vault_store(struct vault *vault, const char *id, pid_t pid, int fd)
{
    return fd < 0 ? -EBADF : submit_entry(vault, WIRE_STORE, id, pid, fd);
}

int vault_drop(struct vault *vault, const char *id)
{
    return submit_entry(vault, WIRE_DROP, id, 0, -1);
}

int vault_signal_done(struct vault *vault, int signo)
{
    return submit_number(vault, WIRE_SIGNAL_DONE, signo);
}

int vault_hello(struct vault *vault)
{
    return submit_number(vault, WIRE_HELLO, 0);
}

int vault_notify(struct vault *vault, const char *text)
{
    struct wire_message message = { .type = WIRE_NOTIFY };

    if (strlen(text) >= sizeof message.text)
        return -EINVAL;
    strcpy(message.text, text);
    return submit(vault, &message, -1);
}

int vault_finish(struct vault *vault, int code)
{
    return submit_number(vault, WIRE_FINISH, code);
}

/* --- the loop's side -------------------------------------------------------------------------------- */

int vault_fd(const struct vault *vault)
{
    return vault->fd;
}

bool vault_wants_write(const struct vault *vault)
{
    return vault->fd >= 0 && vault->first;
}

void vault_dispatch(struct vault *vault)
{
    if (vault->fd >= 0)
        send_waiting(vault);
    for (int i = 0; i < MESSAGES_PER_DISPATCH && vault->fd >= 0 && handle_next(vault); i++)
        ;
}

void vault_close(struct vault *vault)
{
    if (!vault)
        return;
    while (vault->first)
        pop(vault);
    if (vault->fd >= 0)
        close(vault->fd);
    free(vault);
}
