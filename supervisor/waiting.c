#include "supervisor/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/jsonline.h"

struct item {
    struct item *next;
    char *service;
    uint32_t generation; /* this one or a later */
    bool going_back;
    bool done;
    enum service_result result;
    char *text;
};

struct waiting {
    struct waiting *next;
    struct waiting_list *list;
    struct control_request *request;
    struct item *items;
    bool committed;
};

static void free_waiting(struct waiting *waiting)
{
    for (struct waiting **link = &waiting->list->first; *link; link = &(*link)->next) {
        if (*link == waiting) {
            *link = waiting->next;
            break;
        }
    }
    while (waiting->items) {
        struct item *item = waiting->items;
        waiting->items = item->next;
        free(item->service);
        free(item->text);
        free(item);
    }
    free(waiting);
}

static void on_gone(void *arg, struct control_request *request)
{
    (void)request;
    free_waiting(arg);
}

struct waiting *waiting_begin(struct waiting_list *list, struct control_request *request)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (!waiting) {
        control_answer(request, SERVICE_FAILED, NULL, "out of memory");
        return NULL;
    }
    waiting->list = list;
    waiting->request = request;
    waiting->next = list->first;
    list->first = waiting;
    control_on_gone(request, on_gone, waiting);
    return waiting;
}

static struct item *add_item(struct waiting *waiting, const char *service, uint32_t generation)
{
    struct item *item = calloc(1, sizeof *item), **last = &waiting->items;

    if (!item)
        return NULL;
    item->service = strdup(service);
    item->generation = generation;
    while (*last)
        last = &(*last)->next;
    *last = item;
    return item;
}

static void finish_item(struct item *item, uint32_t generation, enum service_result result, const char *text)
{
    item->done = true;
    item->generation = generation;
    item->result = item->going_back && result == SERVICE_ROLLED_BACK ? SERVICE_OK : result;
    item->text = strdup(text);
}

void waiting_add(struct waiting *waiting, const struct service *service, uint32_t generation, bool going_back)
{
    struct item *item = add_item(waiting, service->name, generation);

    if (item)
        item->going_back = going_back;
}

void waiting_add_result(struct waiting *waiting, const char *service, uint32_t generation,
                        enum service_result result, const char *text)
{
    struct item *item = waiting->items;

    while (item && (item->done || strcmp(item->service, service) != 0))
        item = item->next;
    if (!item)
        item = add_item(waiting, service, generation);
    if (item)
        finish_item(item, generation, result, text);
}

/* The worst result is everybody's: a failure over a roll-back over a refusal over success. */
static int rank(enum service_result result)
{
    switch (result) {
    case SERVICE_FAILED:
        return 3;
    case SERVICE_ROLLED_BACK:
        return 2;
    case SERVICE_OK:
        return 0;
    default:
        return 1;
    }
}

/* Answer and forget when nothing is outstanding. */
static void settle(struct waiting *waiting, const char *empty_text)
{
    json_t *services = json_array();
    enum service_result result = SERVICE_OK;
    char *text = NULL;
    size_t bytes;

    for (struct item *item = waiting->items; item; item = item->next) {
        if (!item->done) {
            json_decref(services);
            return;
        }
    }
    FILE *lines = open_memstream(&text, &bytes);
    for (struct item *item = waiting->items; item; item = item->next) {
        if (rank(item->result) > rank(result))
            result = item->result;
        if (lines)
            fprintf(lines, "%s%s: %s", item == waiting->items ? "" : "\n", item->service,
                    item->text ? item->text : "");
        json_array_append_new(services,
                              json_pack("{s:s, s:i, s:i, s:o}", "service", item->service, "generation",
                                        (int)item->generation, "result", (int)item->result, "text",
                                        jsonline_text(item->text ? item->text : "")));
    }
    if (lines)
        fclose(lines);
    control_on_gone(waiting->request, NULL, NULL);
    control_answer(waiting->request, result, json_pack("{s:o}", "services", services), "%s",
                   waiting->items && text ? text : empty_text);
    free(text);
    free_waiting(waiting);
}

void waiting_commit(struct waiting *waiting, const char *text)
{
    waiting->committed = true;
    settle(waiting, text);
}

void waiting_refuse(struct waiting *waiting, enum service_result result, const char *text)
{
    control_on_gone(waiting->request, NULL, NULL);
    control_answer(waiting->request, result, NULL, "%s", text);
    free_waiting(waiting);
}

void waiting_outcome(struct waiting_list *list, const struct service *service, uint32_t generation,
                     enum service_result result, const char *text)
{
    struct waiting *next;

    for (struct waiting *waiting = list->first; waiting; waiting = next) {
        bool found = false;

        next = waiting->next;
        for (struct item *item = waiting->items; item; item = item->next) {
            if (item->done || strcmp(item->service, service->name) != 0 || generation < item->generation)
                continue;
            finish_item(item, generation, result, text);
            found = true;
        }
        if (found && waiting->committed)
            settle(waiting, "");
    }
}

void waiting_service_ends(struct waiting_list *list, const struct service *service,
                          enum service_result result, const char *text)
{
    waiting_outcome(list, service, UINT32_MAX, result, text);
}

/* What the answer itself will say is not told before it. */
static bool is_outcome(const char *type)
{
    static const char *const types[] = { "reverting", "reverted", "failed" };

    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++) {
        if (!strcmp(type, types[i]))
            return true;
    }
    return false;
}

void waiting_event(struct waiting_list *list, json_t *event)
{
    const char *service = json_string_value(json_object_get(event, "service"));

    if (is_outcome(json_string_value(json_object_get(event, "type"))))
        return;
    for (struct waiting *waiting = list->first; service && waiting; waiting = waiting->next) {
        for (struct item *item = waiting->items; item; item = item->next) {
            if (item->done || strcmp(item->service, service) != 0)
                continue;
            json_t *progress = json_object();
            json_object_set(progress, "id", json_object_get(event, "id"));
            json_object_set(progress, "service", json_object_get(event, "service"));
            json_object_set(progress, "generation", json_object_get(event, "generation"));
            json_object_set(progress, "state", json_object_get(event, "type"));
            json_object_set(progress, "text", json_object_get(event, "text"));
            control_progress(waiting->request, progress);
            break;
        }
    }
}
