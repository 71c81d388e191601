#include "supervisor/cli/preflight.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/core/config_words.h"
#include "supervisor/process/environment_file.h"
#include "supervisor/process/release.h"
#include "supervisor/process/spawn.h"

/* One section that is looked at. */
struct view {
    struct preflight *out;
    const char *kind, *name;
    const struct config_where *where;
    int result;
};

static void say(struct view *view, char ***list, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct view *view, char ***list, const char *format, ...)
{
    char *what, *line, place[16] = "";
    va_list arguments;

    va_start(arguments, format);
    int bytes = view->result ? -1 : vasprintf(&what, format, arguments);
    va_end(arguments);
    if (bytes < 0) {
        view->result = -ENOMEM; /* now, or before */
        return;
    }
    if (view->where->line > 0)
        snprintf(place, sizeof place, ":%d", view->where->line);
    bytes = asprintf(&line, "%s%s: [%s %s]: %s", view->where->file, place, view->kind, view->name, what);
    free(what);
    if (bytes < 0) {
        view->result = -ENOMEM;
        return;
    }
    view->result = config_words_append(list, (char *[]){ line, NULL });
    free(line);
}

/* An account that does not exist is wrong; one that we may not become is for root to see. */
static void look_at_user(struct view *view, const struct config_service *service)
{
    struct spawn_user user = { 0 };
    const char *what = "user";
    int error = spawn_user_resolve(service->user, service->group, &user, &what);

    if (error == -ENOENT)
        say(view, &view->out->errors, "there is no %s %s", what,
            !strcmp(what, "group") ? service->group : service->user);
    else if (error == -EPERM)
        say(view, &view->out->notes, "only root can start it as another user or group");
    else if (error)
        say(view, &view->out->errors, "%s: %s", what, strerror(-error));
    spawn_user_free(&user);
}

/* A failure of `error` with its sentence, which is freed. */
static void say_failure(struct view *view, int error, const char *prefix, char *reason)
{
    const char *what = reason ? reason : strerror(-error);

    if (error == -ENOMEM)
        view->result = error;
    else if (error == -EACCES && geteuid() != 0) /* baton itself may run as somebody else */
        say(view, &view->out->notes, "%s%s", prefix, what);
    else if (error)
        say(view, &view->out->errors, "%s%s", prefix, what);
    free(reason);
}

/* The program and the working directory, with the PATH that the service will have. */
static void look_at_program(struct view *view, const struct config_service *service, const char *prefix)
{
    struct release *release = NULL;
    char *reason = NULL, *here = getcwd(NULL, 0);
    int error = release_resolve(service, here ? here : "/", &release, &reason);

    say_failure(view, error, prefix, reason);
    release_free(release);
    free(here);
}

static void look_at_release(struct view *view, const struct config_service *service)
{
    struct config_service looked_at = *service;
    struct environment environment = { 0 };
    char *reason = NULL;
    int error = service->environment_file
                    ? environment_file_read(&environment, service->environment_file, &reason)
                    : 0;

    say_failure(view, error, "", reason);
    if (error)
        looked_at.environment_file = NULL; /* one mistake is told once, and the rest is looked at */
    look_at_program(view, &looked_at, "");
    environment_free(&environment);
}

/* The command of exec:, which is started like the service itself. */
static void look_at_check(struct view *view, const struct config_service *service,
                          const struct config_check *check, const char *prefix)
{
    struct config_service command = { .command = check->argv, .directory = service->directory };

    if (check->kind == CHECK_EXEC)
        look_at_program(view, &command, prefix);
}

/* The directory in which `path` is, or will be made. */
static void look_at_directory(struct view *view, const char *key, const char *path)
{
    char *directory = strdup(path);
    struct stat status;

    if (!directory) {
        view->result = -ENOMEM;
        return;
    }
    *(strrchr(directory, '/') + 1) = '\0';
    if (stat(directory, &status) < 0)
        say(view, &view->out->errors, "%s = %s: its directory: %s", key, path, strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        say(view, &view->out->errors, "%s = %s: its directory is not a directory", key, path);
    free(directory);
}

static int look_at_service(const struct config_service *service, struct preflight *out)
{
    struct view view = { out, "service", service->name, &service->where, 0 };

    look_at_user(&view, service);
    look_at_release(&view, service);
    look_at_check(&view, service, &service->ready, "ready: ");
    look_at_check(&view, service, &service->verify, "verify: ");
    if (service->output.kind == OUTPUT_FILE)
        look_at_directory(&view, "output", service->output.path);
    return view.result;
}

static bool is_number(const char *text)
{
    return !text[strspn(text, "0123456789")];
}

static int look_at_listener(const struct config_listener *listener, struct preflight *out)
{
    struct view view = { out, "listener", listener->name, &listener->where, 0 };
    const char *user = listener->socket_user, *group = listener->socket_group;

    if (listener->address.sockaddr.ss_family != AF_UNIX)
        return 0;
    look_at_directory(&view, "address", strchr(listener->address_text, '/'));
    if (user && !is_number(user) && !getpwnam(user))
        say(&view, &out->errors, "there is no user %s", user);
    if (group && !is_number(group) && !getgrnam(group))
        say(&view, &out->errors, "there is no group %s", group);
    return view.result;
}

int preflight(const struct config *config, struct preflight *out)
{
    int result = 0;

    *out = (struct preflight){ 0 };
    for (size_t i = 0; i < config->listener_count && result == 0; i++)
        result = look_at_listener(&config->listeners[i], out);
    for (size_t i = 0; i < config->service_count && result == 0; i++)
        result = look_at_service(&config->services[i], out);
    return result;
}

void preflight_free(struct preflight *preflight)
{
    config_words_free(preflight->errors);
    config_words_free(preflight->notes);
    *preflight = (struct preflight){ 0 };
}
