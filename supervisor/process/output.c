#include "supervisor/process/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "supervisor/core/escape.h"
#include "supervisor/core/sentence.h"
#include "supervisor/process/journal.h"

enum { LAST_WORDS_BYTES = 2048, IDENTIFIER_BYTES = CONFIG_NAME_MAX + 32 };

int output_open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_SETFL, O_APPEND)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int dup_stderr(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    return fd < 0 ? -errno : fd;
}

static int open_journal(const char *service, unsigned generation, bool *fallback)
{
    char identifier[IDENTIFIER_BYTES];

    snprintf(identifier, sizeof identifier, "baton/%s#%u", service, generation);
    int fd = journal_open(JOURNAL_SOCKET, identifier, LOG_INFO, true);
    if (fd >= 0)
        return fd;
    *fallback = true;
    return dup_stderr();
}

int output_open(const struct config_output *output, const char *service, unsigned generation, int *fd,
                bool *fallback, char **reason)
{
    bool fell_back = false;
    int opened;

    if (output->kind == OUTPUT_FILE)
        opened = output_open_file(output->path);
    else if (output->kind == OUTPUT_JOURNAL)
        opened = open_journal(service, generation, &fell_back);
    else
        opened = dup_stderr();
    if (opened < 0)
        return sentence(reason, opened, "cannot open the output %s: %s",
                        output->kind == OUTPUT_FILE ? output->path : "stderr", strerror(-opened));
    *fd = opened;
    *fallback = fell_back;
    return 0;
}

/* Read the end of the file, at most `bytes` - 1 and nothing before `from`; NULs become '?'. */
static size_t read_end(const char *path, off_t from, char *out, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t length = 0;
    struct stat st;

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        off_t start = st.st_size < from ? 0 : from;
        if (st.st_size - start >= (off_t)bytes)
            start = st.st_size - (off_t)bytes + 1;
        length = pread(fd, out, bytes - 1, start);
    }
    close(fd);
    for (ssize_t i = 0; i < length; i++) {
        if (out[i] == '\0')
            out[i] = '?';
    }
    return length > 0 ? (size_t)length : 0;
}

/* Copy `line` escaped to the place that ends at out + *at, with a newline behind it unless it is the last.
 * False when it no longer fits. */
static bool prepend_line(const char *line, char *out, size_t *at)
{
    char escaped[LAST_WORDS_BYTES];
    size_t length = escape_text(line, "", escaped, sizeof escaped);
    bool last = *at == LAST_WORDS_BYTES - 1;

    if (length + !last > *at)
        return false;
    if (!last)
        out[--*at] = '\n';
    *at -= length;
    memcpy(out + *at, escaped, length);
    return true;
}

char *output_last_words(const struct config_output *output, long long from, unsigned lines)
{
    char text[LAST_WORDS_BYTES], words[LAST_WORDS_BYTES];
    size_t at = sizeof words - 1;

    if (output->kind != OUTPUT_FILE || from < 0)
        return NULL;
    size_t length = read_end(output->path, (off_t)from, text, sizeof text);
    words[at] = '\0';
    text[length] = '\0';
    while (lines > 0 && length > 0) { /* backwards, line by line */
        char *newline = memrchr(text, '\n', length);
        char *line = newline ? newline + 1 : text;

        line[strcspn(line, "\r\n")] = '\0';
        if (*line && !prepend_line(line, words, &at))
            break;
        lines -= *line != '\0';
        length = newline ? (size_t)(newline - text) : 0;
        text[length] = '\0';
    }
    return words[at] ? strdup(words + at) : NULL;
}

long long output_size(const struct config_output *output)
{
    struct stat st;

    if (output->kind != OUTPUT_FILE)
        return -1;
    if (stat(output->path, &st))
        return errno == ENOENT ? 0 : -1;
    return S_ISREG(st.st_mode) ? (long long)st.st_size : -1;
}
