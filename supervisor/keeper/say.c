#include "supervisor/keeper/say.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "baton-keeper: ";

void say(const char *format, ...)
{
    struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
    char line[512];
    size_t used = sizeof prefix - 1;
    va_list arguments;

    memcpy(line, prefix, sizeof prefix);
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    used = strlen(line);
    line[used++] = '\n';
    if (poll(&ready, 1, 0) == 1 && write(STDERR_FILENO, line, used) < 0)
        return; /* nobody reads it */
}
