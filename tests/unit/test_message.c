#include "proto/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct message full_listeners(void)
{
    struct message message = {
        .type = MESSAGE_LISTENERS,
        .listeners = { .total = 4096, .first = 3996, .count = MESSAGE_LISTENERS_MAX },
    };

    for (int i = 0; i < MESSAGE_LISTENERS_MAX; i++)
        snprintf(message.listeners.names[i], TEXT_NAME_BYTES, "%0*d", TEXT_NAME_BYTES - 1, i);
    return message;
}

/* At least one of every type, at the edges of its ranges. */
static size_t samples(struct message out[], size_t capacity)
{
    const struct message all[] = {
        { .type = MESSAGE_HELLO, .hello = { 1, 4711, 0xffffffff, MESSAGE_HOLDS_ALL, 4096 } },
        { .type = MESSAGE_HELLO, .hello = { 0xffff, 0, 0, 0, 0 } },
        { .type = MESSAGE_WELCOME, .welcome = { 0xfffffffe, 3 } },
        { .type = MESSAGE_READY },
        { .type = MESSAGE_LISTENERS },
        { .type = MESSAGE_LISTENERS, .listeners = { 2, 1, 1, { "web.Main_1-x" } } },
        full_listeners(),
        { .type = MESSAGE_SERVING, .serving = { 4096 } },
        { .type = MESSAGE_ROLE, .role = { true } },
        { .type = MESSAGE_ROLE, .role = { false } },
        { .type = MESSAGE_DRAIN, .drain = { MESSAGE_DRAIN_INFINITE } },
        { .type = MESSAGE_DRAINED },
        { .type = MESSAGE_STATUS, .status = { 1, 2, UINT64_MAX, 1ull << 40 } },
        { .type = MESSAGE_BYE },
        { .type = MESSAGE_BYE, .bye = { "cannot open /var/lib/blog/blog.db: \xc3\xa9" } },
    };

    assert_true(sizeof all / sizeof *all <= capacity);
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

static struct message sample[32];

static void assert_bytes(const struct message *message, const uint8_t *expected, size_t size)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];

    assert_int_equal(message_encode(message, bytes), size);
    assert_memory_equal(bytes, expected, size);
}

static void the_bytes_are_those_of_the_document(void **state)
{
    const struct message hello = { .type = MESSAGE_HELLO, .hello = { 1, 0x1267, 0, 5, 300 } };
    const struct message welcome = { .type = MESSAGE_WELCOME, .welcome = { 8, 2 } };
    const struct message web = { .type = MESSAGE_LISTENERS, .listeners = { 3, 1, 2, { "web", "tls" } } };
    const struct message drain = { .type = MESSAGE_DRAIN, .drain = { 60000 } };
    const struct message status = { .type = MESSAGE_STATUS, .status = { 7, 300, 0x0102030405060708, 9 } };
    const struct message bye = { .type = MESSAGE_BYE, .bye = { "end" } };

    (void)state;
    assert_bytes(&hello, (const uint8_t *)"\1\0\1\0\22\0\0\0\1\0\x67\x12\0\0\0\0\0\0\5\0\0\0\x2c\1\0\0", 26);
    assert_bytes(&welcome, (const uint8_t *)"\1\0\2\0\10\0\0\0\10\0\0\0\2\0\0\0", 16);
    assert_bytes(&web, (const uint8_t *)"\1\0\4\0\16\0\0\0\3\0\1\0\2\0\3web\3tls", 22);
    assert_bytes(&drain, (const uint8_t *)"\1\0\7\0\4\0\0\0\x60\xea\0\0", 12);
    assert_bytes(&status,
                 (const uint8_t *)"\1\0\11\0\30\0\0\0\7\0\0\0\x2c\1\0\0\10\7\6\5\4\3\2\1\11\0\0\0\0\0\0\0",
                 32);
    assert_bytes(&bye, (const uint8_t *)"\1\0\12\0\4\0\0\0\3end", 12);
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    size_t count = samples(sample, 32);
    bool seen[MESSAGE_BYE + 1] = { false };

    (void)state;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[MESSAGE_MAX_BYTES];
        struct message back;
        int size = message_encode(&sample[i], bytes);

        assert_true(size > 0);
        assert_null(message_decode(bytes, (size_t)size, &back));
        assert_int_equal(back.type, sample[i].type);
        assert_bytes(&back, bytes, (size_t)size);
        seen[back.type] = true;
    }
    for (int type = MESSAGE_HELLO; type <= MESSAGE_BYE; type++)
        assert_true(seen[type]);
}

