#include "supervisor/cli/instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/core/config_words.h"
#include "supervisor/core/sentence.h"

/* An environment variable that names a directory; relative ones are ignored, as the XDG rules ask. */
static const char *directory_variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

char **instance_bases(void)
{
    const char *given = directory_variable("BATON_RUNTIME_DIR"),
               *runtime = directory_variable("XDG_RUNTIME_DIR");
    char session[4096], fallback[64];
    char *bases[3] = { NULL };

    snprintf(session, sizeof session, "%s/baton", runtime ? runtime : "");
    snprintf(fallback, sizeof fallback, "/tmp/baton-%lu", (unsigned long)geteuid());
    if (given) {
        bases[0] = (char *)given;
    } else if (geteuid() == 0) {
        bases[0] = (char *)"/run/baton";
    } else if (runtime) {
        bases[0] = session;
        bases[1] = fallback;
    } else {
        bases[0] = fallback;
    }
    return config_words_copy(bases);
}

/* --- directories --- */

/* Make what is missing of the parents of `path`. */
static void make_parents(const char *path)
{
    char *copy = strdup(path);

    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0755); /* when it fails, the last one will say why */
        *slash = '/';
    }
    free(copy);
}

/* NULL, or why a directory cannot hold what only we may change. */
static const char *wrong_owner(const struct stat *status)
{
    if (!S_ISDIR(status->st_mode))
        return "it is not a directory";
    if (status->st_uid != geteuid())
        return "it belongs to another user";
    return status->st_mode & (S_IWGRP | S_IWOTH) ? "others may write to it" : NULL;
}

/* NULL, or why a directory that somebody chose cannot hold such directories: others could swap them. */
static const char *wrong_base(const struct stat *status)
{
    if (!S_ISDIR(status->st_mode))
        return "it is not a directory";
    if (status->st_uid != geteuid() && status->st_uid != 0)
        return "it belongs to another user";
    return status->st_mode & S_IWOTH && !(status->st_mode & S_ISVTX) ? "everybody may write to it" : NULL;
}

static int make_directory(const char *path, mode_t mode, bool base, char **reason)
{
    struct stat status;

    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return sentence(reason, -errno, "cannot make the directory %s: %s", path, strerror(errno));
    if ((base ? stat(path, &status) : lstat(path, &status)) < 0)
        return sentence(reason, -errno, "cannot use the directory %s: %s", path, strerror(errno));
    const char *why = base ? wrong_base(&status) : wrong_owner(&status);
    return why ? sentence(reason, -EPERM, "cannot use the directory %s: %s", path, why) : 0;
}

/* BASE/NAME; *directory is written on success. */
static int make_below(const char *base, const char *name, char **directory, char **reason)
{
    mode_t mode = geteuid() == 0 ? 0755 : 0700;
    bool in_tmp = !strncmp(base, "/tmp/", 5) && !strchr(base + 5, '/'); /* a stranger may have been faster */
    char *path;

    make_parents(base);
    int result = make_directory(base, mode, !in_tmp, reason);
    if (result)
        return result;
    if (asprintf(&path, "%s/%s", base, name) < 0)
        return sentence(reason, -ENOMEM, "out of memory");
    result = make_directory(path, mode, false, reason);
    if (result)
        free(path);
    else
        *directory = path;
    return result;
}

int instance_make_runtime(const char *name, char **directory, char **reason)
{
    char **bases = instance_bases();

    if (!bases)
        return sentence(reason, -ENOMEM, "out of memory");
    int result = make_below(bases[0], name, directory, reason);
    config_words_free(bases);
    return result;
}

/* Where state goes when nothing is configured; malloc'd, NULL: there is no home. */
static char *default_state_base(void)
{
    const char *state = directory_variable("XDG_STATE_HOME"), *home = directory_variable("HOME");
    char *base = NULL;

    if (geteuid() == 0)
        return strdup("/var/lib/baton");
    if (state && asprintf(&base, "%s/baton", state) >= 0)
        return base;
    if (!state && home && asprintf(&base, "%s/.local/state/baton", home) >= 0)
        return base;
    return NULL;
}

int instance_make_state(const char *name, const char *configured, char **directory, char **reason)
{
    char *base = configured ? strdup(configured) : default_state_base();

    if (!base)
        return sentence(reason, -ENOENT, "there is no place for the state: set state_dir, or HOME");
    int result = make_below(base, name, directory, reason);
    free(base);
    return result;
}

/* A link says it best, to people as well. */
static char *state_link(const char *runtime)
{
    char *path;

    return asprintf(&path, "%s/state", runtime) < 0 ? NULL : path;
}

int instance_remember_state(const char *runtime, const char *state, char **reason)
{
    char *path = state_link(runtime);
    int result = 0;

    if (!path)
        return sentence(reason, -ENOMEM, "out of memory");
    if ((unlink(path) < 0 && errno != ENOENT) || symlink(state, path) < 0)
        result = sentence(reason, -errno, "cannot make the link %s: %s", path, strerror(errno));
    free(path);
    return result;
}

int instance_recall_state(const char *runtime, char **state, char **reason)
{
    char *path = state_link(runtime), target[4096];

    if (!path)
        return sentence(reason, -ENOMEM, "out of memory");
    ssize_t length = readlink(path, target, sizeof target - 1);
    int result =
        length < 0 ? sentence(reason, -errno, "cannot read the link %s: %s", path, strerror(errno)) : 0;
    free(path);
    if (result)
        return result;
    target[length] = '\0';
    *state = strdup(target);
    return *state ? 0 : sentence(reason, -ENOMEM, "out of memory");
}
