/* Any bytes are refused with at least one line, or are a configuration whose text means the same, explains
 * itself, and is read back as the same text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"
#include "supervisor/core/config.h"
#include "tests/fuzz/fuzz.h"

struct input {
    const uint8_t *bytes;
    size_t size;
};

static int find_nothing(void *arg, const char *pattern, char ***paths, size_t *count)
{
    (void)arg, (void)pattern;
    *paths = NULL;
    *count = 0;
    return 0;
}

static int give_input(void *arg, const char *path, char **bytes, size_t *length)
{
    const struct input *input = arg;

    (void)path;
    *bytes = malloc(input->size ? input->size : 1);
    if (!*bytes)
        return -ENOMEM;
    memcpy(*bytes, input->bytes, input->size);
    *length = input->size;
    return 0;
}

/* One line for a terminal or a log. */
static void check_line(const char *line)
{
    while (*line) {
        size_t step = text_character_bytes(line);
        if (step == 0)
            abort();
        line += step;
    }
}

static void check_errors(const struct config_errors *errors)
{
    if (errors->count == 0)
        abort();
    for (size_t i = 0; i < errors->count; i++)
        check_line(errors->lines[i]);
}

static void check_text(const struct config *config)
{
    struct config *again = NULL;
    struct config_errors errors;
    char *text = config_text(config), *second;
    FILE *nowhere = fopen("/dev/null", "we");

    if (!text || !nowhere || config_parse_text(text, &again, &errors) != 0)
        abort();
    second = config_text(again);
    if (!second || strcmp(text, second) != 0)
        abort();
    config_explain(config, nowhere);
    fclose(nowhere);
    free(text);
    free(second);
    config_free(again);
    config_errors_free(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    const struct config_io io = { find_nothing, give_input, &input };
    struct config *config = NULL;
    struct config_errors errors;
    int result = config_parse("/e/x.ini", &io, &config, &errors);

    if (result == 0)
        check_text(config);
    else
        check_errors(&errors);
    config_free(config);
    config_errors_free(&errors);
    return 0;
}
