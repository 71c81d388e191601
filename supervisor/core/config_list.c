/* Values that are lists of words. */
#include <string.h>

#include "supervisor/core/config_value.h"
#include "supervisor/core/config_words.h"

static int check_names(char *const *words, char reason[CONFIG_REASON_BYTES])
{
    for (size_t i = 0; words[i]; i++) {
        if (!config_is_name(words[i]))
            return config_value_refuse(reason, "\"%.80s\" cannot be the name of a listener", words[i]);
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(words[i], words[j]))
                return config_value_refuse(reason, "%s is named twice", words[i]);
        }
    }
    return 0;
}

static int check_command(char *const *words, char reason[CONFIG_REASON_BYTES])
{
    if (!words[0] || !*words[0])
        return config_value_refuse(reason, "the program is missing");
    return 0;
}

static int check_patterns(char *const *words, char reason[CONFIG_REASON_BYTES])
{
    for (size_t i = 0; words[i]; i++) {
        if (!*words[i])
            return config_value_refuse(reason, "a path cannot be empty");
    }
    return 0;
}

/* Bytes of the name in NAME=VALUE; 0: it is none. */
static size_t variable_name(const char *word)
{
    const char *p = word;

    if (*p >= '0' && *p <= '9')
        return 0;
    while (config_value_is_letter(*p) || *p == '_')
        p++;
    return *p == '=' ? (size_t)(p - word) : 0;
}

static bool is_ours(const char *word)
{
    static const char *const ours[] = { "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET=",
                                        "BATON_" };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (!strncmp(word, ours[i], strlen(ours[i])))
            return true;
    }
    return false;
}

static bool has_variable(char *const *words, size_t count, const char *word, size_t name_bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (!strncmp(words[i], word, name_bytes + 1))
            return true;
    }
    return false;
}

static int check_environment(char *const *old, char *const *words, char reason[CONFIG_REASON_BYTES])
{
    for (size_t i = 0; words[i]; i++) {
        size_t name_bytes = variable_name(words[i]);

        if (name_bytes == 0)
            return config_value_refuse(reason, "\"%.80s\" is not NAME=VALUE", words[i]);
        if (is_ours(words[i]))
            return config_value_refuse(reason, "baton itself sets %.*s", (int)name_bytes, words[i]);
        if (has_variable(words, i, words[i], name_bytes) ||
            has_variable(old, config_words_count(old), words[i], name_bytes))
            return config_value_refuse(reason, "%.*s is set twice", (int)name_bytes, words[i]);
    }
    return 0;
}

int config_list_check(const struct config_key *key, char *const *old, char *const *words,
                      char reason[CONFIG_REASON_BYTES])
{
    switch (key->kind) {
    case KIND_NAMES:
        return check_names(words, reason);
    case KIND_COMMAND:
        return check_command(words, reason);
    case KIND_ENVIRONMENT:
        return check_environment(old, words, reason);
    default:
        return check_patterns(words, reason);
    }
}
