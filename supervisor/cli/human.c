#include "supervisor/cli/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void human_count(uint64_t count, char text[HUMAN_BYTES])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    char *out = text;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
}

void human_duration(double seconds, char text[HUMAN_BYTES])
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
    uint64_t whole = seconds < 0 ? 0 : seconds < 1e10 ? (uint64_t)seconds : 10000000000;
    size_t unit = 0;

    if (seconds < 0.9995) {
        snprintf(text, HUMAN_BYTES, "%.0f ms", seconds > 0 ? seconds * 1000 : 0);
        return;
    }
    if (seconds < 9.95) {
        snprintf(text, HUMAN_BYTES, "%.1f s", seconds);
        return;
    }
    while (units[unit].seconds > whole && unit < 3)
        unit++;
    int used = snprintf(text, HUMAN_BYTES, "%" PRIu64 " %s", whole / units[unit].seconds, units[unit].name);
    if (unit == 3)
        return;
    uint64_t rest = whole % units[unit].seconds / units[unit + 1].seconds;
    if (rest > 0)
        snprintf(text + used, HUMAN_BYTES - (size_t)used, " %" PRIu64 " %s", rest, units[unit + 1].name);
}

void human_moment(double moment, double now, char text[HUMAN_BYTES])
{
    time_t then_s = (time_t)moment, now_s = (time_t)now;
    struct tm then, today;

    if (!localtime_r(&then_s, &then) || !localtime_r(&now_s, &today)) {
        snprintf(text, HUMAN_BYTES, "%.0f", moment);
        return;
    }
    if (then.tm_year == today.tm_year && then.tm_yday == today.tm_yday)
        strftime(text, HUMAN_BYTES, "%H:%M:%S", &then);
    else
        strftime(text, HUMAN_BYTES, "%Y-%m-%d %H:%M:%S", &then);
}
