/* The configuration from the file system: what config_parse() cannot do itself. */
#ifndef BATON_CONFIG_FILES_H
#define BATON_CONFIG_FILES_H

#include "supervisor/core/config.h"

/* Read and parse `path` and what it includes; regular files of at most 4 MiB. Same results as config_parse().
 */
int config_files_load(const char *path, struct config **out, struct config_errors *errors);

#endif
