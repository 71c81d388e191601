#include "supervisor/core/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_words.h"

int config_value_refuse(char reason[CONFIG_REASON_BYTES], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, CONFIG_REASON_BYTES, format, arguments);
    va_end(arguments);
    return CONFIG_VALUE_REFUSED;
}

bool config_value_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool config_is_name(const char *text)
{
    const char *p = text;

    if (!config_value_is_letter(*p))
        return false;
    while (config_value_is_letter(*p) || *p == '.' || *p == '_' || *p == '-')
        p++;
    return !*p && p - text <= CONFIG_NAME_MAX;
}

void config_name_of(const char *path, char name[CONFIG_NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    size_t length = 0;

    for (const char *p = slash && slash[1] ? slash + 1 : path; *p && length < CONFIG_NAME_MAX; p++) {
        bool allowed = config_value_is_letter(*p) || (length && strchr("._-", *p));
        if (allowed || length)
            name[length++] = allowed ? *p : '-';
    }
    name[length] = '\0';
    if (length == 0)
        strcpy(name, "service");
}

bool config_value_number(const char *text, unsigned base, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (const char *p = text; *p; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (*p < '0' || digit >= base || digit > max || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    *number = value;
    return true;
}

static void print_number(const struct config_key *key, const void *field, FILE *to)
{
    if (key->kind == KIND_LARGE)
        fprintf(to, "%" PRIu64, *(const uint64_t *)field);
    else
        fprintf(to, key->kind == KIND_OCTAL ? "%04" PRIo32 : "%" PRIu32, *(const uint32_t *)field);
}

static void print_flag(const struct config_key *key, const void *field, FILE *to)
{
    (void)key;
    fputs(*(const bool *)field ? "yes" : "no", to);
}

static void print_duration(const struct config_key *key, const void *field, FILE *to)
{
    char text[32];

    (void)key;
    config_format_duration(*(const uint64_t *)field, text);
    fputs(text, to);
}

static void print_signal(const struct config_key *key, const void *field, FILE *to)
{
    const char *name = sigabbrev_np(*(const int *)field);

    (void)key;
    if (name)
        fputs(name, to);
    else
        fprintf(to, "%d", *(const int *)field);
}

static void print_string(const struct config_key *key, const void *field, FILE *to)
{
    (void)key;
    config_words_quote(*(char *const *)field, to);
}

static void print_address(const struct config_key *key, const void *field, FILE *to)
{
    char text[ADDRESS_TEXT_BYTES];

    (void)key;
    address_format(field, text);
    config_words_quote(text, to);
}

static void print_output(const struct config_key *key, const void *field, FILE *to)
{
    const struct config_output *output = field;

    (void)key;
    if (output->kind == OUTPUT_FILE)
        config_words_quote(output->path, to);
    else
        fputs(output->kind == OUTPUT_STDERR ? "stderr" : "journal", to);
}

static void print_drain(const struct config_key *key, const void *field, FILE *to)
{
    (void)key;
    fputs(*(const enum config_drain *)field == DRAIN_AUTO ? "auto" : "signal", to);
}

static void print_check(const struct config_key *key, const void *field, FILE *to)
{
    (void)key;
    config_check_print(field, to);
}

static void print_words(const struct config_key *key, const void *field, FILE *to)
{
    char *const *words = *(char **const *)field;

    (void)key;
    for (size_t i = 0; words[i]; i++) {
        if (i)
            fputc(' ', to);
        config_words_quote(words[i], to);
    }
}

/* How the values of a kind are held: what config_value_free() and config_value_is_unset() need. */
enum holder { HOLDS_PLAIN, HOLDS_STRING, HOLDS_WORDS, HOLDS_OUTPUT, HOLDS_CHECK };

static const struct kind {
    enum holder holder;
    void (*print)(const struct config_key *key, const void *field, FILE *to);
} kinds[] = {
    [KIND_ADDRESS] = { HOLDS_PLAIN, print_address }, [KIND_NUMBER] = { HOLDS_PLAIN, print_number },
    [KIND_LARGE] = { HOLDS_PLAIN, print_number },    [KIND_OCTAL] = { HOLDS_PLAIN, print_number },
    [KIND_FLAG] = { HOLDS_PLAIN, print_flag },       [KIND_DURATION] = { HOLDS_PLAIN, print_duration },
    [KIND_SIGNAL] = { HOLDS_PLAIN, print_signal },   [KIND_DRAIN] = { HOLDS_PLAIN, print_drain },
    [KIND_PATH] = { HOLDS_STRING, print_string },    [KIND_ACCOUNT] = { HOLDS_STRING, print_string },
    [KIND_OUTPUT] = { HOLDS_OUTPUT, print_output },  [KIND_NAMES] = { HOLDS_WORDS, print_words },
    [KIND_COMMAND] = { HOLDS_WORDS, print_words },   [KIND_ENVIRONMENT] = { HOLDS_WORDS, print_words },
    [KIND_PATTERNS] = { HOLDS_WORDS, print_words },  [KIND_READY] = { HOLDS_CHECK, print_check },
    [KIND_VERIFY] = { HOLDS_CHECK, print_check },
};

static int split(const struct config_value *value, char ***words, char reason[CONFIG_REASON_BYTES])
{
    const char *why;

    if (value->literal) {
        *words = config_words_copy((char *[]){ (char *)value->text, NULL });
        return *words ? 0 : -ENOMEM;
    }
    int result = config_words_split(value->text, words, &why);
    return result == CONFIG_WORDS_REFUSED ? config_value_refuse(reason, "%s", why) : result;
}

int config_value_word(const struct config_value *value, char **word, char reason[CONFIG_REASON_BYTES])
{
    char **words;
    int result = split(value, &words, reason);

    if (result)
        return result;
    if (!words[0])
        result = config_value_refuse(reason, "there is no value");
    else if (words[1])
        result = config_value_refuse(
            reason, "one word is wanted: quote what has blanks in it; a comment begins with ;");
    else
        result = (*word = strdup(words[0])) ? 0 : -ENOMEM;
    config_words_free(words);
    return result;
}

static int parse_words(const struct config_key *key, const struct config_value *value, char ***field,
                       char reason[CONFIG_REASON_BYTES])
{
    char **words;
    int result = split(value, &words, reason);

    if (result)
        return result;
    if (!words[0])
        result = config_value_refuse(reason, "there is no value");
    if (result == 0)
        result = config_list_check(key, *field, words, reason);
    if (result == 0)
        result = config_words_append(field, words);
    config_words_free(words);
    return result;
}

int config_value_parse(const struct config_key *key, const struct config_value *value, void *field,
                       char reason[CONFIG_REASON_BYTES])
{
    enum holder holder = kinds[key->kind].holder;
    char *word;

    if (holder == HOLDS_CHECK)
        return config_check_parse(key, value, field, reason);
    if (holder == HOLDS_WORDS)
        return parse_words(key, value, field, reason);
    int result = config_value_word(value, &word, reason);
    if (result)
        return result;
    result = config_scalar_parse(key, word, field, reason);
    free(word);
    return result;
}

bool config_value_is_unset(const struct config_key *key, const void *field)
{
    enum holder holder = kinds[key->kind].holder;

    return (holder == HOLDS_STRING || holder == HOLDS_WORDS) && !*(void *const *)field;
}

void config_value_print(const struct config_key *key, const void *field, FILE *to)
{
    kinds[key->kind].print(key, field, to);
}

static void free_check(struct config_check *check)
{
    free(check->path);
    config_words_free(check->argv);
    *check = (struct config_check){ 0 };
}

void config_value_free(const struct config_key *key, void *field)
{
    switch (kinds[key->kind].holder) {
    case HOLDS_STRING:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case HOLDS_WORDS:
        config_words_free(*(char ***)field);
        *(char ***)field = NULL;
        break;
    case HOLDS_OUTPUT:
        free(((struct config_output *)field)->path);
        *(struct config_output *)field = (struct config_output){ 0 };
        break;
    case HOLDS_CHECK:
        free_check(field);
        break;
    case HOLDS_PLAIN:
        break;
    }
}
