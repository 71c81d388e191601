/* Any bytes are refused with a sentence, or are a message that is written back as the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t again[MESSAGE_MAX_BYTES];
    struct message message;
    const char *wrong = message_decode(bytes, size, &message);

    if (wrong) {
        if (!text_is_sentence(wrong)) /* it travels in a BYE */
            abort();
        return 0;
    }
    if (message_encode(&message, again) != (int)size || memcmp(again, bytes, size) != 0)
        abort();
    return 0;
}
