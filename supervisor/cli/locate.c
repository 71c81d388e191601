#include "supervisor/cli/locate.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/instance.h"
#include "supervisor/core/config_words.h"

/* Runtime directories of running instances. */
struct found {
    char **directories; /* NULL-terminated; NULL: none */
    size_t count;
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Fill from `directory` (malloc'd, taken, or NULL: no memory) and `socket` (NULL: the usual one). */
static int set(struct location *location, char *directory, const char *socket)
{
    int bytes = -1;

    *location = (struct location){ .directory = directory };
    if (directory)
        location->name = strdup(last_part(directory));
    if (location->name)
        bytes = socket ? asprintf(&location->socket, "%s", socket)
                       : asprintf(&location->socket, "%s/control.sock", directory);
    if (bytes >= 0)
        return CLI_OK;
    location->socket = NULL;
    location_free(location);
    cli_error("%s", strerror(ENOMEM));
    return CLI_FAILURE;
}

static int locate_socket(const char *path, struct location *location)
{
    const char *slash = strrchr(path, '/');

    if (path[0] == '/')
        return set(location, strndup(path, (size_t)(slash - path)), path);
    cli_error("BATON_CONTROL is \"%s\": it must be the absolute path of a control socket", path);
    return CLI_USAGE;
}

/* In a base that a stranger made (below /tmp), a stranger would answer. */
static bool is_trusted(const char *base)
{
    struct stat status;

    return stat(base, &status) == 0 && S_ISDIR(status.st_mode) &&
           (status.st_uid == geteuid() || status.st_uid == 0);
}

static void look_at(const char *base, const char *name, struct found *found)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", base, name) < 0)
        return;
    char *one[] = { path, NULL };
    if (instance_running(path) && config_words_append(&found->directories, one) == 0)
        found->count++;
    free(path);
}

static void search(const char *base, struct found *found)
{
    DIR *list = is_trusted(base) ? opendir(base) : NULL;
    struct dirent *entry;

    while (list && (entry = readdir(list))) {
        if (entry->d_name[0] != '.')
            look_at(base, entry->d_name, found);
    }
    if (list)
        closedir(list);
}

static int compare(const void *a, const void *b)
{
    return strcmp(last_part(*(char *const *)a), last_part(*(char *const *)b));
}

/* "a, b, c" */
static void list_names(const struct found *found, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < found->count && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", i ? ", " : "",
                                 last_part(found->directories[i]));
}

static int tell_none(void)
{
    struct found roots = { 0 };
    char names[512];

    if (geteuid() != 0 && !getenv("BATON_RUNTIME_DIR"))
        search("/run/baton", &roots);
    list_names(&roots, names, sizeof names);
    config_words_free(roots.directories);
    if (roots.count)
        cli_error("no running baton of yours found, but root runs %s: use sudo, or set BATON_CONTROL", names);
    else
        cli_error("no running baton found; start one with: baton run FILE, or: baton run -- COMMAND");
    return CLI_FAILURE;
}

static int choose(const struct found *found, const char *name, struct location *location)
{
    char names[512];

    for (size_t i = 0; name && i < found->count; i++) {
        if (!strcmp(last_part(found->directories[i]), name))
            return set(location, strdup(found->directories[i]), NULL);
    }
    if (found->count == 0 && !name)
        return tell_none();
    if (found->count == 1 && !name)
        return set(location, strdup(found->directories[0]), NULL);
    list_names(found, names, sizeof names);
    if (!name)
        cli_error("several batons are running: %s. Choose one with --name", names);
    else if (found->count)
        cli_error("no running baton is named %s; running: %s", name, names);
    else
        cli_error("no running baton is named %s, nor any other", name);
    return name ? CLI_FAILURE : CLI_USAGE;
}

int locate(const char *name, struct location *location)
{
    const char *socket = getenv("BATON_CONTROL");
    struct found found = { 0 };

    if (!name && socket && *socket)
        return locate_socket(socket, location);
    char **bases = instance_bases();
    for (char **base = bases; base && *base; base++)
        search(*base, &found);
    config_words_free(bases);
    if (found.count)
        qsort(found.directories, found.count, sizeof *found.directories, compare);
    int result = choose(&found, name, location);
    config_words_free(found.directories);
    return result;
}

pid_t locate_running(const struct location *location)
{
    return instance_running(location->directory);
}

void location_free(struct location *location)
{
    free(location->directory);
    free(location->socket);
    free(location->name);
    *location = (struct location){ 0 };
}
