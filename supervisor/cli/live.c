#include "supervisor/cli/live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supervisor/prose.h"

static const char erase[] = "\r\033[K";

void live_open(struct live *live)
{
    *live = (struct live){ .terminal = isatty(STDOUT_FILENO) };
}

void live_say(struct live *live, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = prose_format(format, arguments);
    va_end(arguments);
    live_close(live);
    puts(text ? text : "");
    fflush(stdout);
    free(text);
}

/* Bytes of `text` that take at most `columns`. */
static int fitting_bytes(const char *text, unsigned columns)
{
    int bytes = 0;

    for (; text[bytes]; bytes++) {
        bool begins = ((unsigned char)text[bytes] & 0xc0) != 0x80;

        if (begins && columns-- == 0)
            break;
    }
    return bytes;
}

void live_show(struct live *live, const char *format, ...)
{
    struct winsize size = { 0 };
    va_list arguments;

    if (!live->terminal)
        return;
    va_start(arguments, format);
    char *text = prose_format(format, arguments);
    va_end(arguments);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        size.ws_col = 80;
    if (text)
        printf("%s%.*s", erase, fitting_bytes(text, size.ws_col - 1u), text);
    fflush(stdout);
    live->shown = true;
    free(text);
}

int live_pause_ms(const struct live *live)
{
    return live->terminal ? 1000 : -1;
}

void live_close(struct live *live)
{
    if (live->shown)
        fputs(erase, stdout);
    fflush(stdout);
    live->shown = false;
}
