#include "supervisor/prose.h"

#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

void prose_clean(char *text)
{
    while (*text) {
        size_t bytes = text_character_bytes(text);

        if (bytes == 0 && *text != '\n' && *text != '\t')
            *text = '?';
        text += bytes ? bytes : 1;
    }
}

void prose_cut(char *text, size_t bytes)
{
    static const char ellipsis[] = "…";
    size_t end = bytes - strlen(ellipsis);

    if (strlen(text) <= bytes)
        return;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, ellipsis, sizeof ellipsis);
}

size_t prose_columns(const char *text)
{
    size_t columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

void prose_print(const char *text, size_t indent, FILE *to)
{
    char *clean = strdup(text), *rest = clean, *line;

    if (clean)
        prose_clean(clean);
    line = strsep(&rest, "\n");
    fprintf(to, "%s\n", line ? line : "");
    while ((line = strsep(&rest, "\n"))) {
        if (*line)
            fprintf(to, "%*s%s\n", (int)indent, "", line);
    }
    free(clean);
}

char *prose_format(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        return NULL;
    prose_clean(text);
    return text;
}
