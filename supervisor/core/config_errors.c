#include "supervisor/core/config_errors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int config_error_list_add(struct config_error_list *list, size_t file, int line, char *text)
{
    struct config_error *grown = reallocarray(list->errors, list->count + 1, sizeof *grown);

    if (!grown) {
        free(text);
        return -ENOMEM;
    }
    list->errors = grown;
    grown[list->count] =
        (struct config_error){ .file = file, .line = line, .order = list->count, .text = text };
    list->count++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct config_error *first = a, *second = b;

    if (first->file != second->file)
        return first->file < second->file ? -1 : 1;
    if (first->line != second->line)
        return first->line < second->line ? -1 : 1;
    return first->order < second->order ? -1 : 1;
}

int config_error_list_publish(struct config_error_list *list, struct config_errors *out)
{
    char **lines = calloc(list->count + 1, sizeof *lines);

    if (!lines)
        return -ENOMEM;
    if (list->count)
        qsort(list->errors, list->count, sizeof *list->errors, compare);
    for (size_t i = 0; i < list->count; i++)
        lines[i] = list->errors[i].text;
    *out = (struct config_errors){ .lines = lines, .count = list->count };
    free(list->errors);
    *list = (struct config_error_list){ 0 };
    return 0;
}

void config_error_list_free(struct config_error_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->errors[i].text);
    free(list->errors);
    *list = (struct config_error_list){ 0 };
}

void config_errors_free(struct config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        free(errors->lines[i]);
    free(errors->lines);
    *errors = (struct config_errors){ 0 };
}
