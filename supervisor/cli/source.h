/* Where a configuration comes from: `-c FILE`, `FILE`, /etc/baton, or options, "--" and a command. Shared by
 * the verbs that need no running baton. */
#ifndef BATON_SOURCE_H
#define BATON_SOURCE_H

#include <stdbool.h>

#include "supervisor/cli/cli.h"
#include "supervisor/core/config.h"

/* A switch of one verb, like --json. */
struct source_flag {
    const char *name; /* with its dashes; NULL ends the list */
    bool *set;
};

struct source {
    char *path;     /* of the file, absolute; NULL: the one-line form */
    char **options; /* the one-line form: "--key", "value", …, "--", command: for config_from_options() */
    char name[CONFIG_NAME_MAX + 1]; /* of the instance */
    struct config *config;          /* NULL: `errors` say why */
    struct config_errors errors;
};

/* Read the verb's arguments and the configuration they name; without one it is /etc/baton/NAME.ini, or the
 * only file there. CLI_OK, also when the configuration has errors; or the exit code of a mistake that was
 * told. source_free() in any case. */
int source_read(const struct cli_verb *verb, int argc, char **argv, const struct source_flag *flags,
                struct source *source);

/* The errors and how many they are, on stderr. */
void source_tell_errors(const struct source *source);
void source_tell_count(size_t errors);

void source_free(struct source *source);

#endif
