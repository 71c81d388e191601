#include "tests/bench/load_report.h"

#include <inttypes.h>

#include "tests/bench/load_clock.h"

static double ms(uint64_t ns)
{
    return (double)ns / LOAD_NS_PER_MS;
}

static uint64_t requests_of(const struct load_cell *cell)
{
    return cell->outcomes[LOAD_SUCCESS] + load_cell_failures(cell);
}

bool load_report_is_good(const struct load_run *run)
{
    struct load_cell all = { 0 };

    load_stats_sum(&run->stats, -1, -1, &all);
    if (all.races && run->options->races_fail)
        return false;
    return load_cell_failures(&all) == 0 && run->read_back == run->acknowledged;
}

static const struct {
    unsigned per_100000;
    const char *key;
} quantiles[] = { { 50000, "p50" }, { 90000, "p90" }, { 99000, "p99" }, { 99900, "p99_9" } };

enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

/* --- for people --- */

static void text_row(FILE *out, const char *phase, const char *mode, const struct load_cell *cell)
{
    if (requests_of(cell) == 0)
        return;
    fprintf(out, "%-12s %-14s %10" PRIu64 " %8" PRIu64 " %6" PRIu64, phase, mode, requests_of(cell),
            load_cell_failures(cell), cell->races);
    for (unsigned i = 0; i < QUANTILES; i++)
        fprintf(out, " %8.3f", ms(histogram_quantile(&cell->latency_ns, quantiles[i].per_100000)));
    fprintf(out, " %9.3f\n", ms(cell->latency_ns.max));
}

static void text_rows(FILE *out, const struct load_stats *stats, int phase)
{
    const char *name = phase < 0 ? "all" : stats->phases[phase].name;

    for (unsigned mode = 0; mode < stats->mode_count; mode++) {
        struct load_cell cell = { 0 };
        load_stats_sum(stats, phase, (int)mode, &cell);
        text_row(out, name, stats->modes[mode], &cell);
    }
}

static void text_failures(FILE *out, const struct load_stats *stats, const struct load_cell *all)
{
    for (unsigned i = LOAD_SUCCESS + 1; i < LOAD_OUTCOMES; i++) {
        if (all->outcomes[i])
            fprintf(out, "  %10" PRIu64 " %s\n", all->outcomes[i], load_outcome_text(i));
    }
    for (unsigned i = 0; i < stats->example_count; i++)
        fprintf(out, "  at %s\n", stats->examples[i]);
}

static void text_versions(FILE *out, const struct load_versions *versions)
{
    for (unsigned i = 0; i < versions->count; i++) {
        const struct load_version *version = &versions->entries[i];

        fprintf(out, "%s %s: %" PRIu64 " answers, %" PRIu64 " of them wrong",
                versions->headers[version->header], version->value, version->successes + version->failures,
                version->failures);
        if (version->successes)
            fprintf(out, "; from %.1f to %.1f ms", ms(version->first_ns), ms(version->last_ns));
        fputc('\n', out);
    }
}

static void text_rates(FILE *out, const struct load_run *run)
{
    for (unsigned i = 0; i < run->group_count; i++) {
        const struct load_group *group = &run->groups[i];

        if (group->plan.mode != LOAD_RATE)
            continue;
        fprintf(out, "%s: %" PRIu64 " begun, at most %.3f ms late by our own fault", run->labels[i],
                group->rate.started, ms(group->rate.late_max_ns));
        if (group->rate.delayed)
            fprintf(out,
                    "; BOUND HIT: %" PRIu64 " waited for one of %u connections, at most %" PRIu64 " at once",
                    group->rate.delayed, group->plan.connections, group->rate.backlog_max);
        if (group->unsent)
            fprintf(out, "; %" PRIu64 " were due and not sent", group->unsent);
        fputc('\n', out);
    }
}

void load_report_text(const struct load_run *run, FILE *out)
{
    const struct load_stats *stats = &run->stats;
    struct load_gap gap = load_stats_gap(stats);
    struct load_cell all = { 0 };

    load_stats_sum(stats, -1, -1, &all);
    fprintf(out, "%-12s %-14s %10s %8s %6s %8s %8s %8s %8s %9s\n", "phase", "mode", "requests", "failures",
            "races", "p50 ms", "p90", "p99", "p99.9", "max");
    for (unsigned phase = 0; phase < stats->phase_count && stats->phase_count > 1; phase++)
        text_rows(out, stats, (int)phase);
    text_rows(out, stats, -1);
    fprintf(out,
            "%.3f s, %" PRIu64 " requests on %" PRIu64 " connections: %" PRIu64 " failures, %" PRIu64
            " races\n",
            ms(stats->end_ns - stats->start_ns) / 1000, stats->begun, stats->connections,
            load_cell_failures(&all), all.races);
    text_failures(out, stats, &all);
    fprintf(out, "longest time without a success: %.1f ms, from %.1f ms\n", ms(gap.length_ns),
            ms(gap.begin_ns));
    text_rates(out, run);
    text_versions(out, &run->versions);
    if (run->acknowledged)
        fprintf(out, "acknowledged %" PRIu64 ", read back %" PRIu64 "\n", run->acknowledged, run->read_back);
}

/* --- for programs --- */

static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < ' ' || *c > '~')
            fprintf(out, "\\u%04x", *c); /* bytes, not characters: they may not be UTF-8 */
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void json_gap(FILE *out, struct load_gap gap)
{
    fprintf(out, "\"longest_gap\":{\"ms\":%.3f,\"at_ms\":%.3f}", ms(gap.length_ns), ms(gap.begin_ns));
}

