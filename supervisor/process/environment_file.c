#include "supervisor/process/environment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static const char form[] = "a line is NAME=VALUE (a name has letters, digits and _, and no digit first)";

/* Where a parser stands. */
struct reader {
    const char *at, *end;
    unsigned line;
    char *value; /* what has been read of the current value; as large as the file */
    size_t value_bytes;
};

static bool is_name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Bytes of the name that `text` begins with; 0 when there is none or no '=' behind it. */
static size_t name_bytes(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && is_name_byte(*at, at == text))
        at++;
    return at < end && *at == '=' ? (size_t)(at - text) : 0;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void keep(struct reader *reader, char c)
{
    reader->value[reader->value_bytes++] = c;
}

/* Behind a backslash: the next character as it is, an escaped line end vanishes. In double quotes only some
 * need it; before others the backslash stays. */
static void read_escaped(struct reader *reader, bool quoted)
{
    if (reader->at == reader->end)
        return;
    char c = *reader->at++;
    if (c == '\r' && reader->at < reader->end && *reader->at == '\n')
        c = *reader->at++;
    if (is_line_end(c)) {
        reader->line++;
        return;
    }
    if (quoted && !strchr("\"\\`$", c))
        keep(reader, '\\');
    keep(reader, c);
}

static bool read_quoted(struct reader *reader)
{
    char quote = *reader->at++;

    while (reader->at < reader->end) {
        char c = *reader->at++;
        if (c == quote)
            return true;
        reader->line += c == '\n';
        if (c == '\\' && quote == '"')
            read_escaped(reader, true);
        else
            keep(reader, c);
    }
    return false;
}

/* The value up to the end of its line. Quotes count where it begins and right behind another quoted part. */
static bool read_value(struct reader *reader)
{
    size_t needed = 0; /* bytes up to the last that is no trailing blank */
    bool fresh = true;

    for (reader->value_bytes = 0; reader->at < reader->end && !is_line_end(*reader->at);) {
        char c = *reader->at;
        if (fresh && (c == '"' || c == '\'')) {
            if (!read_quoted(reader))
                return false;
            needed = reader->value_bytes;
            continue;
        }
        reader->at++;
        if (fresh && is_blank(c))
            continue;
        fresh = false;
        if (c == '\\')
            read_escaped(reader, false);
        else
            keep(reader, c);
        if (!is_blank(c))
            needed = reader->value_bytes;
    }
    reader->value_bytes = needed;
    return true;
}

/* Go to the first character that is no blank, line end or comment. False at the end of the file. */
static bool skip_to_entry(struct reader *reader)
{
    for (bool comment = false; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (is_line_end(c)) {
            comment = false;
            reader->line += c == '\n';
        } else if (!comment && (c == '#' || c == ';')) {
            comment = true;
        } else if (!comment && !is_blank(c)) {
            return true;
        }
    }
    return false;
}

static void put_value(struct environment *environment, const char *name, size_t name_length,
                      const struct reader *reader)
{
    char *entry = malloc(name_length + 1 + reader->value_bytes + 1);

    if (entry) {
        memcpy(entry, name, name_length + 1);
        memcpy(entry + name_length + 1, reader->value, reader->value_bytes);
        entry[name_length + 1 + reader->value_bytes] = '\0';
    }
    environment_put(environment, entry);
}

static int parse_entries(struct environment *environment, struct reader *reader, const char **wrong)
{
    while (skip_to_entry(reader)) {
        const char *name = reader->at;
        size_t length = name_bytes(name, reader->end);
        unsigned begun = reader->line;

        *wrong = form;
        if (length == 0)
            return -EINVAL;
        reader->at += length + 1;
        if (!read_value(reader)) {
            reader->line = begun;
            *wrong = "the quote that begins here has no end";
            return -EINVAL;
        }
        put_value(environment, name, length, reader);
    }
    return environment->error;
}

int environment_file_parse(struct environment *environment, const char *bytes, size_t length, unsigned *line,
                           const char **wrong)
{
    struct reader reader = { .at = bytes, .end = bytes + length, .line = 1 };
    const char *nul = memchr(bytes, '\0', length);
    int error;

    if (nul) {
        for (*line = 1; bytes < nul; bytes++)
            *line += *bytes == '\n';
        *wrong = "the file has a NUL byte";
        return -EINVAL;
    }
    if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) /* some editors' byte order mark */
        reader.at += 3;
    reader.value = malloc(length + 1);
    if (!reader.value)
        return -ENOMEM;
    error = parse_entries(environment, &reader, wrong);
    *line = reader.line;
    free(reader.value);
    return error;
}

/* All of a regular file, a NUL behind it; malloc'd. -EINVAL: not a regular file. */
static int read_whole(int fd, size_t bytes_max, char **bytes, size_t *length)
{
    struct stat st;

    if (fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if ((uint64_t)st.st_size > bytes_max)
        return -EFBIG;
    char *content = malloc((size_t)st.st_size + 1);
    if (!content)
        return -ENOMEM;
    ssize_t got = pread(fd, content, (size_t)st.st_size, 0);
    if (got < 0) {
        int error = -errno;
        free(content);
        return error;
    }
    content[got] = '\0';
    *bytes = content;
    *length = (size_t)got;
    return 0;
}

int environment_file_read(struct environment *environment, const char *path, char **reason)
{
    const char *wrong = "out of memory";
    unsigned line = 0;
    size_t length = 0;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return sentence(reason, -errno, "environment file %s: %s", path, strerror(errno));
    int error = read_whole(fd, FILE_BYTES_MAX, &bytes, &length);
    close(fd);
    if (error)
        return sentence(reason, error, "environment file %s: %s", path,
                        error == -EINVAL ? "not a regular file" : strerror(-error));
    error = environment_file_parse(environment, bytes, length, &line, &wrong);
    explicit_bzero(bytes, length); /* there are secrets in such files */
    free(bytes);
    return error ? sentence(reason, error, "environment file %s:%u: %s", path, line, wrong) : 0;
}
