#include "supervisor/keeper/wire.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static uint8_t bytes[WIRE_MESSAGE_BYTES];
static struct wire_message decoded;

static const struct wire_message samples[] = {
    { .type = WIRE_START,
      .start = { .restarted = true,
                 .safe_mode = true,
                 .previous_status = -1,
                 .restarts = 4711,
                 .nofile_soft = 1024,
                 .nofile_hard = UINT64_MAX } },
    { .type = WIRE_START },
    { .type = WIRE_ENTRIES,
      .entries = { .count = 3,
                   .list = { { .id = "a" },
                             { .id = "twenty-four.bytes_0123AZ", .pid = 812, .exited = true, .status = 0x8b },
                             { .id = "w1.pidfd", .pid = -1, .exited = true, .status = -1 } } } },
    { .type = WIRE_ENTRIES },
    { .type = WIRE_END },
    { .type = WIRE_STORED, .entry = { .id = "w1.pidfd" } },
    { .type = WIRE_REFUSED, .entry = { .id = "w1.pidfd", .status = 24 } },
    { .type = WIRE_EXIT, .entry = { .id = "w1.pidfd", .pid = 812, .exited = true, .status = SIGKILL } },
    { .type = WIRE_SIGNAL, .number = SIGUSR2 },
    { .type = WIRE_HELLO },
    { .type = WIRE_STORE, .entry = { .id = "w1.pidfd", .pid = 812 } },
    { .type = WIRE_DROP, .entry = { .id = "w1.pidfd" } },
    { .type = WIRE_SIGNAL_DONE, .number = SIGTERM },
    { .type = WIRE_NOTIFY, .text = "READY=1\nSTATUS=serving" },
    { .type = WIRE_NOTIFY },
    { .type = WIRE_FINISH, .number = 3 },
};

enum { SAMPLES = sizeof samples / sizeof *samples };

static void assert_same_entry(const struct wire_entry *a, const struct wire_entry *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->exited, b->exited);
    assert_int_equal(a->status, b->status);
}

static void assert_same(const struct wire_message *a, const struct wire_message *b)
{
    uint8_t again[WIRE_MESSAGE_BYTES];
    size_t size = wire_encode(a, bytes);

    assert_int_equal(a->type, b->type);
    assert_int_equal(wire_encode(b, again), size);
    assert_memory_equal(bytes, again, size);
}

static void every_message_arrives_as_it_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t size = wire_encode(&samples[i], bytes);
        const char *wrong;

        assert_true(size > 0);
        wrong = wire_decode(&decoded, bytes, size);
        if (wrong)
            fail_msg("message %zu: %s", i, wrong);
        assert_same(&samples[i], &decoded);
    }
}

static void the_fields_are_the_ones_that_were_put_in(void **state)
{
    (void)state;
    assert_null(wire_decode(&decoded, bytes, wire_encode(&samples[0], bytes)));
    assert_true(decoded.start.restarted && decoded.start.safe_mode);
    assert_int_equal(decoded.start.previous_status, -1);
    assert_int_equal(decoded.start.restarts, 4711);
    assert_int_equal(decoded.start.nofile_soft, 1024);
    assert_true(decoded.start.nofile_hard == UINT64_MAX);
    assert_null(wire_decode(&decoded, bytes, wire_encode(&samples[2], bytes)));
    assert_int_equal(decoded.entries.count, 3);
    assert_int_equal(wire_descriptors(&decoded), 3);
    for (size_t i = 0; i < 3; i++)
        assert_same_entry(&decoded.entries.list[i], &samples[2].entries.list[i]);
    assert_null(wire_decode(&decoded, bytes, wire_encode(&samples[10], bytes)));
    assert_int_equal(wire_descriptors(&decoded), 1);
    assert_same_entry(&decoded.entry, &samples[10].entry);
    assert_null(wire_decode(&decoded, bytes, wire_encode(&samples[13], bytes)));
    assert_int_equal(wire_descriptors(&decoded), 0);
    assert_string_equal(decoded.text, "READY=1\nSTATUS=serving");
}

static void every_truncation_and_every_extra_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t size = wire_encode(&samples[i], bytes);

        for (size_t less = 0; less < size; less++)
            assert_non_null(wire_decode(&decoded, bytes, less));
        assert_non_null(wire_decode(&decoded, bytes, size + 1));
    }
}

static void a_corrupted_byte_is_refused_or_gives_a_valid_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t size = wire_encode(&samples[i], bytes);

        for (size_t at = 0; at < size; at++)
            for (int change = 1; change < 256; change++) {
                uint8_t copy[WIRE_MESSAGE_BYTES];

                memcpy(copy, bytes, size);
                copy[at] ^= (uint8_t)change;
                if (!wire_decode(&decoded, copy, size) && wire_encode(&decoded, copy) == 0)
                    fail_msg("message %zu, byte %zu: accepted, but cannot be sent", i, at);
            }
    }
}

static void full_messages_fit_and_more_does_not(void **state)
{
    static struct wire_message full = { .type = WIRE_ENTRIES };
    static struct wire_message text = { .type = WIRE_NOTIFY };

    (void)state;
    full.entries.count = WIRE_ENTRIES_MAX;
    for (int i = 0; i < WIRE_ENTRIES_MAX; i++)
        snprintf(full.entries.list[i].id, WIRE_ID_BYTES, "entry-number-%011d", i);
    size_t size = wire_encode(&full, bytes);
    assert_true(size > 0);
    assert_null(wire_decode(&decoded, bytes, size));
    assert_int_equal(wire_descriptors(&decoded), WIRE_ENTRIES_MAX);
    assert_string_equal(decoded.entries.list[199].id, full.entries.list[199].id);

    memset(text.text, 'x', WIRE_TEXT_BYTES - 1);
    size = wire_encode(&text, bytes);
    assert_null(wire_decode(&decoded, bytes, size));
    assert_int_equal(strlen(decoded.text), WIRE_TEXT_BYTES - 1);
}

static void ids_are_short_and_plain(void **state)
{
    static const char *const good[] = { "a", "w12.pidfd", "A-Z_0.9", "123456789012345678901234" };
    static const char *const bad[] = { "", "a b", "a:b", "a/b", "é", "1234567890123456789012345", "a\n" };
    struct wire_message message = { .type = WIRE_DROP };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(wire_is_id(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(wire_is_id(bad[i]));
        snprintf(message.entry.id, sizeof message.entry.id, "%s", bad[i]);
        assert_true(strlen(bad[i]) >= WIRE_ID_BYTES || wire_encode(&message, bytes) == 0);
    }
}

static void another_version_is_refused_by_name(void **state)
{
    size_t size = wire_encode(&samples[0], bytes);

    (void)state;
    bytes[8]++; /* the first field behind the frame's header */
    assert_string_equal(wire_decode(&decoded, bytes, size), "the keeper speaks another version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(every_message_arrives_as_it_was_sent),
        GUARDED(the_fields_are_the_ones_that_were_put_in),
        GUARDED(every_truncation_and_every_extra_byte_is_refused),
        GUARDED(a_corrupted_byte_is_refused_or_gives_a_valid_message),
        GUARDED(full_messages_fit_and_more_does_not),
        GUARDED(ids_are_short_and_plain),
        GUARDED(another_version_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