static void decoding_fills_the_fields(void **state)
{
    struct message out;

    (void)state;
    assert_null(message_decode("\1\0\1\0\22\0\0\0\1\0\x67\x12\0\0\2\0\0\0\5\0\0\0\x2c\1\0\0", 26, &out));
    assert_int_equal(out.hello.version, 1);
    assert_int_equal(out.hello.pid, 0x1267);
    assert_int_equal(out.hello.features, 2);
    assert_int_equal(out.hello.holds, MESSAGE_HOLDS_READY | MESSAGE_HOLDS_DRAINING);
    assert_int_equal(out.hello.listeners_held, 300);
    assert_null(message_decode("\1\0\4\0\16\0\0\0\3\0\1\0\2\0\3web\3tls", 22, &out));
    assert_int_equal(out.listeners.total, 3);
    assert_int_equal(out.listeners.first, 1);
    assert_int_equal(out.listeners.count, 2);
    assert_string_equal(out.listeners.names[0], "web");
    assert_string_equal(out.listeners.names[1], "tls");
    assert_null(message_decode("\1\0\6\0\1\0\0\0\1", 9, &out));
    assert_true(out.role.serving);
    assert_non_null(message_decode("\1\0\6\0\1\0\0\0\2", 9, &out));
}

static void assert_refused_untouched(const uint8_t *bytes, size_t size)
{
    static struct message out, untouched;

    memset(&out, 0xa5, sizeof out);
    untouched = out;
    assert_non_null(message_decode(bytes, size, &out));
    assert_memory_equal(&out, &untouched, sizeof out);
}

static void every_truncation_and_every_extra_byte_is_refused(void **state)
{
    size_t count = samples(sample, 32);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[MESSAGE_MAX_BYTES + 1] = { 0 };
        size_t size = (size_t)message_encode(&sample[i], bytes);

        for (size_t cut = 0; cut < size; cut++) {
            uint8_t copy[MESSAGE_MAX_BYTES];

            memcpy(copy, bytes, cut);
            assert_refused_untouched(copy, cut); /* the header knows better */
            if (cut < FRAME_HEADER_BYTES)
                continue;
            copy[4] = (uint8_t)(cut - FRAME_HEADER_BYTES); /* a header that agrees */
            copy[5] = (uint8_t)((cut - FRAME_HEADER_BYTES) >> 8);
            assert_refused_untouched(copy, cut);
        }
        bytes[4] = (uint8_t)(size + 1 - FRAME_HEADER_BYTES);
        bytes[5] = (uint8_t)((size + 1 - FRAME_HEADER_BYTES) >> 8);
        assert_refused_untouched(bytes, size + 1);
    }
}

/* Whatever one wrong byte makes of a message: it is refused, or it is a message that encodes to
 * exactly these bytes. */
static void every_corruption_is_refused_or_another_valid_message(void **state)
{
    size_t count = samples(sample, 32), accepted = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[MESSAGE_MAX_BYTES], again[MESSAGE_MAX_BYTES];
        struct message out;
        int size = message_encode(&sample[i], bytes);
        int step = size > 200 ? 7 : 1; /* the names of a full LISTENERS are all alike */

        for (int at = 0; at < size; at += at < 100 ? 1 : step) {
            uint8_t original = bytes[at];

            for (int value = 0; value<256; value += size> 200 ? 5 : 1) {
                bytes[at] = (uint8_t)value;
                if (message_decode(bytes, (size_t)size, &out)) {
                    refused++;
                    continue;
                }
                accepted++;
                assert_int_equal(message_encode(&out, again), size);
                assert_memory_equal(again, bytes, (size_t)size);
            }
            bytes[at] = original;
        }
    }
    assert_true(accepted > 0 && refused > accepted);
}

