#include "supervisor/process/release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"
#include "supervisor/process/command.h"
#include "supervisor/process/environment_file.h"
#include "supervisor/process/program.h"
#include "supervisor/process/spawn.h"

static int resolve_directory(struct release *release, const char *directory, char **reason)
{
    struct stat st;
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return sentence(reason, -errno, "working directory %s: %s", directory, strerror(errno));
    if (fstat(fd, &st) == 0)
        release->directory = command_path_of(fd);
    int error = release->directory ? 0 : -errno;
    close(fd);
    if (error)
        return sentence(reason, error, "working directory %s: %s", directory, strerror(-error));
    release->directory_device = st.st_dev;
    release->directory_inode = st.st_ino;
    return 0;
}

static int resolve_environment(struct release *release, const struct config_service *service, char **reason)
{
    struct environment environment = { 0 };
    int error = 0;

    environment_merge(&environment, service->environment);
    if (service->environment_file)
        error = environment_file_read(&environment, service->environment_file, reason);
    if (error == 0 && !environment.list)
        environment.list = calloc(1, sizeof *environment.list);
    if (error == 0 && (environment.error || !environment.list))
        error = sentence(reason, -ENOMEM, "out of memory");
    if (error) {
        environment_free(&environment);
        return error;
    }
    release->environment = environment.list;
    release->environment_digest = environment_digest(environment.list);
    return 0;
}

/* Room for the executable and one file per argument. */
static int copy_arguments(struct release *release, char *const *command)
{
    size_t count = 0;

    while (command[count])
        count++;
    release->argv = calloc(count + 1, sizeof *release->argv);
    release->files = calloc(count, sizeof *release->files);
    for (size_t i = 0; release->argv && i < count; i++) {
        release->argv[i] = strdup(command[i]);
        if (!release->argv[i])
            return -ENOMEM;
    }
    return release->argv && release->files ? 0 : -ENOMEM;
}

static int resolve_executable(struct release *release, char **reason)
{
    struct program program;
    struct stat st;
    char *path;
    int fd;
    int error = command_find(release->argv[0], command_search_path(release->environment), release->directory,
                             &fd, &path, reason);

    if (error)
        return error;
    error = fstat(fd, &st) ? sentence(reason, -errno, "%s: %s", path, strerror(errno))
                           : program_inspect(fd, path, release->directory, &program, reason);
    if (error) {
        free(path);
        close(fd);
        return error;
    }
    release_file_set(&release->files[release->file_count++], &st, path, 0);
    release->script = program.script;
    release->interpreter = program.interpreter;
    release->build_id = program.build_id;
    if (release->script)
        close(fd);
    else
        release->executable = fd;
    return 0;
}

static int open_argument(const struct release *release, const char *argument)
{
    int directory = open(release->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return -1;
    int fd = openat(directory, argument, O_PATH | O_CLOEXEC);
    close(directory);
    return fd;
}

static int record_argument(struct release *release, int index, const struct spawn_user *user)
{
    struct stat st;
    char *path = NULL;
    int error = 0;
    int fd = *release->argv[index] ? open_argument(release, release->argv[index]) : -1;

    if (fd < 0)
        return 0; /* not a file: an option, a number, … */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        path = command_path_of(fd);
        error = path ? 0 : -ENOMEM;
        if (path && release_file_belongs(fd, &st, path, user))
            release_file_set(&release->files[release->file_count++], &st, path, index);
        else
            free(path);
    }
    close(fd);
    return error;
}

static int record_arguments(struct release *release, const struct config_service *service)
{
    struct spawn_user user = { 0 };
    const char *what;
    int error = spawn_user_resolve(service->user, service->group, &user, &what);

    if (error) /* the start will say so; here it only decides what is data */
        user = (struct spawn_user){ 0 };
    error = 0;
    for (int i = 1; error == 0 && release->argv[i]; i++)
        error = record_argument(release, i, &user);
    spawn_user_free(&user);
    return error;
}

static int resolve(struct release *release, const struct config_service *service, const char *baton_directory,
                   char **reason)
{
    int error = resolve_directory(release, service->directory ? service->directory : baton_directory, reason);

    if (error == 0)
        error = resolve_environment(release, service, reason);
    if (error == 0 && copy_arguments(release, service->command))
        error = sentence(reason, -ENOMEM, "out of memory");
    if (error == 0)
        error = resolve_executable(release, reason);
    if (error == 0 && record_arguments(release, service))
        error = sentence(reason, -ENOMEM, "out of memory");
    return error;
}

