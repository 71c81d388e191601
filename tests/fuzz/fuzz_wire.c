/* Any bytes are refused with a sentence, or are a message that means the same when it is sent on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/keeper/wire.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct wire_message message, again;
    uint8_t first[WIRE_MESSAGE_BYTES], second[WIRE_MESSAGE_BYTES];
    size_t length;

    if (wire_decode(&message, bytes, size))
        return 0;
    length = wire_encode(&message, first);
    if (length == 0 || wire_decode(&again, first, length) || wire_encode(&again, second) != length ||
        memcmp(first, second, length) != 0 || wire_descriptors(&message) > WIRE_ENTRIES_MAX)
        abort();
    return 0;
}
