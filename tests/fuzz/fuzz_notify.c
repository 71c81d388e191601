/* Whatever a worker sends, the facts of its datagram are in range and its status is one printable line. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/process/notify.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct notify_message message;

    memset(&message, 0xa5, sizeof message);
    int outcome = notify_parse((const char *)bytes, size, &message);
    if (outcome != 0 && outcome != NOTIFY_MALFORMED)
        abort();
    if (outcome == 0 && (size == 0 || size > NOTIFY_DATAGRAM_MAX || memchr(bytes, '\0', size)))
        abort();
    if (!memchr(message.status, '\0', sizeof message.status) || !text_is_sentence(message.status))
        abort();
    if ((message.has_main_pid && message.main_pid <= 0) || message.error_number < 0)
        abort();
    return 0;
}
