#include "supervisor/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/core/escape.h"
#include "supervisor/process/journal.h"
#include "supervisor/process/output.h"

enum { LINE_BYTES = 2048, PREFIX_BYTES = 40, PATIENCE_MS = 10 };

static struct {
    struct config_output output; /* as opened; `path` is ours */
    int fd;
    bool journal; /* lines begin with <N> */
    enum log_level level;
    unsigned long dropped; /* lines since the last one that was written */
} sink = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static size_t write_prefix(enum log_level level, char out[PREFIX_BYTES])
{
    struct timespec now;
    struct tm utc;

    if (sink.journal)
        return (size_t)snprintf(out, PREFIX_BYTES, "<%d>", priorities[level]);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t length = strftime(out, PREFIX_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    return length + (size_t)snprintf(out + length, PREFIX_BYTES - length, ".%03ldZ %s ",
                                     now.tv_nsec / 1000000, level_names[level]);
}

/* Whether a write to the sink would not wait; a fresh blockade gets a little time. */
static bool sink_takes_more(void)
{
    struct pollfd place = { .fd = sink.fd, .events = POLLOUT };

    return poll(&place, 1, sink.dropped ? 0 : PATIENCE_MS) == 1 && place.revents == POLLOUT;
}

static bool write_line(enum log_level level, const char *text)
{
    char line[LINE_BYTES];
    size_t length = write_prefix(level, line);

    length += escape_text(text, "", line + length, LINE_BYTES - length - 1);
    line[length++] = '\n';
    return sink_takes_more() && write(sink.fd, line, length) == (ssize_t)length;
}

static void report_dropped(void)
{
    char text[64];

    snprintf(text, sizeof text, "lines_dropped=%lu", sink.dropped);
    if (write_line(LOG_LEVEL_WARN, text))
        sink.dropped = 0;
}

static void log_at(enum log_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_at(enum log_level level, const char *format, va_list arguments)
{
    char text[LINE_BYTES];
    int saved_errno = errno;

    if (level <= sink.level) {
        vsnprintf(text, sizeof text, format, arguments);
        if (sink.dropped)
            report_dropped();
        if (sink.dropped || !write_line(level, text))
            sink.dropped++;
    }
    errno = saved_errno;
}

#define DEFINE_LOG(name, level)                                                                              \
    void name(const char *format, ...)                                                                       \
    {                                                                                                        \
        va_list arguments;                                                                                   \
                                                                                                             \
        va_start(arguments, format);                                                                         \
        log_at(level, format, arguments);                                                                    \
        va_end(arguments);                                                                                   \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

/* The place that `output` names now. Returns a descriptor (stderr's own, or one we own) or -errno. */
static int open_place(const struct config_output *output, bool *journal)
{
    int fd;

    *journal = output->kind != OUTPUT_FILE && journal_is_stream(STDERR_FILENO);
    if (output->kind == OUTPUT_FILE)
        return output_open_file(output->path);
    if (output->kind == OUTPUT_STDERR || *journal)
        return STDERR_FILENO;
    fd = journal_open(JOURNAL_SOCKET, "baton", LOG_INFO, true);
    *journal = fd >= 0;
    return fd >= 0 ? fd : STDERR_FILENO;
}

static void close_place(void)
{
    if (sink.fd != STDERR_FILENO)
        close(sink.fd);
    free(sink.output.path);
}

int log_open(const struct config_output *output)
{
    bool journal;
    char *path = NULL;
    int fd = open_place(output, &journal);

    if (fd < 0)
        return fd;
    if (output->kind == OUTPUT_FILE && !(path = strdup(output->path))) {
        close(fd);
        return -ENOMEM;
    }
    close_place();
    sink.output = (struct config_output){ .kind = output->kind, .path = path };
    sink.fd = fd;
    sink.journal = journal;
    if (output->kind == OUTPUT_JOURNAL && !journal)
        log_warn("log=stderr reason=\"there is no journal on this machine\"");
    return 0;
}

int log_reopen(void)
{
    struct config_output same = sink.output;

    return log_open(&same);
}

void log_close(void)
{
    close_place();
    sink.output = (struct config_output){ .kind = OUTPUT_STDERR };
    sink.fd = STDERR_FILENO;
    sink.journal = false;
    sink.dropped = 0;
}

void log_set_level(enum log_level level)
{
    sink.level = level;
}

const char *log_value(const char *value, char *out, size_t bytes)
{
    assert(bytes >= 8);
    size_t length = escape_text(value, "\"\\", out + 1, bytes - 2); /* room for both quotes */
    if (*value && !strcmp(out + 1, value) && !strpbrk(value, " =")) {
        memmove(out, out + 1, length + 1);
        return out;
    }
    out[0] = '"';
    memcpy(out + 1 + length, "\"", 2);
    return out;
}
