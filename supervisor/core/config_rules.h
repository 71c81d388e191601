/* The checks between keys and between sections: what is right by itself and wrong together. */
#ifndef BATON_CONFIG_RULES_H
#define BATON_CONFIG_RULES_H

#include "supervisor/core/config_build.h"

/* Collects what is wrong. 0 or -ENOMEM. */
int config_rules_check(struct config_build *build);

/* NULL, or which addresses this key of a listener is for when the listener has none of them. */
const char *config_rules_wrong_family(const struct config_key *key, const struct config_listener *listener);

#endif
