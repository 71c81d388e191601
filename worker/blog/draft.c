#include "worker/blog/draft.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { TITLE_MAX = 300, AUTHOR_MAX = 100 };

static size_t characters(const char *utf8)
{
    size_t count = 0;

    for (; *utf8; utf8++)
        count += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return count;
}

static int refuse(char reason[BLOG_DRAFT_REASON_BYTES], const char *name, const char *rule)
{
    snprintf(reason, BLOG_DRAFT_REASON_BYTES, "\"%s\" %s", name, rule);
    return -EINVAL;
}

/* Take the string `name`. `fallback` is what it is when the client does not give it; NULL: it must. */
static int take_text(const json_t *document, const char *name, const char *fallback, const char **text,
                     char reason[BLOG_DRAFT_REASON_BYTES])
{
    const json_t *value = json_object_get(document, name);

    *text = value ? json_string_value(value) : fallback;
    if (!value && !fallback)
        return refuse(reason, name, "is missing");
    return *text ? 0 : refuse(reason, name, "must be a string");
}

/* In our own words: jansson's quote the text, which need not be UTF-8. */
static const char *what_is_wrong(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something follows the object";
    case json_error_invalid_utf8:
        return "this is not UTF-8";
    case json_error_duplicate_key:
        return "a member appears twice";
    case json_error_null_character:
        return "a string contains \\u0000";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_stack_overflow:
        return "it is nested too deeply";
    default:
        return "this is not valid";
    }
}

static int parse(struct blog_draft *draft, const char *text, size_t length,
                 char reason[BLOG_DRAFT_REASON_BYTES])
{
    json_error_t error;

    memset(draft, 0, sizeof *draft);
    draft->document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!draft->document) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return -ENOMEM;
        snprintf(reason, BLOG_DRAFT_REASON_BYTES, "malformed JSON in line %d, column %d: %s", error.line,
                 error.column, what_is_wrong(&error));
        return -EINVAL;
    }
    if (json_is_object(draft->document))
        return 0;
    snprintf(reason, BLOG_DRAFT_REASON_BYTES, "the body must be a JSON object");
    return -EINVAL;
}

static int take_id(struct blog_draft *draft, char reason[BLOG_DRAFT_REASON_BYTES])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
    const char *id;
    int error = take_text(draft->document, "id", "", &id, reason);

    if (error < 0 || !json_object_get(draft->document, "id"))
        return error;
    size_t length = strlen(id);
    bool is_path = !strcmp(id, ".") || !strcmp(id, ".."); /* these mean something else in a URL */
    if (length == 0 || length > BLOG_ID_MAX || strspn(id, allowed) != length || is_path)
        return refuse(reason, "id", "must have 1 to 64 letters, digits or - _ . ~");
    memcpy(draft->id, id, length + 1);
    return 0;
}

static int take_author(struct blog_draft *draft, char reason[BLOG_DRAFT_REASON_BYTES])
{
    int error = take_text(draft->document, "author", "anonymous", &draft->author, reason);

    if (error == 0 && (!*draft->author || characters(draft->author) > AUTHOR_MAX))
        return refuse(reason, "author", "must have 1 to 100 characters");
    return error;
}

static int take_article(struct blog_draft *draft, char reason[BLOG_DRAFT_REASON_BYTES])
{
    int error = take_id(draft, reason);

    if (error == 0)
        error = take_text(draft->document, "title", NULL, &draft->title, reason);
    if (error == 0 && (!*draft->title || characters(draft->title) > TITLE_MAX))
        error = refuse(reason, "title", "must have 1 to 300 characters");
    if (error == 0)
        error = take_text(draft->document, "body", NULL, &draft->body, reason);
    if (error == 0 && !*draft->body)
        error = refuse(reason, "body", "must not be empty");
    return error == 0 ? take_author(draft, reason) : error;
}

int blog_draft_article(struct blog_draft *draft, const char *text, size_t length,
                       char reason[BLOG_DRAFT_REASON_BYTES])
{
    int error = parse(draft, text, length, reason);

    if (error == 0)
        error = take_article(draft, reason);
    if (error < 0)
        blog_draft_free(draft);
    return error;
}

int blog_draft_comment(struct blog_draft *draft, const char *text, size_t length,
                       char reason[BLOG_DRAFT_REASON_BYTES])
{
    int error = parse(draft, text, length, reason);

    if (error == 0)
        error = take_text(draft->document, "body", NULL, &draft->body, reason);
    if (error == 0)
        error = take_author(draft, reason);
    if (error < 0)
        blog_draft_free(draft);
    return error;
}

int blog_draft_invent_id(struct blog_draft *draft)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t chance[16];

    if (getrandom(chance, sizeof chance, 0) != sizeof chance)
        return -errno;
    for (size_t i = 0; i < sizeof chance; i++)
        draft->id[i] = digits[chance[i] % 32];
    draft->id[sizeof chance] = '\0';
    return 0;
}

void blog_draft_free(struct blog_draft *draft)
{
    json_decref(draft->document);
    draft->document = NULL;
}
