#include "supervisor/core/config_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

/* One pass over a text. Comments and words are found by the same lexer, so they cannot disagree on what is
 * quoted. */
struct lexer {
    const char *next;
    char quote; /* 0, '\'', '"', or '$' inside $'…' */
    char byte;  /* of LEX_BYTE */
    const char *why;
};

enum token {
    LEX_END,
    LEX_BLANK,   /* between words */
    LEX_QUOTE,   /* opened or closed: there is a word, even an empty one */
    LEX_PLAIN,   /* an unquoted, unescaped byte of a word */
    LEX_BYTE,    /* any other byte of a word */
    LEX_REFUSED, /* `why` says it */
};

static enum token refuse(struct lexer *lexer, const char *why)
{
    lexer->why = why;
    return LEX_REFUSED;
}

static enum token give(struct lexer *lexer, enum token token, char byte, size_t consumed)
{
    lexer->byte = byte;
    lexer->next += consumed;
    return token;
}

static enum token switch_quote(struct lexer *lexer, char quote, size_t consumed)
{
    lexer->quote = quote;
    lexer->next += consumed;
    return LEX_QUOTE;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum token lex_dollar_escape(struct lexer *lexer)
{
    static const char names[] = "ntr\\'\"", bytes[] = "\n\t\r\\'\"";
    const char *p = lexer->next;
    const char *name = p[1] ? strchr(names, p[1]) : NULL;

    if (name)
        return give(lexer, LEX_BYTE, bytes[name - names], 2);
    int high = p[1] == 'x' ? hex_digit(p[2]) : -1;
    int low = high >= 0 ? hex_digit(p[3]) : -1;
    if (low < 0)
        return refuse(lexer, "inside $'…' a backslash stands before n, t, r, \\, ', \" or xHH");
    if (high == 0 && low == 0)
        return refuse(lexer, "a word cannot contain a NUL byte");
    return give(lexer, LEX_BYTE, (char)(high << 4 | low), 4);
}

static enum token lex_quoted(struct lexer *lexer)
{
    const char *p = lexer->next;

    if (!*p)
        return refuse(lexer, lexer->quote == '"' ? "a \" is not closed" : "a ' is not closed");
    if (*p == (lexer->quote == '"' ? '"' : '\''))
        return switch_quote(lexer, 0, 1);
    if (*p == '\\' && lexer->quote == '$')
        return lex_dollar_escape(lexer);
    if (*p == '\\' && lexer->quote == '"' && p[1] && strchr("\"\\$`", p[1]))
        return give(lexer, LEX_BYTE, p[1], 2);
    return give(lexer, LEX_BYTE, *p, 1);
}

static enum token lex(struct lexer *lexer)
{
    const char *p = lexer->next;

