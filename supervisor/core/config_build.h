/* A configuration under construction: sections and keys come from a file or from options, errors are
 * collected, and at the end defaults are filled in and everything is checked against everything. */
#ifndef BATON_CONFIG_BUILD_H
#define BATON_CONFIG_BUILD_H

#include <stdbool.h>

#include "supervisor/core/config.h"
#include "supervisor/core/config_errors.h"
#include "supervisor/core/config_keys.h"
#include "supervisor/core/config_value.h"

enum config_source {
    CONFIG_FROM_FILES,
    CONFIG_FROM_OPTIONS, /* keys are told as --options */
    CONFIG_FROM_TEXT,    /* canonical text: perhaps one section alone */
};

struct config_build {
    struct config *config;
    struct config_error_list errors;
    enum config_source source;
    const char *file;            /* being read; owned by config->files */
    enum config_section section; /* the current one; SECTION_COUNT: none */
    bool outside;                /* no section has begun in this file */
    bool incomplete;             /* something could not be read: do not miss what it may have said */
};

/* Start. 0 or -ENOMEM. config_build_end() or config_build_free() must follow. */
int config_build_begin(struct config_build *build, enum config_source source);

/* From now on `name` (copied) is the file. 0 or -ENOMEM. */
int config_build_file(struct config_build *build, const char *name);

/* Errors found below are collected; these return 0 or -ENOMEM. */

/* A new section; `name` is "" for [baton]. */
int config_build_section(struct config_build *build, enum config_section section, const char *name, int line);

/* A key of the current section; `line` is -1 where there are no lines. */
int config_build_key(struct config_build *build, const struct config_key *key,
                     const struct config_value *value, int line);

/* "FILE:LINE: …" */
int config_build_wrong(struct config_build *build, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a key that was said in the section of `where`: "FILE:LINE: key: …", or "command line: --key:
 * …". */
int config_build_wrong_key(struct config_build *build, const struct config_where *where,
                           const struct config_key *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a value: `key: "value": reason; allowed: …`. */
int config_build_refused(struct config_build *build, const struct config_where *where,
                         const struct config_key *key, const char *value, const char *reason);

/* Where `section` number `index` begins, and where it was said. */
void *config_build_struct(struct config *config, enum config_section section, size_t index);
struct config_where *config_build_where(struct config *config, enum config_section section, size_t index);
size_t config_build_count(const struct config *config, enum config_section section);

/* Fill in defaults, check the whole. Same results as config_parse(); the build is over in any case. */
int config_build_end(struct config_build *build, struct config **out, struct config_errors *errors);
void config_build_free(struct config_build *build);

#endif
