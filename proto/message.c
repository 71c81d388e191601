#include "proto/message.h"

#include <errno.h>

enum { WORKER = 1, SUPERVISOR = 2 };

/* --- the fields, in the order of the wire --------------------------------------------------------- */

static void put_hello(struct frame_writer *writer, const struct message *message)
{
    frame_put_u16(writer, message->hello.version);
    frame_put_u32(writer, message->hello.pid);
    frame_put_u32(writer, message->hello.features);
    frame_put_u32(writer, message->hello.holds);
    frame_put_u32(writer, message->hello.listeners_held);
}

static void get_hello(struct frame_reader *reader, struct message *message)
{
    message->hello.version = frame_get_u16(reader);
    message->hello.pid = frame_get_u32(reader);
    message->hello.features = frame_get_u32(reader);
    message->hello.holds = frame_get_u32(reader);
    message->hello.listeners_held = frame_get_u32(reader);
}

static const char *check_hello(const struct message *message)
{
    if (message->hello.version == 0)
        return "HELLO: there is no version 0";
    if (message->hello.holds & ~(uint32_t)MESSAGE_HOLDS_ALL)
        return "HELLO: it holds something unknown";
    if (message->hello.listeners_held > MESSAGE_LISTENERS_TOTAL_MAX)
        return "HELLO: a worker has at most 4096 listeners";
    return NULL;
}

static void put_welcome(struct frame_writer *writer, const struct message *message)
{
    frame_put_u32(writer, message->welcome.generation);
    frame_put_u32(writer, message->welcome.worker);
}

static void get_welcome(struct frame_reader *reader, struct message *message)
{
    message->welcome.generation = frame_get_u32(reader);
    message->welcome.worker = frame_get_u32(reader);
}

static void put_listeners(struct frame_writer *writer, const struct message *message)
{
    frame_put_u16(writer, message->listeners.total);
    frame_put_u16(writer, message->listeners.first);
    frame_put_u16(writer, message->listeners.count);
    for (unsigned i = 0; i < message->listeners.count; i++)
        frame_put_string(writer, message->listeners.names[i]);
}

static void get_listeners(struct frame_reader *reader, struct message *message)
{
    message->listeners.total = frame_get_u16(reader);
    message->listeners.first = frame_get_u16(reader);
    message->listeners.count = frame_get_u16(reader);
    if (message->listeners.count > MESSAGE_LISTENERS_MAX)
        reader->failed = true;
    for (unsigned i = 0; i < message->listeners.count && !reader->failed; i++)
        frame_get_string(reader, message->listeners.names[i], TEXT_NAME_BYTES);
}

static const char *check_listeners(const struct message *message)
{
    unsigned total = message->listeners.total, count = message->listeners.count;

    if (total > MESSAGE_LISTENERS_TOTAL_MAX)
        return "LISTENERS: a worker has at most 4096 listeners";
    if (count > MESSAGE_LISTENERS_MAX)
        return "LISTENERS: a message has at most 100 of them";
    if (message->listeners.first + count > total || (count == 0 && total != 0))
        return "LISTENERS: the chunk is not a part of the set";
    for (unsigned i = 0; i < count; i++)
        if (!text_is_name(message->listeners.names[i]))
            return "LISTENERS: a name has 1 to 63 bytes of A-Z a-z 0-9 . _ -";
    return NULL;
}

static void put_serving(struct frame_writer *writer, const struct message *message)
{
    frame_put_u32(writer, message->serving.count);
}

static void get_serving(struct frame_reader *reader, struct message *message)
{
    message->serving.count = frame_get_u32(reader);
}

static const char *check_serving(const struct message *message)
{
    if (message->serving.count > MESSAGE_LISTENERS_TOTAL_MAX)
        return "SERVING: a worker has at most 4096 listeners";
    return NULL;
}

static void put_role(struct frame_writer *writer, const struct message *message)
{
    frame_put_u8(writer, message->role.serving);
}

static void get_role(struct frame_reader *reader, struct message *message)
{
    uint8_t serving = frame_get_u8(reader);

    message->role.serving = serving;
    if (serving > 1) /* a bool can not carry it to a check */
        reader->failed = true;
}

static void put_drain(struct frame_writer *writer, const struct message *message)
{
    frame_put_u32(writer, message->drain.deadline_ms);
}

static void get_drain(struct frame_reader *reader, struct message *message)
{
    message->drain.deadline_ms = frame_get_u32(reader);
}

static void put_status(struct frame_writer *writer, const struct message *message)
{
    frame_put_u32(writer, message->status.active);
    frame_put_u32(writer, message->status.idle);
    frame_put_u64(writer, message->status.requests);
    frame_put_u64(writer, message->status.errors);
}

