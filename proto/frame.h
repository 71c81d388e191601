/* The frame: how one packet on the channel is written. Pure: bytes in, numbers out.
 *
 *     offset  size  field
 *          0     2  version of the protocol the packet is written in
 *          2     2  type of the message
 *          4     4  bytes that follow
 *          8        the fields of the message, packed, without padding
 *
 * All numbers are little-endian. A packet holds exactly one frame, so its length is known twice and
 * both must agree. Reader and writer remember the first field that did not fit: fields are read or
 * written in a row, and one question at the end tells whether all of them were there.
 */
#ifndef BATON_FRAME_H
#define BATON_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_VERSION = 1,
    FRAME_HEADER_BYTES = 8,
    FRAME_MAX_BYTES = 8192, /* header included */
};

struct frame_writer {
    uint8_t *bytes;
    size_t capacity;
    size_t used;
    bool failed; /* something did not fit */
};

/* Start a frame in `bytes`, of which `capacity` bytes may be written. The bytes stay the caller's. */
void frame_begin(struct frame_writer *writer, void *bytes, size_t capacity, uint16_t type);

void frame_put_u8(struct frame_writer *writer, uint8_t value);
void frame_put_u16(struct frame_writer *writer, uint16_t value);
void frame_put_u32(struct frame_writer *writer, uint32_t value);
void frame_put_u64(struct frame_writer *writer, uint64_t value);

/* A string: one byte of length, then its bytes without the NUL. Longer than 255 bytes does not fit. */
void frame_put_string(struct frame_writer *writer, const char *string);

/* Write the length into the header. Returns the bytes of the whole frame; 0 when something did not fit. */
size_t frame_finish(struct frame_writer *writer);

struct frame_reader {
    const uint8_t *bytes; /* the next field; points into the packet */
    size_t left;
    bool failed; /* a field was longer than what was left */
};

/* Check the header of a packet of `size` bytes and stand before its first field.
 * Returns NULL, or a static sentence that says what is wrong (`reader` and `type` are untouched). */
const char *frame_open(struct frame_reader *reader, const void *bytes, size_t size, uint16_t *type);

/* The next field; 0 after the end. */
uint8_t frame_get_u8(struct frame_reader *reader);
uint16_t frame_get_u16(struct frame_reader *reader);
uint32_t frame_get_u32(struct frame_reader *reader);
uint64_t frame_get_u64(struct frame_reader *reader);

/* The next string, NUL-terminated, into `out` of `capacity` bytes. A string that does not fit or has
 * a NUL inside fails the reader and leaves "". */
void frame_get_string(struct frame_reader *reader, char *out, size_t capacity);

/* Whether every field was there and nothing is left over. */
bool frame_exhausted(const struct frame_reader *reader);

#endif
