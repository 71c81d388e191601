#include "supervisor/jsonline.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/prose.h"

json_t *jsonline_text(const char *text)
{
    char *clean = text ? strdup(text) : NULL;

    if (!clean)
        return text ? NULL : json_null();
    prose_clean(clean);
    json_t *string = json_string(clean);
    free(clean);
    return string;
}