static void get_status(struct frame_reader *reader, struct message *message)
{
    message->status.active = frame_get_u32(reader);
    message->status.idle = frame_get_u32(reader);
    message->status.requests = frame_get_u64(reader);
    message->status.errors = frame_get_u64(reader);
}

static void put_bye(struct frame_writer *writer, const struct message *message)
{
    frame_put_string(writer, message->bye.text);
}

static void get_bye(struct frame_reader *reader, struct message *message)
{
    frame_get_string(reader, message->bye.text, TEXT_BYTES);
}

static const char *check_bye(const struct message *message)
{
    if (!text_is_sentence(message->bye.text))
        return "BYE: a text has at most 200 bytes of UTF-8 without control characters";
    return NULL;
}

/* --- the types ------------------------------------------------------------------------------------- */

/* A type without put and get has no fields; one without senders is reserved. */
static const struct kind {
    const char *name;
    unsigned senders;
    void (*put)(struct frame_writer *writer, const struct message *message);
    void (*get)(struct frame_reader *reader, struct message *message);
    const char *(*check)(const struct message *message);
} kinds[] = {
    [MESSAGE_HELLO] = { "HELLO", WORKER, put_hello, get_hello, check_hello },
    [MESSAGE_WELCOME] = { "WELCOME", SUPERVISOR, put_welcome, get_welcome, NULL },
    [MESSAGE_READY] = { "READY", WORKER, NULL, NULL, NULL },
    [MESSAGE_LISTENERS] = { "LISTENERS", SUPERVISOR, put_listeners, get_listeners, check_listeners },
    [MESSAGE_SERVING] = { "SERVING", WORKER, put_serving, get_serving, check_serving },
    [MESSAGE_ROLE] = { "ROLE", SUPERVISOR, put_role, get_role, NULL },
    [MESSAGE_DRAIN] = { "DRAIN", SUPERVISOR, put_drain, get_drain, NULL },
    [MESSAGE_DRAINED] = { "DRAINED", WORKER, NULL, NULL, NULL },
    [MESSAGE_STATUS] = { "STATUS", WORKER, put_status, get_status, NULL },
    [MESSAGE_BYE] = { "BYE", WORKER | SUPERVISOR, put_bye, get_bye, check_bye },
    [MESSAGE_CONNECTION] = { "CONNECTION", 0, NULL, NULL, NULL },
    [MESSAGE_TAKEN] = { "TAKEN", 0, NULL, NULL, NULL },
    [MESSAGE_CREDIT] = { "CREDIT", 0, NULL, NULL, NULL },
};

/* NULL when there is no such type. */
static const struct kind *find_kind(unsigned type)
{
    if (type >= sizeof kinds / sizeof *kinds || !kinds[type].name)
        return NULL;
    return &kinds[type];
}

int message_encode(const struct message *message, uint8_t bytes[MESSAGE_MAX_BYTES])
{
    const struct kind *kind = find_kind(message->type);
    struct frame_writer writer;
    size_t size;

    if (!kind || !kind->senders || (kind->check && kind->check(message)))
        return -EINVAL;
    frame_begin(&writer, bytes, MESSAGE_MAX_BYTES, (uint16_t)message->type);
    if (kind->put)
        kind->put(&writer, message);
    size = frame_finish(&writer);
    return size ? (int)size : -EINVAL;
}

const char *message_decode(const void *bytes, size_t size, struct message *out)
{
    struct message message = { .type = 0 };
    struct frame_reader reader;
    const struct kind *kind;
    uint16_t type;
    const char *wrong = frame_open(&reader, bytes, size, &type);

    if (wrong)
        return wrong;
    kind = find_kind(type);
    if (!kind)
        return "the type of the message is unknown";
    if (!kind->senders)
        return "the type of the message is reserved";
    message.type = type;
    if (kind->get)
        kind->get(&reader, &message);
    if (!frame_exhausted(&reader))
        return "the message does not have the fields of its type";
    if (kind->check && (wrong = kind->check(&message)))
        return wrong;
    *out = message;
    return NULL;
}

bool message_carries(const struct message *message, size_t descriptors)
{
    switch (message->type) {
    case MESSAGE_LISTENERS:
        return descriptors == message->listeners.count;
    case MESSAGE_WELCOME:
        return descriptors <= 1;
    default:
        return descriptors == 0;
    }
}

bool message_from_worker(enum message_type type)
{
    const struct kind *kind = find_kind(type);

    return kind && kind->senders & WORKER;
}

bool message_from_supervisor(enum message_type type)
{
    const struct kind *kind = find_kind(type);

    return kind && kind->senders & SUPERVISOR;
}

const char *message_name(enum message_type type)
{
    const struct kind *kind = find_kind(type);

    return kind ? kind->name : "?";
}
