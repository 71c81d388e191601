#include "supervisor/process/environment.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const private_prefixes[] = {
    "BATON_",          "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "LISTEN_PIDFDID=",   "NOTIFY_SOCKET=",
    "WATCHDOG_",       "MAINPID=",    "FDSTORE=",    "MANAGERPID=",     "SYSTEMD_EXEC_PID=", "INVOCATION_ID=",
    "JOURNAL_STREAM=",
};

static bool is_private(const char *element)
{
    for (size_t i = 0; i < sizeof private_prefixes / sizeof *private_prefixes; i++) {
        if (!strncmp(element, private_prefixes[i], strlen(private_prefixes[i])))
            return true;
    }
    return false;
}

/* Index of the element with the name that `element` begins with (up to '='), or count. */
static size_t find(const struct environment *environment, const char *element)
{
    size_t length = strcspn(element, "="), i;

    for (i = 0; i < environment->count; i++) {
        if (!strncmp(environment->list[i], element, length) && environment->list[i][length] == '=')
            break;
    }
    return i;
}

void environment_put(struct environment *environment, char *element)
{
    if (!element) {
        environment->error = -ENOMEM;
        return;
    }
    size_t i = find(environment, element);
    if (i < environment->count) {
        free(environment->list[i]);
        environment->list[i] = element;
        return;
    }
    char **list = realloc(environment->list, (environment->count + 2) * sizeof *list);
    if (!list) {
        free(element);
        environment->error = -ENOMEM;
        return;
    }
    list[environment->count++] = element;
    list[environment->count] = NULL;
    environment->list = list;
}

void environment_inherit(struct environment *environment, char *const *from)
{
    for (; *from; from++) {
        if (!is_private(*from) && strchr(*from, '='))
            environment_put(environment, strdup(*from));
    }
}

void environment_merge(struct environment *environment, char *const *from)
{
    for (; from && *from; from++)
        environment_put(environment, strdup(*from));
}

void environment_set(struct environment *environment, const char *name, const char *format, ...)
{
    va_list arguments;
    char *value = NULL, *element = NULL;

    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0)
        value = NULL;
    va_end(arguments);
    if (value && asprintf(&element, "%s=%s", name, value) < 0)
        element = NULL;
    free(value);
    environment_put(environment, element);
}

const char *environment_get(const struct environment *environment, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < environment->count; i++) {
        if (!strncmp(environment->list[i], name, length) && environment->list[i][length] == '=')
            return environment->list[i] + length + 1;
    }
    return NULL;
}

uint64_t environment_digest(char *const *list)
{
    uint64_t digest = 0;

    for (; list && *list; list++) {
        uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
        for (const char *c = *list; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
        digest += hash;
    }
    return digest;
}

void environment_free(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free(environment->list[i]);
    free(environment->list);
    *environment = (struct environment){ 0 };
}
