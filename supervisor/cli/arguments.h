/* The arguments of a verb that talks to a running baton: options and a few words. */
#ifndef BATON_ARGUMENTS_H
#define BATON_ARGUMENTS_H

#include "supervisor/cli/cli.h"

/* "--wait" sets *flag; "--name VALUE" and "--name=VALUE" set *value (argv's). One of the two is NULL. */
struct arguments_option {
    const char *name; /* with its dashes; NULL ends the list */
    bool *flag;
    const char **value;
};

/* Read argv behind the verb. Options may stand anywhere before a "--"; what is no option is put into `words`
 * (`max_words` of them, untouched where nothing was given). CLI_OK, or CLI_USAGE: told. */
int arguments_read(const struct cli_verb *verb, int argc, char **argv, const struct arguments_option *options,
                   const char **words, int max_words);

#endif
