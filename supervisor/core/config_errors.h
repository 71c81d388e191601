/* What is wrong with a configuration, collected while it is read and told in the order of its text. */
#ifndef BATON_CONFIG_ERRORS_H
#define BATON_CONFIG_ERRORS_H

#include <stdarg.h>
#include <stddef.h>

#include "supervisor/core/config.h"

struct config_error {
    size_t file; /* its place among the files */
    int line;
    size_t order; /* of being found */
    char *text;
};

struct config_error_list {
    struct config_error *errors;
    size_t count;
};

/* Append one; `text` is taken. 0 or -ENOMEM (text is freed). */
int config_error_list_add(struct config_error_list *list, size_t file, int line, char *text);

/* Move everything to `out`, sorted by file and line. The list is empty afterwards. 0 or -ENOMEM. */
int config_error_list_publish(struct config_error_list *list, struct config_errors *out);

void config_error_list_free(struct config_error_list *list);

#endif
