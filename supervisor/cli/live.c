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
static int fitting_bytes(const char *text, size_t columns)
{
    int bytes = 0;

    for (; text[bytes]; bytes++) {
        bool begins = ((unsigned char)text[bytes] & 0xc0) != 0x80;

        if (begins && columns-- == 0)
            break;
    }
    return bytes;
}

static size_t terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void live_show(struct live *live, const char *text, const char *time)
{
    static const char between[] = " … ";
    size_t columns = terminal_columns(), taken = prose_columns(between) + prose_columns(time) + 1;

    if (!live->terminal)
        return;
    printf("%s%.*s%s%s", erase, columns > taken ? fitting_bytes(text, columns - taken) : 0, text, between,
           time);
    fflush(stdout);
    live->shown = true;
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
