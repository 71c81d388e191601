#include <inttypes.h>
#include <string.h>

#include "supervisor/core/config.h"

static const struct unit {
    const char *name;
    uint64_t ms;
} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

static const char forms[] = "a duration is a number with a unit: 250ms, 1.5s, 5m, 1h";
static const char too_long[] = "the duration is too long; infinite has no end";

/* Far beyond any use, and small enough that no sum of two overflows. */
static const uint64_t longest_ms = UINT64_C(1) << 53;

/* The number at *text in thousandths; false: more decimals than that, or too large. */
static bool parse_thousandths(const char **text, uint64_t *thousandths)
{
    const char *p = *text;
    uint64_t value = 0, scale = 1000;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > longest_ms)
            return false;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (value > longest_ms)
        return false;
    value *= 1000;
    if (*p == '.' && p != *text) {
        for (p++; *p >= '0' && *p <= '9' && scale > 1; p++) {
            scale /= 10;
            value += (uint64_t)(*p - '0') * scale;
        }
        if (p[-1] == '.' || (*p >= '0' && *p <= '9'))
            return false;
    }
    *thousandths = value;
    *text = p;
    return true;
}

const char *config_parse_duration(const char *text, uint64_t *ms)
{
    uint64_t thousandths;
    const char *p = text;

    if (!strcmp(text, "infinite")) {
        *ms = CONFIG_INFINITE_MS;
        return NULL;
    }
    if (!strcmp(text, "0")) {
        *ms = 0;
        return NULL;
    }
    if (!parse_thousandths(&p, &thousandths) || p == text)
        return forms;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(p, units[i].name) != 0)
            continue;
        if (thousandths / 1000 > longest_ms / units[i].ms)
            return too_long;
        if (thousandths * units[i].ms % 1000)
            return "a duration is a whole number of milliseconds";
        *ms = thousandths * units[i].ms / 1000;
        return NULL;
    }
    return forms;
}

void config_format_duration(uint64_t ms, char text[32])
{
    const struct unit *unit = units;

    if (ms == CONFIG_INFINITE_MS) {
        strcpy(text, "infinite");
        return;
    }
    if (ms == 0) {
        strcpy(text, "0");
        return;
    }
    while (ms % unit->ms)
        unit++;
    if (unit->ms > 1 || ms < 1000) {
        snprintf(text, 32, "%" PRIu64 "%s", ms / unit->ms, unit->name);
        return;
    }
    int length = snprintf(text, 30, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
    while (text[length - 1] == '0')
        length--;
    strcpy(text + length, "s");
}
