#include "supervisor/core/definition.h"

#include <stdlib.h>
#include <string.h>

/* Append `section` (malloc'd, taken, NULL: no memory) to `text` (taken). NULL: no memory. */
static char *append(char *text, char *section)
{
    char *joined = text && section ? realloc(text, strlen(text) + strlen(section) + 1) : NULL;

    if (joined)
        strcat(joined, section);
    else
        free(text);
    free(section);
    return joined;
}

char *definition_make(const struct config *config, const struct config_service *service)
{
    char *text = calloc(1, 1);

    for (char **name = service->listen; name && *name; name++) {
        const struct config_listener *listener = config_find_listener(config, *name);
        if (listener)
            text = append(text, config_listener_text(listener));
    }
    return append(text, config_service_text(service));
}
