/* The definition of a service: its own section and those of its listeners, as canonical text. A generation owns
 * the definition it was started with; two definitions are equal exactly when their texts are. Pure. */
#ifndef BATON_DEFINITION_H
#define BATON_DEFINITION_H

#include "supervisor/core/config.h"

/* malloc'd; NULL: out of memory. `service` belongs to `config`. */
char *definition_make(const struct config *config, const struct config_service *service);

#endif