static void reserved_and_unknown_types_are_refused_by_name(void **state)
{
    uint8_t bytes[MESSAGE_MAX_BYTES] = { 1, 0 };
    struct message out;

    (void)state;
    for (unsigned type = 0; type < 0x10000; type++) {
        bytes[2] = (uint8_t)type;
        bytes[3] = (uint8_t)(type >> 8);
        const char *wrong = message_decode(bytes, FRAME_HEADER_BYTES, &out);
        if (type >= MESSAGE_CONNECTION && type <= MESSAGE_CREDIT)
            assert_non_null(strstr(wrong, "reserved"));
        else if (type == 0 || type > MESSAGE_CREDIT)
            assert_non_null(strstr(wrong, "unknown"));
    }
    out.type = MESSAGE_TAKEN;
    assert_int_equal(message_encode(&out, bytes), -EINVAL);
    out.type = 0;
    assert_int_equal(message_encode(&out, bytes), -EINVAL);
}

static void assert_not_encoded(struct message message)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];

    assert_int_equal(message_encode(&message, bytes), -EINVAL);
}

static void what_decode_refuses_encode_does_not_write(void **state)
{
    struct message message = { .type = MESSAGE_BYE, .bye = { "two\nlines" } };

    (void)state;
    assert_not_encoded(message);
    assert_not_encoded((struct message){ .type = MESSAGE_HELLO, .hello = { .version = 0 } });
    assert_not_encoded((struct message){ .type = MESSAGE_HELLO, .hello = { .version = 1, .holds = 16 } });
    assert_not_encoded((struct message){ .type = MESSAGE_SERVING, .serving = { 4097 } });
    assert_not_encoded((struct message){ .type = MESSAGE_LISTENERS, .listeners = { .total = 1 } });
    assert_not_encoded((struct message){ .type = MESSAGE_LISTENERS, .listeners = { 1, 1, 1, { "a" } } });
    assert_not_encoded((struct message){ .type = MESSAGE_LISTENERS, .listeners = { 1, 0, 1, { "a b" } } });
    assert_not_encoded((struct message){ .type = MESSAGE_LISTENERS, .listeners = { 1, 0, 1, { "" } } });
    message = full_listeners();
    message.listeners.total = 4097;
    assert_not_encoded(message);
    message = full_listeners();
    message.listeners.first = 3997;
    assert_not_encoded(message);
    message = full_listeners();
    message.listeners.first = 0;
    message.listeners.count = 101;
    assert_not_encoded(message);
}

static void descriptors_travel_only_where_they_belong(void **state)
{
    size_t count = samples(sample, 32);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t least = 0, most = 0;

        if (sample[i].type == MESSAGE_LISTENERS)
            least = most = sample[i].listeners.count;
        else if (sample[i].type == MESSAGE_WELCOME)
            most = 1;
        for (size_t n = 0; n < 254; n++)
            assert_int_equal(message_carries(&sample[i], n), n >= least && n <= most);
    }
}

static void every_type_has_a_name_and_a_sender(void **state)
{
    (void)state;
    for (enum message_type type = MESSAGE_HELLO; type <= MESSAGE_BYE; type++) {
        assert_string_not_equal(message_name(type), "?");
        assert_true(message_from_worker(type) || message_from_supervisor(type));
        assert_int_equal(message_from_worker(type) && message_from_supervisor(type), type == MESSAGE_BYE);
    }
    assert_false(message_from_worker(MESSAGE_CREDIT) || message_from_supervisor(MESSAGE_CREDIT));
    assert_string_equal(message_name(0), "?");
    assert_string_equal(message_name(99), "?");
    assert_false(message_from_worker(99) || message_from_supervisor(99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_the_document),
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(decoding_fills_the_fields),
        cmocka_unit_test(every_truncation_and_every_extra_byte_is_refused),
        cmocka_unit_test(every_corruption_is_refused_or_another_valid_message),
        cmocka_unit_test(reserved_and_unknown_types_are_refused_by_name),
        cmocka_unit_test(what_decode_refuses_encode_does_not_write),
        cmocka_unit_test(descriptors_travel_only_where_they_belong),
        cmocka_unit_test(every_type_has_a_name_and_a_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
