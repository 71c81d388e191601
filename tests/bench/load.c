/* load: the strict HTTP load client of the tests and benches. `load --help` lists the options.
 *
 * One thread, one event loop. Every byte of every answer is checked, and every request ends as a success or
 * in one class of failure (load_stats.h). "Races" are counted apart: a reused idle connection that was closed
 * before a byte of the answer; the request is sent once more on a new connection and must succeed there. In
 * each mode requests are numbered, timed and booked the same way; --rate measures from the intended time.
 *
 * --json prints one object. Times are milliseconds; those that say when count from the start of the run.
 *   schema               1; changes when a field changes its meaning
 *   good                 what the exit code says
 *   seconds              duration of the load (what was in flight at its end, and the reading back, excluded)
 *   requests             begun; always successes + failures
 *   successes, failures, races
 *   failures_by_class    every class, also those with 0
 *   connections          opened or tried
 *   idle_closes          connections that the server closed or reset while they were idle: nobody's fault
 *   acknowledged         requests to be read back (--verify-acknowledged)
 *   read_back            of these: found, as they were wanted
 *   longest_gap          {ms, at_ms}: the longest time without a success, and when it began
 *   modes                [{mode, requests, successes, failures, races, failures_by_class,
 *                          latency_ms {p50 p90 p99 p99_9 max}}]: over all phases; latency of successes, from
 * the begin (--rate: the intended begin) of the request to the last byte of its answer phases [{phase,
 * longest_gap, modes}]: what ended in this phase marks                [{phase, at_ms}]: when which phase
 * began; the first at 0 versions             [{header, value, successes, failures, first_ms, last_ms}]:
 * complete answers, by each
 *                          --version-header; first and last are of successes
 *   rates                [{mode, per_second, begun, delayed, backlog_max, unsent, late_max_ms}]: delayed: the
 * bound of connections was hit; backlog_max: by how many at once; unsent: due, but the load ended;
 *                          late_max_ms: worst lateness with a free connection: the load client's own
 *   examples             the first failures, in words
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/load_options.h"
#include "tests/bench/load_report.h"
#include "tests/bench/load_run.h"

enum { EXIT_GOOD = 0, EXIT_FAILURES = 1, EXIT_USAGE = 2 };

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_and_report(struct load_options *options)
{
    static struct load_run run;
    int error = load_run(&run, options);
    int result = EXIT_USAGE;

    if (error) {
        fprintf(stderr, "load: %s\n", strerror(-error));
    } else {
        result = load_report_is_good(&run) ? EXIT_GOOD : EXIT_FAILURES;
        if (options->json)
            load_report_json(&run, stdout);
        else
            load_report_text(&run, stdout);
    }
    load_run_free(&run);
    return result;
}

int main(int argc, char **argv)
{
    static struct load_options options;
    int result = load_options_parse(argc, argv, &options);

    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    if (result == 0)
        result = run_and_report(&options);
    else
        result = result == LOAD_OPTIONS_HELP ? EXIT_GOOD : EXIT_USAGE;
    load_options_free(&options);
    return result;
}