static void json_counts(FILE *out, const struct load_cell *cell)
{
    fprintf(out,
            "\"successes\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"races\":%" PRIu64
            ",\"failures_by_class\":{",
            cell->outcomes[LOAD_SUCCESS], load_cell_failures(cell), cell->races);
    for (unsigned i = LOAD_SUCCESS + 1; i < LOAD_OUTCOMES; i++)
        fprintf(out, "%s\"%s\":%" PRIu64, i > LOAD_SUCCESS + 1 ? "," : "", load_outcome_key(i),
                cell->outcomes[i]);
    fputc('}', out);
}

static void json_mode(FILE *out, const char *mode, const struct load_cell *cell)
{
    fprintf(out, "\n    {\"mode\":\"%s\",\"requests\":%" PRIu64 ",", mode, requests_of(cell));
    json_counts(out, cell);
    fputs(",\"latency_ms\":{", out);
    for (unsigned i = 0; i < QUANTILES; i++)
        fprintf(out, "\"%s\":%.4f,", quantiles[i].key,
                ms(histogram_quantile(&cell->latency_ns, quantiles[i].per_100000)));
    fprintf(out, "\"max\":%.4f}}", ms(cell->latency_ns.max));
}

static void json_modes(FILE *out, const struct load_stats *stats, int phase)
{
    const char *comma = "";

    fputs("\"modes\":[", out);
    for (unsigned mode = 0; mode < stats->mode_count; mode++) {
        struct load_cell cell = { 0 };

        load_stats_sum(stats, phase, (int)mode, &cell);
        if (requests_of(&cell) == 0)
            continue;
        fputs(comma, out);
        json_mode(out, stats->modes[mode], &cell);
        comma = ",";
    }
    fputs("]", out);
}

static void json_phases(FILE *out, const struct load_stats *stats)
{
    fputs("\"phases\":[", out);
    for (unsigned i = 0; i < stats->phase_count; i++) {
        fputs(i ? ",\n  {\"phase\":" : "\n  {\"phase\":", out);
        json_string(out, stats->phases[i].name);
        fputc(',', out);
        json_gap(out, stats->phases[i].gap);
        fputc(',', out);
        json_modes(out, stats, (int)i);
        fputc('}', out);
    }
    fputs("],\n\"marks\":[", out);
    for (unsigned i = 0; i < stats->mark_count; i++) {
        fputs(i ? ",\n  {\"phase\":" : "\n  {\"phase\":", out);
        json_string(out, stats->phases[stats->marks[i].phase].name);
        fprintf(out, ",\"at_ms\":%.3f}", ms(stats->marks[i].at_ns));
    }
    fputs("],\n", out);
}

static void json_versions(FILE *out, const struct load_versions *versions)
{
    fputs("\"versions\":[", out);
    for (unsigned i = 0; i < versions->count; i++) {
        const struct load_version *version = &versions->entries[i];

        fputs(i ? ",\n  {\"header\":" : "\n  {\"header\":", out);
        json_string(out, versions->headers[version->header]);
        fputs(",\"value\":", out);
        json_string(out, version->value);
        fprintf(out,
                ",\"successes\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"first_ms\":%.3f,\"last_ms\":%.3f}",
                version->successes, version->failures, ms(version->first_ns), ms(version->last_ns));
    }
    fputs("],\n", out);
}

static void json_rates(FILE *out, const struct load_run *run)
{
    const char *comma = "";

    fputs("\"rates\":[", out);
    for (unsigned i = 0; i < run->group_count; i++) {
        const struct load_group *group = &run->groups[i];

        if (group->plan.mode != LOAD_RATE)
            continue;
        fprintf(out,
                "%s\n  {\"mode\":\"%s\",\"per_second\":%u,\"begun\":%" PRIu64 ",\"delayed\":%" PRIu64
                ",\"backlog_max\":%" PRIu64 ",\"unsent\":%" PRIu64 ",\"late_max_ms\":%.3f}",
                comma, run->labels[i], group->plan.rate, group->rate.started, group->rate.delayed,
                group->rate.backlog_max, group->unsent, ms(group->rate.late_max_ns));
        comma = ",";
    }
    fputs("],\n", out);
}

static void json_examples(FILE *out, const struct load_stats *stats)
{
    fputs("\"examples\":[", out);
    for (unsigned i = 0; i < stats->example_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        json_string(out, stats->examples[i]);
    }
    fputs("]", out);
}

void load_report_json(const struct load_run *run, FILE *out)
{
    const struct load_stats *stats = &run->stats;
    struct load_cell all = { 0 };

    load_stats_sum(stats, -1, -1, &all);
    fprintf(out, "{\"schema\":1,\"good\":%s,\"seconds\":%.3f,\n", load_report_is_good(run) ? "true" : "false",
            ms(stats->end_ns - stats->start_ns) / 1000);
    fprintf(out, "\"requests\":%" PRIu64 ",", stats->begun);
    json_counts(out, &all);
    fprintf(out, ",\n\"connections\":%" PRIu64 ",\"idle_closes\":%" PRIu64, stats->connections,
            stats->idle_closes);
    fprintf(out, ",\"acknowledged\":%" PRIu64 ",\"read_back\":%" PRIu64 ",\n", run->acknowledged,
            run->read_back);
    json_gap(out, load_stats_gap(stats));
    fputs(",\n", out);
    json_modes(out, stats, -1);
    fputs(",\n", out);
    json_phases(out, stats);
    json_versions(out, &run->versions);
    json_rates(out, run);
    json_examples(out, stats);
    fputs("}\n", out);
}
