/* baton run: check the configuration, make the directories, be the only one, become the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/cli/cli.h"
#include "supervisor/cli/instance.h"
#include "supervisor/cli/source.h"
#include "supervisor/core/config_words.h"

/* What the keeper is started with. */
struct start {
    char *keeper, *supervisor; /* paths */
    char *runtime, *state;     /* directories */
    int lock;
};

/* --- the programs --- */

/* The directory of our own executable, without the slash; "" when /proc does not tell. */
static void own_directory(char directory[4096])
{
    ssize_t length = readlink("/proc/self/exe", directory, 4095);

    directory[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(directory, '/');
    if (slash)
        *slash = '\0';
}

/* The program `name`: beside us (a build tree), where it was configured to be, or there relative to us (an
 * installation that was moved as a whole). malloc'd; NULL: told. */
static char *find_program(const char *name)
{
    char own[4096], moved[4128];

    own_directory(own);
    snprintf(moved, sizeof moved, "%s/../libexec/baton", own);
    const char *const places[] = { own, PKGLIBEXECDIR, moved };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", places[i], name) < 0)
            break;
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    cli_error("%s is missing: it should be beside baton or in %s", name, PKGLIBEXECDIR);
    return NULL;
}

/* --- becoming the keeper --- */

/* Whether systemd starts us again after a crash: it gives back the descriptors the keeper had stored, and
 * among them is the state (the keeper checks the rest). What was accepted goes on then, whatever the file
 * says now: nobody has reloaded it. */
static bool comes_back(void)
{
    const char *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");

    if (!pid || !names || strtol(pid, NULL, 10) != (long)getpid())
        return false;
    for (const char *name = names; name; name = strchr(name, ':') ? strchr(name, ':') + 1 : NULL) {
        if (strcspn(name, ":") == 5 && !strncmp(name, "state", 5))
            return true;
    }
    return false;
}

static int find_state(const struct source *source, struct start *start, char **reason)
{
    if (!source->config)
        return instance_recall_state(start->runtime, &start->state, reason);
    int result = instance_make_state(source->name, source->config->state_dir, &start->state, reason);
    return result ? result : instance_remember_state(start->runtime, start->state, reason);
}

static int prepare(const struct source *source, struct start *start)
{
    char *reason = NULL;
    int result;

    start->keeper = find_program("baton-keeper");
    start->supervisor = start->keeper ? find_program("baton-supervisor") : NULL;
    if (!start->supervisor)
        return CLI_FAILURE;
    result = instance_make_runtime(source->name, &start->runtime, &reason);
    if (result == 0)
        result = instance_lock(start->runtime, source->name, &start->lock, &reason);
    if (result == 0)
        result = find_state(source, start, &reason);
    if (result == 0)
        return CLI_OK;
    cli_error("%s", reason ? reason : strerror(-result));
    free(reason);
    return result == -EBUSY ? CLI_REFUSED : CLI_FAILURE;
}

/* The keeper's arguments; malloc'd list of malloc'd words. NULL: out of memory. */
static char **keeper_arguments(const struct source *source, const struct start *start)
{
    char *head[] = { start->keeper,        (char *)"--",
                     start->supervisor,    (char *)"--name",
                     (char *)source->name, (char *)"--runtime-dir",
                     start->runtime,       (char *)"--state-dir",
                     start->state,         NULL };
    char *file[] = { (char *)"--config", source->path, NULL };
    char *options[] = { (char *)"--options", NULL };
    char **arguments = NULL;
    int result = config_words_append(&arguments, head);

    if (result == 0)
        result = config_words_append(&arguments, source->path ? file : options);
    if (result == 0 && !source->path)
        result = config_words_append(&arguments, source->options);
    if (result == 0)
        return arguments;
    config_words_free(arguments);
    return NULL;
}

static int become_keeper(const struct source *source, const struct start *start)
{
    char **arguments = keeper_arguments(source, start), lock[16];

    snprintf(lock, sizeof lock, "%d", start->lock);
    /* The keeper closes every other descriptor it does not know. */
    if (!arguments || setenv("BATON_LOCK", lock, 1) < 0) {
        cli_error("%s", strerror(ENOMEM));
        config_words_free(arguments);
        return CLI_FAILURE;
    }
    execv(start->keeper, arguments);
    cli_error("cannot execute %s: %s", start->keeper, strerror(errno));
    config_words_free(arguments);
    return CLI_FAILURE;
}

static int run(int argc, char **argv)
{
    static const struct source_flag no_flags[] = { { 0 } };
    struct start start = { .lock = -1 };
    struct source source;
    int result = source_read(&cli_run, argc, argv, no_flags, &source);

    if (result == CLI_OK && !source.config) {
        source_tell_errors(&source);
        result = comes_back() ? CLI_OK : CLI_USAGE;
    }
    if (result == CLI_OK)
        result = prepare(&source, &start);
    if (result == CLI_OK)
        result = become_keeper(&source, &start);
    if (start.lock >= 0)
        close(start.lock);
    free(start.keeper);
    free(start.supervisor);
    free(start.runtime);
    free(start.state);
    source_free(&source);
    return result;
}

static void print_options(FILE *to)
{
    fputs("\nOptions of the one-line form (baton.ini(5) explains them; in [] what is meant without them):\n",
          to);
    config_print_options(to);
}

const struct cli_verb cli_run = {
    .name = "run",
    .synopsis = "run [-c] FILE [--name NAME]  |  run [--name NAME] [OPTION]... -- COMMAND [ARG]...",
    .summary = "start services and stay, as their supervisor",
    .help =
        "Starts the services of FILE (without one: the only file of /etc/baton, or /etc/baton/NAME.ini),\n"
        "or one service from a command. baton stays in the foreground with the pid it was started with;\n"
        "kill -USR2 upgrades, -HUP reloads, -TERM or Ctrl-C stops after draining.\n"
        "\n"
        "  --name NAME  of this instance [the file's name, or the command's]\n",
    .run = run,
    .print_more = print_options,
};
