/* jsonget PATH... < JSON: prints what each path leads to, one line for each value found: text and numbers as
 * they are, objects and arrays as JSON. The input may be several JSON texts, one after the other.
 *
 * A path is made of members, indexes, and of two that choose in an array: "*" every element, "key=value"
 * those with that member; "#" is the number of elements: services.0.name
 * services.name=blog.generations.*.workers.*.pid    services.#
 *
 * Exit: 0 something was found, 1 nothing was, 2 this is no JSON, or usage. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_NOTHING = 1, EXIT_USAGE = 2, STEP_BYTES = 256 };

static int found;

static void print(const json_t *json)
{
    found = 1;
    if (json_is_string(json)) {
        puts(json_string_value(json));
        return;
    }
    json_dumpf(json, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
}

/* Is the member `key` of the object, as text or number, `value`? */
static int has_member(const json_t *object, const char *key, const char *value)
{
    const json_t *member = json_object_get(object, key);
    char number[32] = "";

    if (json_is_integer(member))
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(member));
    return !strcmp(json_is_string(member) ? json_string_value(member) : number, value);
}

/* Has the object all members of "key=value&key=value"? */
static int is_chosen(const json_t *object, const char *condition)
{
    char text[STEP_BYTES], *rest = text, *key;

    snprintf(text, sizeof text, "%s", condition);
    while ((key = strsep(&rest, "&"))) {
        char *value = strchr(key, '=');

        if (!value)
            return 0;
        *value++ = '\0';
        if (!has_member(object, key, value))
            return 0;
    }
    return 1;
}

static void walk(const json_t *json, const char *path);

static void walk_array(const json_t *array, const char *step, const char *rest)
{
    size_t index;
    json_t *element;

    if (!strcmp(step, "#")) {
        printf("%zu\n", json_array_size(array));
        found = 1;
        return;
    }
    json_array_foreach (array, index, element) {
        char number[32];

        snprintf(number, sizeof number, "%zu", index);
        if (!strcmp(step, "*") || !strcmp(step, number) || is_chosen(element, step))
            walk(element, rest);
    }
}

static void walk(const json_t *json, const char *path)
{
    char step[STEP_BYTES];
    size_t length = strcspn(path, ".");

    if (!json)
        return;
    if (*path == '\0') {
        print(json);
        return;
    }
    if (length >= sizeof step)
        return;
    memcpy(step, path, length);
    step[length] = '\0';
    path += length + (path[length] == '.');
    if (json_is_array(json))
        walk_array(json, step, path);
    else
        walk(json_object_get(json, step), path);
}

/* Is there another text? Skips the white space before it. */
static int more(void)
{
    int c;

    while ((c = getchar()) != EOF && isspace(c))
        continue;
    return c != EOF && ungetc(c, stdin) != EOF;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *json;

    if (argc < 2) {
        fprintf(stderr, "usage: jsonget PATH... < JSON\n");
        return EXIT_USAGE;
    }
    while (more()) {
        json = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error);
        if (!json) {
            fprintf(stderr, "jsonget: %s\n", error.text);
            return EXIT_USAGE;
        }
        for (int i = 1; i < argc; i++)
            walk(json, argv[i]);
        json_decref(json);
    }
    return found ? EXIT_SUCCESS : EXIT_NOTHING;
}
