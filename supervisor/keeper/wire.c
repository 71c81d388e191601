#include "supervisor/keeper/wire.h"

#include <assert.h>
#include <string.h>

#include "proto/frame.h"

_Static_assert((int)WIRE_MESSAGE_BYTES <= (int)FRAME_MAX_BYTES, "a message is one frame");

/* Strings of a frame have at most 255 bytes; a longer text is several of them. */
enum { PIECE_BYTES = 256 };

bool wire_is_id(const char *id)
{
    size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return length > 0 && length < WIRE_ID_BYTES && id[length] == '\0';
}

/* Anything but 0 and 1 fails the reader. */
static bool get_bool(struct frame_reader *reader)
{
    uint8_t value = frame_get_u8(reader);

    reader->failed |= value > 1;
    return value == 1;
}

static void put_start(struct frame_writer *writer, const struct wire_start *start)
{
    frame_put_u16(writer, WIRE_VERSION);
    frame_put_u8(writer, start->restarted);
    frame_put_u8(writer, start->safe_mode);
    frame_put_u32(writer, (uint32_t)start->previous_status);
    frame_put_u32(writer, start->restarts);
    frame_put_u64(writer, start->nofile_soft);
    frame_put_u64(writer, start->nofile_hard);
}

static const char *get_start(struct frame_reader *reader, struct wire_start *start)
{
    if (frame_get_u16(reader) != WIRE_VERSION)
        return "the keeper speaks another version";
    start->restarted = get_bool(reader);
    start->safe_mode = get_bool(reader);
    start->previous_status = (int32_t)frame_get_u32(reader);
    start->restarts = frame_get_u32(reader);
    start->nofile_soft = frame_get_u64(reader);
    start->nofile_hard = frame_get_u64(reader);
    return NULL;
}

static void put_entry(struct frame_writer *writer, const struct wire_entry *entry)
{
    writer->failed |= !wire_is_id(entry->id);
    frame_put_string(writer, entry->id);
    frame_put_u32(writer, (uint32_t)entry->pid);
    frame_put_u8(writer, entry->exited);
    frame_put_u32(writer, (uint32_t)entry->status);
}

static const char *get_entry(struct frame_reader *reader, struct wire_entry *entry)
{
    frame_get_string(reader, entry->id, sizeof entry->id);
    entry->pid = (int32_t)frame_get_u32(reader);
    entry->exited = get_bool(reader);
    entry->status = (int32_t)frame_get_u32(reader);
    return wire_is_id(entry->id) ? NULL : "an id is not valid";
}

static void put_entries(struct frame_writer *writer, const struct wire_message *message)
{
    assert(message->entries.count <= WIRE_ENTRIES_MAX);
    for (size_t i = 0; i < message->entries.count; i++)
        put_entry(writer, &message->entries.list[i]);
}

static const char *get_entries(struct frame_reader *reader, struct wire_message *message)
{
    const char *wrong = NULL;

    for (message->entries.count = 0; !wrong && reader->left > 0; message->entries.count++) {
        if (message->entries.count == WIRE_ENTRIES_MAX)
            return "a message has more entries than allowed";
        wrong = get_entry(reader, &message->entries.list[message->entries.count]);
    }
    return wrong;
}

static void put_text(struct frame_writer *writer, const char *text)
{
    char piece[PIECE_BYTES];
    size_t left = strlen(text);

    writer->failed |= left >= WIRE_TEXT_BYTES;
    while (left > 0 && !writer->failed) {
        size_t bytes = left < sizeof piece - 1 ? left : sizeof piece - 1;

        memcpy(piece, text, bytes);
        piece[bytes] = '\0';
        frame_put_string(writer, piece);
        text += bytes;
        left -= bytes;
    }
}

static void get_text(struct frame_reader *reader, char text[WIRE_TEXT_BYTES])
{
    size_t used = 0;

    text[0] = '\0';
    while (!reader->failed && reader->left > 0) {
        frame_get_string(reader, text + used, WIRE_TEXT_BYTES - used);
        used += strlen(text + used);
    }
}

size_t wire_encode(const struct wire_message *message, uint8_t bytes[WIRE_MESSAGE_BYTES])
{
    struct frame_writer writer;

    frame_begin(&writer, bytes, WIRE_MESSAGE_BYTES, (uint16_t)message->type);
    switch (message->type) {
    case WIRE_START:
        put_start(&writer, &message->start);
        break;
    case WIRE_ENTRIES:
        put_entries(&writer, message);
        break;
    case WIRE_STORED:
    case WIRE_REFUSED:
    case WIRE_EXIT:
    case WIRE_STORE:
    case WIRE_DROP:
        put_entry(&writer, &message->entry);
        break;
    case WIRE_SIGNAL:
    case WIRE_SIGNAL_DONE:
    case WIRE_FINISH:
        frame_put_u32(&writer, (uint32_t)message->number);
        break;
    case WIRE_NOTIFY:
        put_text(&writer, message->text);
        break;
    case WIRE_END:
    case WIRE_HELLO:
        break;
    }
    return frame_finish(&writer);
}

static const char *get_message(struct frame_reader *reader, struct wire_message *message)
{
    switch (message->type) {
    case WIRE_START:
        return get_start(reader, &message->start);
    case WIRE_ENTRIES:
        return get_entries(reader, message);
    case WIRE_STORED:
    case WIRE_REFUSED:
    case WIRE_EXIT:
    case WIRE_STORE:
    case WIRE_DROP:
        return get_entry(reader, &message->entry);
    case WIRE_SIGNAL:
    case WIRE_SIGNAL_DONE:
    case WIRE_FINISH:
        message->number = (int32_t)frame_get_u32(reader);
        return NULL;
    case WIRE_NOTIFY:
        get_text(reader, message->text);
        return NULL;
    case WIRE_END:
    case WIRE_HELLO:
        return NULL;
    }
    return "the message is of an unknown type";
}

const char *wire_decode(struct wire_message *message, const void *bytes, size_t size)
{
    struct frame_reader reader;
    uint16_t type;
    const char *wrong = frame_open(&reader, bytes, size, &type);

    if (wrong)
        return wrong;
    message->type = (enum wire_type)type;
    wrong = get_message(&reader, message);
    if (wrong)
        return wrong;
    return frame_exhausted(&reader) ? NULL : "the message has not the length of its type";
}

size_t wire_descriptors(const struct wire_message *message)
{
    if (message->type == WIRE_ENTRIES)
        return message->entries.count;
    return message->type == WIRE_STORE ? 1 : 0;
}
