/* baton: the command people type. The verbs are in the files beside this one. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "supervisor/cli/cli.h"
#include "supervisor/core/spelling.h"

static const struct cli_verb *const verbs[] = {
    &cli_run,      &cli_check,  &cli_status, &cli_events, &cli_history, &cli_upgrade,
    &cli_rollback, &cli_reload, &cli_scale,  &cli_drain,  &cli_stop,
};
enum { VERBS = sizeof verbs / sizeof *verbs };

void cli_error(const char *format, ...)
{
    va_list arguments;

    fflush(stdout); /* in the order it was said, on a terminal */
    va_start(arguments, format);
    fputs("baton: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage(const struct cli_verb *verb, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("baton: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nusage: baton %s\n", verb->synopsis);
    va_end(arguments);
    return CLI_USAGE;
}

static void print_help(FILE *to)
{
    fputs("baton starts server programs, owns their listening sockets, and replaces a running version\n"
          "by a new one without failing a request.\n\n",
          to);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  baton %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    fputs("\nbaton VERB --help tells more; so do baton(1) and baton.ini(5).\n", to);
}

static void print_verb_help(const struct cli_verb *verb)
{
    printf("usage: baton %s\n\n%s", verb->synopsis, verb->help);
    if (verb->print_more)
        verb->print_more(stdout);
}

static bool is_help(const char *argument)
{
    return !strcmp(argument, "--help") || !strcmp(argument, "-h");
}

/* What stands behind "--" is a command's. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i]))
            return true;
    }
    return false;
}

static int unknown_verb(const char *name)
{
    struct spelling spelling = { 0 };

    for (size_t i = 0; i < VERBS; i++)
        spelling_offer(&spelling, name, verbs[i]->name);
    if (spelling.best)
        cli_error("%s: unknown verb; did you mean baton %s?", name, spelling.best);
    else
        cli_error("%s: unknown verb; baton --help lists all", name);
    return CLI_USAGE;
}

static int run_verb(int argc, char **argv)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i]->name, argv[0]) != 0)
            continue;
        if (!asks_for_help(argc, argv))
            return verbs[i]->run(argc, argv);
        print_verb_help(verbs[i]);
        return CLI_OK;
    }
    return unknown_verb(argv[0]);
}

int main(int argc, char **argv)
{
    int result = CLI_OK;

    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (is_help(argv[1]) || !strcmp(argv[1], "help"))
        print_help(stdout);
    else if (!strcmp(argv[1], "--version"))
        puts("baton " PACKAGE_VERSION);
    else
        result = run_verb(argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_error("cannot write the output");
        return result ? result : CLI_FAILURE;
    }
    return result;
}
