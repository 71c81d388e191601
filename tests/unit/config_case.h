/* Configurations in memory, for the tests of supervisor/core/config*. */
#ifndef BATON_TESTS_CONFIG_CASE_H
#define BATON_TESTS_CONFIG_CASE_H

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/config.h"
#include "tests/unit/unit.h"

struct memory_file {
    const char *path; /* NULL ends a list */
    const char *text;
};

static inline int memory_glob(void *arg, const char *pattern, char ***paths, size_t *count)
{
    const struct memory_file *files = arg;

    *paths = (char **)calloc(64, sizeof **paths);
    *count = 0;
    for (; files->path; files++) {
        if (fnmatch(pattern, files->path, FNM_PATHNAME) == 0)
            (*paths)[(*count)++] = strdup(files->path);
    }
    return 0;
}

static inline int memory_read(void *arg, const char *path, char **bytes, size_t *length)
{
    for (const struct memory_file *file = (const struct memory_file *)arg; file->path; file++) {
        if (strcmp(file->path, path) != 0)
            continue;
        *bytes = strdup(file->text);
        *length = strlen(file->text);
        return 0;
    }
    return -ENOENT;
}

/* Parse files[0] among `files`. */
static inline int parse_files(const struct memory_file *files, struct config **config,
                              struct config_errors *errors)
{
    const struct config_io io = { memory_glob, memory_read, (void *)files };

    return config_parse(files[0].path, &io, config, errors);
}

/* The configuration of `text`; it must be right. End with config_free(). */
static inline struct config *parse_right(const char *text)
{
    const struct memory_file files[] = { { "x.ini", text }, { NULL, NULL } };
    struct config *config = NULL;
    struct config_errors errors;

    if (parse_files(files, &config, &errors) != 0)
        fail_msg("%s\n---\n%s", errors.count ? errors.lines[0] : "no error", text);
    assert_int_equal(errors.count, 0);
    config_errors_free(&errors);
    return config;
}

/* The errors are exactly `expected` (a newline behind each). Ends `errors`. */
static inline void assert_errors(struct config_errors *errors, const char *expected)
{
    char all[8192] = "";

    for (size_t i = 0; i < errors->count; i++) {
        strcat(all, errors->lines[i]);
        strcat(all, "\n");
    }
    assert_string_equal(all, expected);
    config_errors_free(errors);
}

/* The file x.ini with `text` is refused with exactly these errors. */
static inline void assert_refused(const char *text, const char *expected)
{
    const struct memory_file files[] = { { "x.ini", text }, { NULL, NULL } };
    struct config *config = (struct config *)&files;
    struct config_errors errors;

    if (parse_files(files, &config, &errors) != -EINVAL)
        fail_msg("accepted: %s", text);
    assert_ptr_equal(config, &files);
    assert_errors(&errors, expected);
}

#endif
