#include "proto/frame.h"

#include <string.h>

static void put_little_endian(struct frame_writer *writer, uint64_t value, size_t size)
{
    if (writer->failed || writer->capacity - writer->used < size) {
        writer->failed = true;
        return;
    }
    for (size_t i = 0; i < size; i++)
        writer->bytes[writer->used++] = (uint8_t)(value >> (8 * i));
}

void frame_begin(struct frame_writer *writer, void *bytes, size_t capacity, uint16_t type)
{
    *writer = (struct frame_writer){ .bytes = bytes, .capacity = capacity };
    frame_put_u16(writer, FRAME_VERSION);
    frame_put_u16(writer, type);
    frame_put_u32(writer, 0); /* frame_finish() knows it */
}

void frame_put_u8(struct frame_writer *writer, uint8_t value)
{
    put_little_endian(writer, value, 1);
}

void frame_put_u16(struct frame_writer *writer, uint16_t value)
{
    put_little_endian(writer, value, 2);
}

void frame_put_u32(struct frame_writer *writer, uint32_t value)
{
    put_little_endian(writer, value, 4);
}

void frame_put_u64(struct frame_writer *writer, uint64_t value)
{
    put_little_endian(writer, value, 8);
}

void frame_put_string(struct frame_writer *writer, const char *string)
{
    size_t length = strlen(string);

    if (length > UINT8_MAX || writer->failed || writer->capacity - writer->used < 1 + length) {
        writer->failed = true;
        return;
    }
    writer->bytes[writer->used++] = (uint8_t)length;
    memcpy(writer->bytes + writer->used, string, length);
    writer->used += length;
}

size_t frame_finish(struct frame_writer *writer)
{
    struct frame_writer length = { .bytes = writer->bytes, .capacity = FRAME_HEADER_BYTES, .used = 4 };

    if (writer->failed)
        return 0;
    frame_put_u32(&length, (uint32_t)(writer->used - FRAME_HEADER_BYTES));
    return writer->used;
}

static uint64_t get_little_endian(struct frame_reader *reader, size_t size)
{
    uint64_t value = 0;

    if (reader->failed || reader->left < size) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)reader->bytes[i] << (8 * i);
    reader->bytes += size;
    reader->left -= size;
    return value;
}

const char *frame_open(struct frame_reader *reader, const void *bytes, size_t size, uint16_t *type)
{
    struct frame_reader header = { .bytes = bytes, .left = size };
    uint16_t version = frame_get_u16(&header);
    uint16_t found = frame_get_u16(&header);
    uint32_t length = frame_get_u32(&header);

    if (header.failed)
        return "the packet is shorter than a header";
    if (version != FRAME_VERSION)
        return "the packet is written in another version of the protocol";
    if (length != header.left || size > FRAME_MAX_BYTES)
        return "the length in the header is not that of the packet";
    *reader = header;
    *type = found;
    return NULL;
}

uint8_t frame_get_u8(struct frame_reader *reader)
{
    return (uint8_t)get_little_endian(reader, 1);
}

uint16_t frame_get_u16(struct frame_reader *reader)
{
    return (uint16_t)get_little_endian(reader, 2);
}

uint32_t frame_get_u32(struct frame_reader *reader)
{
    return (uint32_t)get_little_endian(reader, 4);
}

uint64_t frame_get_u64(struct frame_reader *reader)
{
    return get_little_endian(reader, 8);
}

void frame_get_string(struct frame_reader *reader, char *out, size_t capacity)
{
    size_t length = frame_get_u8(reader);

    out[0] = '\0';
    if (reader->failed || length > reader->left || length >= capacity ||
        memchr(reader->bytes, '\0', length)) {
        reader->failed = true;
        return;
    }
    memcpy(out, reader->bytes, length);
    out[length] = '\0';
    reader->bytes += length;
    reader->left -= length;
}

bool frame_exhausted(const struct frame_reader *reader)
{
    return !reader->failed && reader->left == 0;
}
