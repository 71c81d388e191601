/* Values of one word. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "supervisor/core/config_value.h"

static int parse_number(const struct config_key *key, const char *word, uint64_t *number,
                        char reason[CONFIG_REASON_BYTES])
{
    unsigned base = key->kind == KIND_OCTAL ? 8 : 10;

    if (!*word || word[strspn(word, base == 8 ? "01234567" : "0123456789")])
        return config_value_refuse(reason, "this is no %snumber", base == 8 ? "octal " : "");
    if (!config_value_number(word, base, key->max, number))
        return config_value_refuse(reason, "too large");
    return *number < key->min ? config_value_refuse(reason, "too small") : 0;
}

static int parse_uint32(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES])
{
    uint64_t number;
    int result = parse_number(key, word, &number, reason);

    if (result == 0)
        *(uint32_t *)field = (uint32_t)number;
    return result;
}

static int parse_uint64(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES])
{
    return parse_number(key, word, field, reason);
}

static int parse_flag(const struct config_key *key, const char *word, void *field,
                      char reason[CONFIG_REASON_BYTES])
{
    (void)key;
    if (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0)
        return config_value_refuse(reason, "neither yes nor no");
    *(bool *)field = word[0] == 'y';
    return 0;
}

static int parse_duration(const struct config_key *key, const char *word, void *field,
                          char reason[CONFIG_REASON_BYTES])
{
    uint64_t ms;
    const char *why = config_parse_duration(word, &ms);

    if (why)
        return config_value_refuse(reason, "%s", why);
    if (ms < key->min || ms > key->max)
        return config_value_refuse(reason, "too %s", ms < key->min ? "short" : "long");
    *(uint64_t *)field = ms;
    return 0;
}

static int find_signal(const char *word)
{
    uint64_t number;

    if (config_value_number(word, 10, 31, &number))
        return (int)number;
    if (!strncasecmp(word, "SIG", 3))
        word += 3;
    for (int signo = 1; signo <= 31; signo++) {
        const char *name = sigabbrev_np(signo);
        if (name && !strcasecmp(word, name))
            return signo;
    }
    return 0;
}

static int parse_signal(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES])
{
    int signo = find_signal(word);

    (void)key;
    if (signo == 0)
        return config_value_refuse(reason, "no such signal");
    if (signo == SIGKILL || signo == SIGSTOP)
        return config_value_refuse(reason, "no process can answer this signal");
    *(int *)field = signo;
    return 0;
}

static int set_string(char **field, const char *word)
{
    char *copy = strdup(word);

    if (!copy)
        return -ENOMEM;
    *field = copy;
    return 0;
}

static const char *wrong_path(const char *word)
{
    if (word[0] != '/')
        return "not an absolute path";
    return strlen(word) >= PATH_MAX ? "the path is too long" : NULL;
}

static int parse_path(const struct config_key *key, const char *word, void *field,
                      char reason[CONFIG_REASON_BYTES])
{
    const char *why = wrong_path(word);

    (void)key;
    return why ? config_value_refuse(reason, "%s", why) : set_string(field, word);
}

static int parse_account(const struct config_key *key, const char *word, void *field,
                         char reason[CONFIG_REASON_BYTES])
{
    uint64_t number;
    bool digits = word[strspn(word, "0123456789")] == '\0';

    (void)key;
    if (!*word || strlen(word) > 255 || strpbrk(word, ":/ \t\n"))
        return config_value_refuse(reason, "this cannot be an account");
    if (digits && !config_value_number(word, 10, UINT32_MAX - 1, &number))
        return config_value_refuse(reason, "too large");
    return set_string(field, word);
}

static int parse_address(const struct config_key *key, const char *word, void *field,
                         char reason[CONFIG_REASON_BYTES])
{
    const char *why = address_parse(word, field);

    (void)key;
    return why ? config_value_refuse(reason, "%s", why) : 0;
}

static int parse_output(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES])
{
    struct config_output *output = field;
    const char *why = wrong_path(word);

    (void)key;
    if (!strcmp(word, "stderr") || !strcmp(word, "journal")) {
        output->kind = word[0] == 's' ? OUTPUT_STDERR : OUTPUT_JOURNAL;
        return 0;
    }
    if (why)
        return config_value_refuse(reason, "%s", why);
    output->kind = OUTPUT_FILE;
    return set_string(&output->path, word);
}

static int parse_drain(const struct config_key *key, const char *word, void *field,
                       char reason[CONFIG_REASON_BYTES])
{
    (void)key;
    if (!strcmp(word, "connections"))
        return config_value_refuse(reason, "not in this version");
    if (strcmp(word, "auto") != 0 && strcmp(word, "signal") != 0)
        return config_value_refuse(reason, "neither auto nor signal");
    *(enum config_drain *)field = word[0] == 'a' ? DRAIN_AUTO : DRAIN_SIGNAL;
    return 0;
}

static int (*const parsers[])(const struct config_key *key, const char *word, void *field,
                              char reason[CONFIG_REASON_BYTES]) = {
    [KIND_ADDRESS] = parse_address, [KIND_NUMBER] = parse_uint32, [KIND_LARGE] = parse_uint64,
    [KIND_OCTAL] = parse_uint32,    [KIND_FLAG] = parse_flag,     [KIND_DURATION] = parse_duration,
    [KIND_SIGNAL] = parse_signal,   [KIND_PATH] = parse_path,     [KIND_ACCOUNT] = parse_account,
    [KIND_OUTPUT] = parse_output,   [KIND_DRAIN] = parse_drain,
};

int config_scalar_parse(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES])
{
    return parsers[key->kind](key, word, field, reason);
}
