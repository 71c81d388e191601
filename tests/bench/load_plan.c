#include "tests/bench/load_plan.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *number, *does;
    struct load_plan plan;
} modes[LOAD_MODES] = {
    [LOAD_SHORT] = { "short", "CONNECTIONS", "one request per connection", { .requests = 1 } },
    [LOAD_KEEPALIVE] = { "keepalive",
                         "CONNECTIONS",
                         "connections are used again, then renewed",
                         { .requests = 100 } },
    [LOAD_SLOW_RESPONSE] = { "slow-response",
                             "CONNECTIONS",
                             "answers are read in pieces",
                             { .requests = 1, .chunk_bytes = 1024, .pause_ms = 20 } },
    [LOAD_SLOW_UPLOAD] = { "slow-upload",
                           "CONNECTIONS",
                           "bodies are sent in pieces",
                           { .requests = 1, .chunk_bytes = 1024, .pause_ms = 20, .body_bytes = 16384 } },
    [LOAD_RATE] = { "rate",
                    "PER_SECOND",
                    "open loop; latency counts from the intended time",
                    { .requests = 100, .connections = 1000 } },
    [LOAD_READ_BACK] = { "read-back", NULL, NULL, { .requests = 100, .connections = 8 } },
};

#define IN(mode) (1u << LOAD_##mode)

static const struct key {
    const char *name;
    size_t offset;
    unsigned modes, min, max;
} keys[] = {
    { "connections", offsetof(struct load_plan, connections), IN(RATE), 1, 20000 },
    { "requests", offsetof(struct load_plan, requests), IN(KEEPALIVE) | IN(RATE), 1, 1000000000 },
    { "seconds", offsetof(struct load_plan, seconds), IN(KEEPALIVE) | IN(RATE), 1, 86400 },
    { "think-ms", offsetof(struct load_plan, think_ms), IN(KEEPALIVE), 0, 60000 },
    { "chunk", offsetof(struct load_plan, chunk_bytes), IN(SLOW_RESPONSE) | IN(SLOW_UPLOAD), 1, 1 << 20 },
    { "pause-ms", offsetof(struct load_plan, pause_ms), IN(SLOW_RESPONSE) | IN(SLOW_UPLOAD), 0, 60000 },
    { "body", offsetof(struct load_plan, body_bytes), IN(SLOW_UPLOAD), 1, 64 << 20 },
};

enum { KEYS = sizeof keys / sizeof *keys };

const char *load_mode_name(enum load_mode mode)
{
    return modes[mode].name;
}

struct load_plan load_plan_default(enum load_mode mode)
{
    struct load_plan plan = modes[mode].plan;

    plan.mode = mode;
    return plan;
}

static bool parse_number(const char *text, size_t length, unsigned min, unsigned max, unsigned *out)
{
    char digits[12];

    if (length == 0 || length >= sizeof digits || strspn(text, "0123456789") < length)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    unsigned long value = strtoul(digits, NULL, 10);
    if (value < min || value > max)
        return false;
    *out = (unsigned)value;
    return true;
}

static const char *parse_pair(const char *text, size_t length, struct load_plan *plan)
{
    static char wrong[160];

    for (unsigned i = 0; i < KEYS; i++) {
        size_t name_length = strlen(keys[i].name);

        if (!(keys[i].modes & 1u << plan->mode) || length <= name_length || text[name_length] != '=' ||
            strncmp(text, keys[i].name, name_length))
            continue;
        unsigned *value = (unsigned *)((char *)plan + keys[i].offset);
        if (parse_number(text + name_length + 1, length - name_length - 1, keys[i].min, keys[i].max, value))
            return NULL;
        snprintf(wrong, sizeof wrong, "%s is a number from %u to %u", keys[i].name, keys[i].min, keys[i].max);
        return wrong;
    }
    snprintf(wrong, sizeof wrong, "%s has no key \"%.*s\" (see --help)", modes[plan->mode].name, (int)length,
             text);
    return wrong;
}

const char *load_plan_parse(enum load_mode mode, const char *text, struct load_plan *plan)
{
    struct load_plan parsed = load_plan_default(mode);
    size_t length = strcspn(text, ",");

    if (!parse_number(text, length, 1, mode == LOAD_RATE ? 1000000 : 20000,
                      mode == LOAD_RATE ? &parsed.rate : &parsed.connections))
        return mode == LOAD_RATE ? "a rate is a number of requests per second, from 1 to 1000000"
                                 : "a mode begins with its number of connections, from 1 to 20000";
    while (text[length] == ',') {
        text += length + 1;
        length = strcspn(text, ",");
        const char *wrong = parse_pair(text, length, &parsed);
        if (wrong)
            return wrong;
    }
    *plan = parsed;
    return NULL;
}

void load_plan_usage(void)
{
    for (unsigned mode = 0; mode < LOAD_READ_BACK; mode++) {
        printf("  --%s %s: %s\n", modes[mode].name, modes[mode].number, modes[mode].does);
        for (unsigned i = 0; i < KEYS; i++) {
            const unsigned *preset = (const unsigned *)((const char *)&modes[mode].plan + keys[i].offset);
            if (keys[i].modes & 1u << mode)
                printf("      ,%s=%u..%u  [%u]\n", keys[i].name, keys[i].min, keys[i].max, *preset);
        }
    }
}
