#include "supervisor/core/config_ini.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"
#include "supervisor/core/config_words.h"

/* What inih gets for every value and every section. */
static const char placeholder[] = ".";

/* inih's line buffer has 200 bytes. */
enum { KEY_MAX_BYTES = 64, SKELETON_MIN_BYTES = KEY_MAX_BYTES + 8 };

struct ini {
    const struct config_ini_handler *handler;
    void *arg;
    const char *next, *end; /* what is left to read */
    char *line;             /* a logical line: physical ones joined */
    size_t line_bytes;
    size_t last_join;  /* where its last physical line begins */
    int line_number;   /* of its first physical line */
    int lines_read;    /* physical ones */
    const char *value; /* of the line inih has now; NULL: it has no '=' */
    bool with_inih;    /* inih has a line that it has not called us back for */
    int result;
};

static void tell_wrong(struct ini *ini, const char *what)
{
    if (ini->result == 0)
        ini->result = ini->handler->wrong(ini->arg, ini->line_number, what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *text)
{
    while (is_blank(*text))
        text++;
    return text;
}

static void trim_end(char *text)
{
    size_t length = strlen(text);

    while (length && is_blank(text[length - 1]))
        length--;
    text[length] = '\0';
}

/* --- physical lines --- */

/* NULL, or why these `length` bytes (a NUL stands behind them) are no line of text. */
static const char *wrong_bytes(const char *bytes, size_t length)
{
    size_t step;

    for (const char *p = bytes; p < bytes + length; p += step) {
        step = *p == '\t' ? 1 : text_character_bytes(p);
        if (step)
            continue;
        if (*p == '\0')
            return "the line contains a NUL byte";
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "the line contains a control character; in $'…' it can be written as \\xHH";
        return "the line is not valid UTF-8";
    }
    return NULL;
}

enum ending { ENDS, GOES_ON, BLANKS_BEHIND };

/* An odd number of backslashes at the end: the last one is not escaped, the line goes on. */
static enum ending ending_of(const char *begin, const char *end)
{
    const char *visible = end;

    while (visible > begin && is_blank(visible[-1]))
        visible--;
    const char *p = visible;
    while (p > begin && p[-1] == '\\')
        p--;
    if ((visible - p) % 2 == 0)
        return ENDS;
    return visible == end ? GOES_ON : BLANKS_BEHIND;
}

/* Append the next physical line to the logical one. NULL, or what is wrong with it. */
static const char *take_physical(struct ini *ini, bool first, bool *goes_on)
{
    const char *begin = ini->next;
    const char *newline = memchr(begin, '\n', (size_t)(ini->end - begin));
    const char *end = newline ? newline : ini->end;

    ini->next = newline ? newline + 1 : ini->end;
    ini->lines_read++;
    if (end > begin && end[-1] == '\r')
        end--;
    enum ending ending = ending_of(begin, end);
    size_t length = (size_t)(end - begin) - (ending == GOES_ON);
    ini->last_join = ini->line_bytes;
    memcpy(ini->line + ini->line_bytes, begin, length);
    ini->line_bytes += length;
    ini->line[ini->line_bytes] = '\0';

    const char *text = skip_blanks(ini->line + ini->last_join);
    bool comment = *text == ';' || *text == '#';
    *goes_on = ending == GOES_ON && !(comment && first); /* a comment ends with its line */
    const char *wrong = wrong_bytes(ini->line + ini->last_join, length);
    if (!wrong && comment && !first)
        wrong = "a comment cannot stand inside a line that goes on";
    if (!wrong && !comment && ending == BLANKS_BEHIND)
        wrong = "blanks follow the backslash at the line's end";
    return wrong;
}

/* Join the next logical line into ini->line. False: there is none. */
static bool next_logical(struct ini *ini)
{
    const char *wrong = NULL;
    bool goes_on = true;

    if (ini->next == ini->end)
        return false;
    ini->line_bytes = 0;
    ini->line_number = ini->lines_read + 1;
    for (bool first = true; goes_on && ini->next != ini->end; first = false) {
        const char *why = take_physical(ini, first, &goes_on);
        if (!wrong)
            wrong = why;
    }
    if (!wrong && goes_on)
        wrong = "the last line ends in a backslash";
    if (wrong) {
        tell_wrong(ini, wrong);
        ini->line[0] = '\0';
    }
    return true;
}

/* --- logical lines --- */

static char *cut_comment(struct ini *ini, char *text)
{
    size_t length = config_words_comment(text);

    if (text[length] && text + length < ini->line + ini->last_join) {
        tell_wrong(ini, "a comment cannot stand inside a line that goes on");
        return NULL;
    }
    text[length] = '\0';
    trim_end(text);
    return text;
}

/* "[section] ; comment": what stands between the brackets, or NULL and it is told what is wrong. */
static char *cut_section(struct ini *ini, char *line)
{
    char *close = strchr(line, ']');

    if (!close) {
        tell_wrong(ini, "the ] is missing");
        return NULL;
    }
    char *rest = skip_blanks(close + 1);
    if (*rest && *rest != ';') {
        tell_wrong(ini, "there is something behind the ]");
        return NULL;
    }
    if (*rest && rest < ini->line + ini->last_join) {
        tell_wrong(ini, "a comment cannot stand inside a line that goes on");
        return NULL;
    }
    *close = '\0';
    trim_end(line);
    return skip_blanks(line + 1);
}

static void read_section(struct ini *ini, char *line, char *skeleton, size_t skeleton_bytes)
{
    const char *header = cut_section(ini, line);

    if (ini->result == 0)
        ini->result = ini->handler->section(ini->arg, ini->line_number, header);
    snprintf(skeleton, skeleton_bytes, "[%s]", placeholder);
}

/* "key = value ; comment": the value stays here. */
static bool read_key(struct ini *ini, char *line, char *skeleton, size_t skeleton_bytes)
{
    char *equals = strchr(line, '=');
    char *value = equals ? cut_comment(ini, equals + 1) : NULL;

    if (equals && !value)
        return false;
    if (equals) {
        *equals = '\0';
        trim_end(line);
        value = skip_blanks(value);
    }
    if (equals && strlen(line) > KEY_MAX_BYTES) {
        tell_wrong(ini, "no key is that long");
        return false;
    }
    ini->value = value;
    ini->with_inih = true;
    snprintf(skeleton, skeleton_bytes, "%.*s%s%s", KEY_MAX_BYTES, line, equals ? "=" : "",
             equals ? placeholder : "");
    return true;
}

static void check_answered(struct ini *ini)
{
    if (ini->with_inih)
        tell_wrong(ini, "neither [SECTION] nor KEY = VALUE");
    ini->with_inih = false;
}

/* inih asks for a line of at most `bytes`. */
static char *on_read(char *skeleton, int bytes, void *arg)
{
    struct ini *ini = arg;

    check_answered(ini);
    if (bytes < SKELETON_MIN_BYTES)
        ini->result = -EINVAL; /* an inih with a tiny buffer */
    while (ini->result == 0 && next_logical(ini)) {
        char *line = skip_blanks(ini->line);

        if (!*line || *line == ';' || *line == '#')
            continue;
        if (*line == '[')
            read_section(ini, line, skeleton, (size_t)bytes);
        else if (!read_key(ini, line, skeleton, (size_t)bytes))
            continue;
        return skeleton;
    }
    return NULL;
}

/* inih found a key in the skeleton. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
    struct ini *ini = arg;

    (void)section;
    if (!ini->with_inih || ini->result)
        return 0;
    if (!ini->value || strcmp(value, placeholder) != 0)
        return 0; /* inih also takes "key: value"; we do not: told by check_answered() */
    ini->with_inih = false;
    if (!*key)
        tell_wrong(ini, "there is no key before the =");
    else
        ini->result = ini->handler->key(ini->arg, ini->line_number, key, ini->value);
    return 1;
}

int config_ini_read(const char *bytes, size_t length, const struct config_ini_handler *handler, void *arg)
{
    static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark some editors write */
    size_t skip = length >= 3 && !memcmp(bytes, mark, 3) ? 3 : 0;
    struct ini ini = { .handler = handler, .arg = arg, .next = bytes + skip, .end = bytes + length };

    ini.line = malloc(length + 1);
    if (!ini.line)
        return -ENOMEM;
    ini_parse_stream(on_read, &ini, on_key, &ini);
    check_answered(&ini);
    free(ini.line);
    return ini.result;
}
