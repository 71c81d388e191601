#include "supervisor/cli/fields.h"

#include <string.h>

const char *fields_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

json_int_t fields_count(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

double fields_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool fields_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool fields_known(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value);
}

json_t *fields_service(const json_t *status, const char *name)
{
    json_t *service;
    size_t i;

    json_array_foreach (json_object_get(status, "services"), i, service) {
        if (!strcmp(fields_text(service, "name"), name))
            return service;
    }
    return NULL;
}
