#include "proto/frame.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A frame with one field of each kind, byte by byte: what PROTOCOL.md promises, on every machine. */
static const uint8_t golden[] = {
    1,    0,    7,    0,    19,   0,    0,    0,    /* version 1, type 7, 19 bytes follow */
    0xa1,                                           /* u8 */
    0xb2, 0xb1,                                     /* u16 */
    0xc4, 0xc3, 0xc2, 0xc1,                         /* u32 */
    0xd8, 0xd7, 0xd6, 0xd5, 0xd4, 0xd3, 0xd2, 0xd1, /* u64 */
    3,    'w',  'e',  'b',                          /* string */
};

static size_t write_golden(uint8_t *bytes, size_t capacity)
{
    struct frame_writer writer;

    frame_begin(&writer, bytes, capacity, 7);
    frame_put_u8(&writer, 0xa1);
    frame_put_u16(&writer, 0xb1b2);
    frame_put_u32(&writer, 0xc1c2c3c4);
    frame_put_u64(&writer, 0xd1d2d3d4d5d6d7d8);
    frame_put_string(&writer, "web");
    return frame_finish(&writer);
}

static void a_frame_is_little_endian_and_packed(void **state)
{
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(write_golden(bytes, sizeof bytes), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void what_was_written_is_read(void **state)
{
    struct frame_reader reader;
    uint16_t type;
    char name[4];

    (void)state;
    assert_null(frame_open(&reader, golden, sizeof golden, &type));
    assert_int_equal(type, 7);
    assert_int_equal(frame_get_u8(&reader), 0xa1);
    assert_int_equal(frame_get_u16(&reader), 0xb1b2);
    assert_int_equal(frame_get_u32(&reader), 0xc1c2c3c4);
    assert_true(frame_get_u64(&reader) == 0xd1d2d3d4d5d6d7d8);
    assert_false(frame_exhausted(&reader));
    frame_get_string(&reader, name, sizeof name);
    assert_string_equal(name, "web");
    assert_true(frame_exhausted(&reader));
}

static void a_frame_that_does_not_fit_is_not_written(void **state)
{
    uint8_t bytes[sizeof golden + 1];

    (void)state;
    for (size_t capacity = 0; capacity < sizeof golden; capacity++) {
        memset(bytes, 0x5a, sizeof bytes);
        assert_int_equal(write_golden(bytes, capacity), 0);
        for (size_t i = capacity; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0x5a);
    }
}

static void a_string_has_at_most_255_bytes(void **state)
{
    char string[257];
    uint8_t bytes[512];
    struct frame_writer writer;

    (void)state;
    memset(string, 'x', sizeof string);
    string[255] = '\0';
    frame_begin(&writer, bytes, sizeof bytes, 1);
    frame_put_string(&writer, string);
    assert_int_equal(frame_finish(&writer), FRAME_HEADER_BYTES + 256);
    string[255] = 'x';
    string[256] = '\0';
    frame_begin(&writer, bytes, sizeof bytes, 1);
    frame_put_string(&writer, string);
    assert_int_equal(frame_finish(&writer), 0);
}

static void a_header_must_be_exact(void **state)
{
    uint8_t bytes[sizeof golden + 1];
    struct frame_reader reader, untouched;
    uint16_t type = 99;

    (void)state;
    memset(&reader, 0xa5, sizeof reader);
    untouched = reader;
    for (size_t size = 0; size <= sizeof bytes; size++) {
        memcpy(bytes, golden, sizeof golden);
        if (size != sizeof golden)
            assert_non_null(frame_open(&reader, bytes, size, &type));
    }
    bytes[0] = 2;
    assert_non_null(frame_open(&reader, bytes, sizeof golden, &type));
    bytes[0] = 1;
    bytes[7] = 1;
    assert_non_null(frame_open(&reader, bytes, sizeof golden, &type));
    assert_memory_equal(&reader, &untouched, sizeof reader);
    assert_int_equal(type, 99);
}

static void reading_beyond_the_end_gives_zeros_and_is_remembered(void **state)
{
    static const uint8_t empty[] = { 1, 0, 3, 0, 1, 0, 0, 0, 0xff };
    struct frame_reader reader;
    uint16_t type;

    (void)state;
    assert_null(frame_open(&reader, empty, sizeof empty, &type));
    assert_int_equal(frame_get_u32(&reader), 0);
    assert_int_equal(frame_get_u8(&reader), 0); /* the byte that was left is not handed out either */
    assert_false(frame_exhausted(&reader));
}

static void assert_string_refused(const uint8_t *field, uint8_t field_bytes, size_t capacity)
{
    uint8_t bytes[64] = { 1, 0, 10, 0, field_bytes };
    struct frame_reader reader;
    char out[16] = "before";
    uint16_t type;

    memcpy(bytes + FRAME_HEADER_BYTES, field, field_bytes);
    assert_null(frame_open(&reader, bytes, FRAME_HEADER_BYTES + (size_t)field_bytes, &type));
    frame_get_string(&reader, out, capacity);
    assert_string_equal(out, "");
    assert_false(frame_exhausted(&reader));
}

static void a_string_that_is_cut_too_long_or_has_a_nul_is_refused(void **state)
{
    (void)state;
    assert_string_refused((const uint8_t *)"", 0, 16);
    assert_string_refused((const uint8_t *)"\4abc", 4, 16);
    assert_string_refused((const uint8_t *)"\4abcd", 5, 4);
    assert_string_refused((const uint8_t *)"\3a\0b", 4, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_little_endian_and_packed),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_frame_that_does_not_fit_is_not_written),
        cmocka_unit_test(a_string_has_at_most_255_bytes),
        cmocka_unit_test(a_header_must_be_exact),
        cmocka_unit_test(reading_beyond_the_end_gives_zeros_and_is_remembered),
        cmocka_unit_test(a_string_that_is_cut_too_long_or_has_a_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
