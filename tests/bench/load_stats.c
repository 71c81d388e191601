#include "tests/bench/load_stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load_buffer.h"
#include "tests/bench/load_clock.h"

static const struct {
    const char *key, *text;
} outcomes[LOAD_OUTCOMES] = {
    [LOAD_SUCCESS] = { "success", "success" },
    [LOAD_REFUSED] = { "refused", "refused" },
    [LOAD_RESET_BEFORE] = { "reset_before", "reset before the answer" },
    [LOAD_RESET_INSIDE] = { "reset_inside", "reset inside the answer" },
    [LOAD_EOF_BEFORE] = { "eof_before", "closed before the answer" },
    [LOAD_EOF_INSIDE] = { "eof_inside", "closed inside the answer" },
    [LOAD_WRONG_BODY] = { "wrong_body", "wrong body" },
    [LOAD_MALFORMED] = { "malformed", "malformed answer" },
    [LOAD_SERVER_ERROR] = { "server_error", "server error (5xx)" },
    [LOAD_UNEXPECTED_STATUS] = { "unexpected_status", "unexpected status" },
    [LOAD_CONNECT_TIMEOUT] = { "connect_timeout", "time-out of connect" },
    [LOAD_ANSWER_TIMEOUT] = { "answer_timeout", "time-out of the answer" },
    [LOAD_LOCAL] = { "local", "local (our own fault)" },
};

const char *load_outcome_key(enum load_outcome outcome)
{
    return outcomes[outcome].key;
}

const char *load_outcome_text(enum load_outcome outcome)
{
    return outcomes[outcome].text;
}

void load_stats_init(struct load_stats *stats, const char *first, uint64_t now_ns)
{
    *stats = (struct load_stats){ .start_ns = now_ns, .last_success_ns = now_ns, .measure_gap = true };
    load_stats_mark(stats, first, now_ns);
}

void load_stats_free(struct load_stats *stats)
{
    for (unsigned phase = 0; phase < stats->phase_count; phase++) {
        for (unsigned mode = 0; mode < stats->mode_count; mode++)
            free(stats->phases[phase].cells[mode]);
    }
}

int load_stats_mode(struct load_stats *stats, const char *name)
{
    if (stats->mode_count == LOAD_STATS_MODES)
        return -E2BIG;
    stats->modes[stats->mode_count] = name;
    return (int)stats->mode_count++;
}

static int find_phase(struct load_stats *stats, const char *name)
{
    unsigned i = 0;

    while (i < stats->phase_count && strncmp(stats->phases[i].name, name, LOAD_PHASE_NAME_BYTES - 1))
        i++;
    if (i == LOAD_STATS_PHASES)
        return -E2BIG;
    if (i == stats->phase_count) {
        snprintf(stats->phases[i].name, LOAD_PHASE_NAME_BYTES, "%s", name);
        stats->phase_count++;
    }
    return (int)i;
}

int load_stats_mark(struct load_stats *stats, const char *name, uint64_t now_ns)
{
    int phase = stats->mark_count < LOAD_STATS_MARKS ? find_phase(stats, name) : -E2BIG;

    if (phase < 0)
        return phase;
    stats->phase = (unsigned)phase;
    stats->marks[stats->mark_count++] = (struct load_mark){ (unsigned)phase, now_ns - stats->start_ns };
    return 0;
}

static struct load_cell *cell_of(struct load_stats *stats, unsigned mode)
{
    struct load_cell **cell = &stats->phases[stats->phase].cells[mode];

    if (!*cell) {
        *cell = load_grow(NULL, 1, sizeof **cell);
        memset(*cell, 0, sizeof **cell);
    }
    return *cell;
}

static void end_gap(struct load_stats *stats, uint64_t now_ns)
{
    struct load_gap *longest = &stats->phases[stats->phase].gap;
    uint64_t length_ns = now_ns - stats->last_success_ns;

    if (!stats->measure_gap)
        return;
    if (length_ns > longest->length_ns)
        *longest = (struct load_gap){ length_ns, stats->last_success_ns - stats->start_ns };
    stats->last_success_ns = now_ns;
}

void load_stats_record(struct load_stats *stats, unsigned mode, enum load_outcome outcome,
                       uint64_t latency_ns, uint64_t now_ns)
{
    struct load_cell *cell = cell_of(stats, mode);

    cell->outcomes[outcome]++;
    if (outcome != LOAD_SUCCESS)
        return;
    histogram_record(&cell->latency_ns, latency_ns);
    stats->mode_successes[mode]++;
    end_gap(stats, now_ns);
}

void load_stats_race(struct load_stats *stats, unsigned mode)
{
    cell_of(stats, mode)->races++;
}

void load_stats_example(struct load_stats *stats, unsigned mode, enum load_outcome outcome,
                        const char *detail, uint64_t now_ns)
{
    if (stats->example_count == LOAD_STATS_EXAMPLES)
        return;
    snprintf(stats->examples[stats->example_count++], LOAD_EXAMPLE_BYTES, "%.1f ms, %s: %s: %s",
             (double)(now_ns - stats->start_ns) / LOAD_NS_PER_MS, stats->modes[mode],
             load_outcome_text(outcome), detail);
}

void load_stats_end_of_load(struct load_stats *stats, uint64_t now_ns)
{
    end_gap(stats, now_ns);
    stats->measure_gap = false;
    stats->end_ns = now_ns;
}

static void add_cell(struct load_cell *into, const struct load_cell *from)
{
    for (unsigned i = 0; i < LOAD_OUTCOMES; i++)
        into->outcomes[i] += from->outcomes[i];
    into->races += from->races;
    histogram_merge(&into->latency_ns, &from->latency_ns);
}

void load_stats_sum(const struct load_stats *stats, int phase, int mode, struct load_cell *into)
{
    for (int p = 0; p < (int)stats->phase_count; p++) {
        for (int m = 0; m < (int)stats->mode_count; m++) {
            const struct load_cell *cell = stats->phases[p].cells[m];
            if (cell && (phase < 0 || phase == p) && (mode < 0 || mode == m))
                add_cell(into, cell);
        }
    }
}

uint64_t load_cell_failures(const struct load_cell *cell)
{
    uint64_t failures = 0;

    for (unsigned i = LOAD_SUCCESS + 1; i < LOAD_OUTCOMES; i++)
        failures += cell->outcomes[i];
    return failures;
}

struct load_gap load_stats_gap(const struct load_stats *stats)
{
    struct load_gap longest = { 0 };

    for (unsigned i = 0; i < stats->phase_count; i++) {
        if (stats->phases[i].gap.length_ns > longest.length_ns)
            longest = stats->phases[i].gap;
    }
    return longest;
}
