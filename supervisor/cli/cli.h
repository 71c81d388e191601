/* baton VERB: what the verbs share. A verb family is one file; main.c has the table. */
#ifndef BATON_CLI_H
#define BATON_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* What every verb exits with; PROTOCOL.md's results are the same numbers. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,
    CLI_USAGE = 2,       /* or the configuration */
    CLI_ROLLED_BACK = 3, /* the old generation serves again */
    CLI_REFUSED = 4,     /* busy */
    CLI_HELD = 5,        /* not enough evidence */
};

struct cli_verb {
    const char *name;
    const char *synopsis; /* behind "baton ", one line: "check [-c FILE] [--json]" */
    const char *summary;  /* for the list of verbs: a few words */
    const char *help;     /* for --help: lines, the last one with its newline */
    /* argv[0] is the verb; returns the exit code. --help (before a "--") never comes here. */
    int (*run)(int argc, char **argv);
    void (*print_more)(FILE *to); /* behind `help`; or NULL */
};

/* One per line in each file of verbs, one per line in main.c's table, in the order of `baton --help`. */
extern const struct cli_verb cli_check;
extern const struct cli_verb cli_drain;
extern const struct cli_verb cli_events;
extern const struct cli_verb cli_history;
extern const struct cli_verb cli_reload;
extern const struct cli_verb cli_rollback;
extern const struct cli_verb cli_run;
extern const struct cli_verb cli_scale;
extern const struct cli_verb cli_status;
extern const struct cli_verb cli_stop;
extern const struct cli_verb cli_upgrade;

/* "baton: …" on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "baton: …" and how the verb is used, on stderr. Returns CLI_USAGE, so that it can be returned. */
int cli_usage(const struct cli_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
