#include "supervisor/core/sentence.h"

#include <stdarg.h>
#include <stdio.h>

int sentence(char **reason, int error, const char *format, ...)
{
    va_list arguments;

    if (!reason)
        return error;
    va_start(arguments, format);
    if (vasprintf(reason, format, arguments) < 0)
        *reason = NULL;
    va_end(arguments);
    return error;
}
