#include "worker/blog/review.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { CHARACTERS_MAX = 5000, LINKS_MAX = 2 };

static const char *const blocked_words[] = { "casino", "jackpot", "lottery", "payday", "viagra" };

static size_t characters(const char *utf8)
{
    size_t count = 0;

    for (; *utf8; utf8++)
        count += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return count;
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strcasestr(text, part)); text += strlen(part))
        count++;
    return count;
}

static size_t links(const char *text)
{
    size_t twice = occurrences(text, "://www."); /* counted by its scheme and by its host */

    return occurrences(text, "http://") + occurrences(text, "https://") + occurrences(text, "www.") - twice;
}

static bool is_letter(char byte)
{
    return isalnum((unsigned char)byte) || (unsigned char)byte >= 0x80;
}

static bool contains_word(const char *text, const char *word)
{
    for (const char *at = text; (at = strcasestr(at, word)); at++) {
        bool begins = at == text || !is_letter(at[-1]);

        if (begins && !is_letter(at[strlen(word)]))
            return true;
    }
    return false;
}

const char *blog_review(const char *body)
{
    if (body[strspn(body, " \t\r\n\v\f")] == '\0')
        return "the comment is empty";
    if (characters(body) > CHARACTERS_MAX)
        return "the comment has more than 5000 characters";
    if (links(body) > LINKS_MAX)
        return "the comment has more than 2 links";
    for (size_t i = 0; i < sizeof blocked_words / sizeof *blocked_words; i++) {
        if (contains_word(body, blocked_words[i]))
            return "the comment contains a blocked word";
    }
    return NULL;
}
