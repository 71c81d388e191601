#include "supervisor/cli/event_view.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/fields.h"
#include "supervisor/cli/human.h"
#include "supervisor/jsonline.h"
#include "supervisor/prose.h"

static void widen(size_t *width, const char *text)
{
    size_t columns = prose_columns(text);

    if (columns > *width)
        *width = columns;
}

void event_view_fit(struct event_view *view, const json_t *events, double now)
{
    char moment[HUMAN_BYTES];
    json_t *event;
    size_t i;

    json_array_foreach (events, i, event) {
        human_moment(fields_number(event, "time"), now, moment);
        widen(&view->moment_width, moment);
        widen(&view->service_width, fields_text(event, "service"));
    }
}

void event_view_print(const struct event_view *view, const json_t *event, double now, FILE *to)
{
    const char *service = fields_text(event, "service");
    char moment[HUMAN_BYTES];
    size_t indent = view->moment_width + 2;

    human_moment(fields_number(event, "time"), now, moment);
    fprintf(to, "%-*s  ", (int)view->moment_width, moment);
    if (view->service_width > 0) {
        fprintf(to, "%-*s  ", (int)view->service_width, service);
        indent += view->service_width + 2;
    }
    prose_print(fields_text(event, "text"), indent, to);
}

/* What stands in the first lines already. */
static bool is_told(const char *key)
{
    static const char *const told[] = { "id", "time", "type", "service", "generation", "text", "shortened" };

    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (!strcmp(told[i], key))
            return true;
    }
    return false;
}

void event_view_print_details(const json_t *event, double now, FILE *to)
{
    const char *key, *service = fields_text(event, "service");
    char moment[HUMAN_BYTES];
    json_t *value;

    human_moment(fields_number(event, "time"), now, moment);
    fprintf(to, "%s%s%s", service, *service ? ": " : "", fields_text(event, "type"));
    if (fields_known(event, "generation"))
        fprintf(to, ", generation %lld", (long long)fields_count(event, "generation"));
    fprintf(to, ", %s (event %lld)\n  ", moment, (long long)fields_count(event, "id"));
    prose_print(fields_text(event, "text"), 2, to);
    json_object_foreach ((json_t *)event, key, value) {
        if (is_told(key))
            continue;
        char *text = json_is_string(value) ? strdup(json_string_value(value))
                                           : json_dumps(value, JSONLINE_FLAGS | JSON_ENCODE_ANY);
        fprintf(to, "  %s: ", key);
        prose_print(text ? text : "", strlen(key) + 4, to);
        free(text);
    }
}
