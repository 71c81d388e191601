/* The checks of `ready` and `verify`: auto | native | notify | none | http:/path[=status] | exec:COMMAND |
 * alive:DURATION. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config_value.h"
#include "supervisor/core/config_words.h"

static const char *const plain_names[] = {
    [CHECK_AUTO] = "auto",
    [CHECK_NATIVE] = "native",
    [CHECK_NOTIFY] = "notify",
    [CHECK_NONE] = "none",
};

/* The check a plain word means, if the key allows it. */
static bool find_plain(const struct config_key *key, const char *word, enum config_check_kind *kind)
{
    for (size_t i = 0; i < sizeof plain_names / sizeof *plain_names; i++) {
        if (!plain_names[i] || strcmp(word, plain_names[i]) != 0)
            continue;
        *kind = (enum config_check_kind)i;
        return (i == CHECK_NONE) == (key->kind == KIND_VERIFY);
    }
    return false;
}

/* "/path" or "/path=status". Digits behind the last '=' are a status. */
static int parse_http(char *path, struct config_check *check, char reason[CONFIG_REASON_BYTES])
{
    char *status = strrchr(path, '=');
    uint64_t number = 0;

    if (path[0] != '/')
        return config_value_refuse(reason, "behind http: stands a path: http:/healthz");
    if (path[1] == '/')
        return config_value_refuse(reason, "behind http: stands a path on this machine: http:/healthz");
    for (const char *p = path; *p; p++) {
        if (*p <= ' ' || *p > '~' || *p == '#')
            return config_value_refuse(reason, "a path is printable ASCII without blanks and without #");
    }
    if (status && status[1] && status[1 + strspn(status + 1, "0123456789")] == '\0') {
        if (!config_value_number(status + 1, 10, 599, &number) || number < 100)
            return config_value_refuse(reason, "behind the last = stands a status from 100 to 599");
        *status = '\0';
    }
    *check = (struct config_check){ .kind = CHECK_HTTP, .path = strdup(path), .status = (int)number };
    return check->path ? 0 : -ENOMEM;
}

static int parse_exec(const char *text, struct config_check *check, char reason[CONFIG_REASON_BYTES])
{
    const char *why;
    char **argv;
    int result = config_words_split(text, &argv, &why);

    if (result == CONFIG_WORDS_REFUSED)
        return config_value_refuse(reason, "%s", why);
    if (result < 0)
        return result;
    if (!argv[0] || !*argv[0]) {
        config_words_free(argv);
        return config_value_refuse(reason, "behind exec: stands a command");
    }
    *check = (struct config_check){ .kind = CHECK_EXEC, .argv = argv };
    return 0;
}

static int parse_alive(const char *text, struct config_check *check, char reason[CONFIG_REASON_BYTES])
{
    uint64_t ms;
    const char *why = config_parse_duration(text, &ms);

    if (why)
        return config_value_refuse(reason, "%s", why);
    if (ms == 0 || ms == CONFIG_INFINITE_MS)
        return config_value_refuse(reason, "behind alive: stands a time that begins and ends");
    *check = (struct config_check){ .kind = CHECK_ALIVE, .time_ms = ms };
    return 0;
}

static int parse_word(const struct config_key *key, char *word, struct config_check *check,
                      char reason[CONFIG_REASON_BYTES])
{
    enum config_check_kind kind;

    if (!strncmp(word, "http:", 5))
        return parse_http(word + 5, check, reason);
    if (!strncmp(word, "alive:", 6) && key->kind == KIND_READY)
        return parse_alive(word + 6, check, reason);
    if (!strncmp(word, "exec:", 5))
        return config_value_refuse(reason,
                                   "quote the command's words, not all of it: exec:COMMAND \"ONE WORD\"");
    if (!strcmp(word, "tcp") || !strcmp(word, "listen"))
        return config_value_refuse(reason, "not in this version");
    if (!find_plain(key, word, &kind))
        return config_value_refuse(reason, "no such check");
    *check = (struct config_check){ .kind = kind };
    return 0;
}

int config_check_parse(const struct config_key *key, const struct config_value *value,
                       struct config_check *check, char reason[CONFIG_REASON_BYTES])
{
    char *word;

    if (!strncmp(value->text, "exec:", 5))
        return parse_exec(value->text + 5, check, reason);
    int result = config_value_word(value, &word, reason);
    if (result)
        return result;
    result = parse_word(key, word, check, reason);
    free(word);
    return result;
}

void config_check_print(const struct config_check *check, FILE *to)
{
    char text[32];

    switch (check->kind) {
    case CHECK_HTTP:
        fputs("http:", to);
        config_words_quote(check->path, to);
        if (check->status)
            fprintf(to, "=%d", check->status);
        break;
    case CHECK_EXEC:
        fputs("exec:", to);
        for (char **word = check->argv; *word; word++) {
            if (word != check->argv)
                fputc(' ', to);
            config_words_quote(*word, to);
        }
        break;
    case CHECK_ALIVE:
        config_format_duration(check->time_ms, text);
        fprintf(to, "alive:%s", text);
        break;
    default:
        fputs(plain_names[check->kind], to);
    }
}
