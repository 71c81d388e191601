#include "supervisor/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/file.h"

static const char file_name[] = "generations.json";

static struct counter *find(const struct counters *counters, const char *service)
{
    for (size_t i = 0; i < counters->count; i++) {
        if (!strcmp(counters->list[i].service, service))
            return &counters->list[i];
    }
    return NULL;
}

uint32_t counters_get(const struct counters *counters, const char *service)
{
    const struct counter *counter = find(counters, service);

    return counter ? counter->generation : 0;
}

static struct counter *add(struct counters *counters, const char *service)
{
    struct counter *list = reallocarray(counters->list, counters->count + 1, sizeof *list);

    if (!list)
        return NULL;
    counters->list = list;
    struct counter *counter = &list[counters->count++];
    memset(counter, 0, sizeof *counter);
    strcpy(counter->service, service);
    return counter;
}

int counters_raise(struct counters *counters, const char *service, uint32_t generation, size_t *index)
{
    struct counter *counter;

    if (!*service || strlen(service) > CONFIG_NAME_MAX)
        return -EINVAL;
    counter = find(counters, service);
    if (!counter)
        counter = add(counters, service);
    if (!counter)
        return -ENOMEM;
    if (counter->generation < generation)
        counter->generation = generation;
    if (index)
        *index = (size_t)(counter - counters->list);
    return 0;
}

static int load_object(struct counters *counters, json_t *root)
{
    json_t *generations = json_object_get(root, "generations"), *value;
    const char *service;
    int error = 0;

    if (!json_is_object(generations) || json_integer_value(json_object_get(root, "version")) != 1)
        error = -EPROTO;
    json_object_foreach (generations, service, value) {
        json_int_t generation = json_integer_value(value);

        if (generation < 1 || generation > UINT32_MAX ||
            counters_raise(counters, service, (uint32_t)generation, NULL) < 0)
            error = -EPROTO;
    }
    return error;
}

int counters_load(struct counters *counters, int directory)
{
    char *bytes;
    size_t length;
    int error = file_read(directory, file_name, &bytes, &length);

    if (error)
        return error == -ENOENT ? 0 : error;
    json_t *root = json_loadb(bytes, length, 0, NULL);
    free(bytes);
    error = root ? load_object(counters, root) : -EPROTO;
    json_decref(root);
    return error;
}

int counters_save(const struct counters *counters, int directory)
{
    json_t *generations = json_object();
    int error = -ENOMEM;

    for (size_t i = 0; i < counters->count; i++) {
        const struct counter *counter = &counters->list[i];

        json_object_set_new(generations, counter->service, json_integer(counter->generation));
    }
    json_t *root = json_pack("{s:i, s:o}", "version", 1, "generations", generations);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (text)
        error = file_replace(directory, file_name, text, strlen(text), false);
    free(text);
    json_decref(root);
    return error;
}

void counters_free(struct counters *counters)
{
    free(counters->list);
    *counters = (struct counters){ 0 };
}