int release_resolve(const struct config_service *service, const char *baton_directory, struct release **out,
                    char **reason)
{
    struct release *release = calloc(1, sizeof *release);

    if (!release)
        return sentence(reason, -ENOMEM, "out of memory");
    release->executable = -1;
    int error = resolve(release, service, baton_directory, reason);
    if (error) {
        release_free(release);
        return error;
    }
    *out = release;
    return 0;
}

static int verify_directory(const struct release *release, char **reason)
{
    struct stat st;

    if (stat(release->directory, &st))
        return sentence(reason, -ESTALE, "working directory %s: %s", release->directory, strerror(errno));
    if (st.st_dev != release->directory_device || st.st_ino != release->directory_inode)
        return sentence(reason, -ESTALE, "working directory %s was replaced since", release->directory);
    return 0;
}

static int verify_executable(const struct release *release, char **reason)
{
    const struct release_file *file = &release->files[0];
    struct stat st;

    if (release->executable < 0)
        return release_file_verify(file, reason);
    if (fstat(release->executable, &st))
        return sentence(reason, -ESTALE, "%s: %s", file->path, strerror(errno));
    if (!release_file_is(file, &st))
        return sentence(reason, -ESTALE, "%s was overwritten in place since", file->path);
    return 0;
}

int release_verify(const struct release *release, char **reason)
{
    int error = verify_directory(release, reason);

    if (error == 0)
        error = verify_executable(release, reason);
    for (size_t i = 1; error == 0 && i < release->file_count; i++)
        error = release_file_verify(&release->files[i], reason);
    return error;
}

/* Whether the argument still leads to the file that was recorded for it. */
static bool leads_to(const struct release *release, const struct release_file *file)
{
    struct stat st;
    int fd = open_argument(release, release->argv[file->argument]);
    bool same = fd >= 0 && !fstat(fd, &st) && st.st_dev == file->device && st.st_ino == file->inode;

    if (fd >= 0)
        close(fd);
    return same;
}

char **release_argv(const struct release *release)
{
    size_t count = 0;

    while (release->argv[count])
        count++;
    char **argv = calloc(count + 1, sizeof *argv);
    if (!argv)
        return NULL;
    memcpy(argv, release->argv, count * sizeof *argv);
    for (size_t i = 1; i < release->file_count; i++) {
        const struct release_file *file = &release->files[i];
        if (!leads_to(release, file))
            argv[file->argument] = file->path;
    }
    return argv;
}

/* The part of `path` behind "/releases/", else its last one; `bytes` long. */
static const char *telling_name(const char *path, int *bytes)
{
    static const char mark[] = "/releases/";
    const char *behind = strstr(path, mark);
    const char *name = behind ? behind + sizeof mark - 1 : strrchr(path, '/') + 1;

    *bytes = (int)strcspn(name, "/");
    return name;
}

char *release_label(const struct release *release)
{
    const struct release_file *file = &release->files[release->file_count > 1];
    time_t modified = (time_t)(file->mtime_ns / 1000000000);
    char when[32] = "", *label;
    struct tm local;
    int bytes;
    const char *name = telling_name(file->path, &bytes);

    if (release->build_id && release->file_count == 1)
        return asprintf(&label, "%.*s (build %.8s)", bytes, name, release->build_id) < 0 ? NULL : label;
    if (localtime_r(&modified, &local))
        strftime(when, sizeof when, "%Y-%m-%d %H:%M", &local);
    return asprintf(&label, "%.*s (%s)", bytes, name, when) < 0 ? NULL : label;
}

static bool same_arguments(char *const *a, char *const *b)
{
    while (*a && *b && !strcmp(*a, *b))
        a++, b++;
    return !*a && !*b;
}

bool release_equal(const struct release *a, const struct release *b)
{
    if (strcmp(a->directory, b->directory) || a->directory_device != b->directory_device ||
        a->directory_inode != b->directory_inode || a->environment_digest != b->environment_digest ||
        a->file_count != b->file_count || !same_arguments(a->argv, b->argv))
        return false;
    for (size_t i = 0; i < a->file_count; i++) {
        if (!release_file_equal(&a->files[i], &b->files[i]))
            return false;
    }
    return true;
}

static void free_list(char **list)
{
    for (char **element = list; element && *element; element++)
        free(*element);
    free(list);
}

void release_free(struct release *release)
{
    if (!release)
        return;
    if (release->executable >= 0)
        close(release->executable);
    for (size_t i = 0; i < release->file_count; i++)
        free(release->files[i].path);
    free(release->files);
    free_list(release->argv);
    free_list(release->environment);
    free(release->interpreter);
    free(release->build_id);
    free(release->directory);
    free(release);
}