    if (lexer->quote)
        return lex_quoted(lexer);
    switch (*p) {
    case '\0':
        return LEX_END;
    case ' ':
    case '\t':
        return give(lexer, LEX_BLANK, *p, 1);
    case '\'':
    case '"':
        return switch_quote(lexer, *p, 1);
    case '\\':
        return p[1] ? give(lexer, LEX_BYTE, p[1], 2)
                    : refuse(lexer, "there is nothing behind the last backslash");
    case '$':
        if (p[1] == '\'')
            return switch_quote(lexer, '$', 2);
        break;
    }
    return give(lexer, LEX_PLAIN, *p, 1);
}

size_t config_words_comment(const char *text)
{
    struct lexer lexer = { .next = text };
    bool after_blank = false;
    enum token token;

    do {
        if (after_blank && !lexer.quote && *lexer.next == ';')
            break;
        token = lex(&lexer);
        after_blank = token == LEX_BLANK;
    } while (token != LEX_END && token != LEX_REFUSED);
    return token == LEX_REFUSED ? strlen(text) : (size_t)(lexer.next - text);
}

/* The words of one split: their bytes stand one after the other in `bytes`, NULs between them. */
struct split {
    char **words;
    char *bytes;
    size_t count, used, word_start;
    size_t plain; /* how many bytes of this word are LEX_PLAIN */
    bool in_word, quoted;
};

static bool is_operator(const char *word)
{
    size_t digits = strspn(word, "0123456789");

    return word[digits] && strchr(digits ? "<>" : "|&;<>", word[digits]);
}

static const char *end_word(struct split *split)
{
    char *word = split->bytes + split->word_start;

    if (!split->in_word)
        return NULL;
    split->bytes[split->used++] = '\0';
    if (!split->quoted && split->plain == strlen(word) && is_operator(word))
        return "no shell reads this: quote |, &, ;, < and >, or run a shell: sh -c \"…\"";
    split->words[split->count++] = word;
    split->in_word = split->quoted = false;
    split->plain = 0;
    split->word_start = split->used;
    return NULL;
}

static const char *split_words(const char *text, struct split *split)
{
    struct lexer lexer = { .next = text };

    for (;;) {
        enum token token = lex(&lexer);
        const char *why = token == LEX_BLANK || token == LEX_END ? end_word(split) : NULL;

        if (why || token == LEX_END)
            return why;
        if (token == LEX_REFUSED)
            return lexer.why;
        if (token == LEX_BLANK)
            continue;
        split->in_word = true;
        split->quoted |= token == LEX_QUOTE;
        split->plain += token == LEX_PLAIN;
        if (token != LEX_QUOTE)
            split->bytes[split->used++] = lexer.byte;
    }
}

int config_words_split(const char *text, char ***words, const char **why)
{
    size_t length = strlen(text);
    struct split split = { 0 };
    int result = -ENOMEM;

    split.bytes = malloc(length + 1); /* no word is longer than its text, the blank behind it is its NUL */
    split.words = calloc(length / 2 + 2, sizeof *split.words);
    if (split.bytes && split.words) {
        *why = split_words(text, &split);
        result = *why ? CONFIG_WORDS_REFUSED : 0;
    }
    if (result == 0 && !(*words = config_words_copy(split.words)))
        result = -ENOMEM;
    free(split.words);
    free(split.bytes);
    return result;
}

/* Whether a word can be written bare. */
static bool is_bare(const char *word)
{
    if (!*word)
        return false;
    for (const char *p = word; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        if (!letter && !strchr("_./:=@%+,-^~[]", *p))
            return false;
    }
    return true;
}

/* Whether '…' can hold it: text without a single quote. */
static bool is_text(const char *word)
{
    size_t step;

    for (const char *p = word; *p; p += step) {
        step = text_character_bytes(p);
        if (step == 0 || *p == '\'')
            return false;
    }
    return true;
}

static void quote_bytes(const char *word, FILE *to)
{
    size_t step;

    fputs("$'", to);
    for (const char *p = word; *p; p += step ? step : 1) {
        step = text_character_bytes(p);
        if (step == 0)
            fprintf(to, "\\x%02x", (unsigned)(unsigned char)*p);
        else if (*p == '\'' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else
            fwrite(p, 1, step, to);
    }
    fputc('\'', to);
}

void config_words_quote(const char *word, FILE *to)
{
    if (is_bare(word))
        fputs(word, to);
    else if (is_text(word))
        fprintf(to, "'%s'", word);
    else
        quote_bytes(word, to);
}

size_t config_words_count(char *const *words)
{
    size_t count = 0;

    while (words && words[count])
        count++;
    return count;
}

char **config_words_copy(char *const *words)
{
    char **copy = calloc(config_words_count(words) + 1, sizeof *copy);

    for (size_t i = 0; copy && words && words[i]; i++) {
        copy[i] = strdup(words[i]);
        if (!copy[i]) {
            config_words_free(copy);
            return NULL;
        }
    }
    return copy;
}

int config_words_append(char ***words, char *const *more)
{
    size_t old = config_words_count(*words), added = config_words_count(more);
    char **copy = config_words_copy(more);
    char **grown = copy ? realloc(*words, (old + added + 1) * sizeof *grown) : NULL;

    if (!grown) {
        config_words_free(copy);
        return -ENOMEM;
    }
    memcpy(grown + old, copy, (added + 1) * sizeof *grown);
    free(copy);
    *words = grown;
    return 0;
}

void config_words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}
