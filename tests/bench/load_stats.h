/* What a load run counted: per phase and mode the outcomes and a latency histogram; the longest time without
 * a success; the first failures in words. Times are load_now_ns(). Requests are booked in the phase
 * in which they end: whoever marks the end of an upgrade does so after its last answer. */
#ifndef BATON_LOAD_STATS_H
#define BATON_LOAD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/histogram.h"

enum load_outcome {
    LOAD_SUCCESS,
    LOAD_REFUSED,      /* no such listener: ECONNREFUSED, or the UNIX path is missing */
    LOAD_RESET_BEFORE, /* RST with no byte of the answer received */
    LOAD_RESET_INSIDE, /* RST after the first byte, or in place of the promised close */
    LOAD_EOF_BEFORE,   /* the same with an orderly close */
    LOAD_EOF_INSIDE,
    LOAD_WRONG_BODY,   /* a correct answer with other bytes than wanted */
    LOAD_MALFORMED,    /* not a correct HTTP answer, or bytes after one */
    LOAD_SERVER_ERROR, /* 500..599, unless expected */
    LOAD_UNEXPECTED_STATUS,
    LOAD_CONNECT_TIMEOUT,
    LOAD_ANSWER_TIMEOUT, /* the server was silent, before, inside or after the answer */
    LOAD_LOCAL,          /* no request was made: out of descriptors or ports, no route: our own fault */
    LOAD_OUTCOMES,
};

/* "reset_before": the key in JSON; and "reset before the answer": for people. */
const char *load_outcome_key(enum load_outcome outcome);
const char *load_outcome_text(enum load_outcome outcome);

enum { LOAD_STATS_MODES = 16, LOAD_STATS_PHASES = 32, LOAD_STATS_MARKS = 1024, LOAD_STATS_EXAMPLES = 10 };
enum { LOAD_PHASE_NAME_BYTES = 32, LOAD_EXAMPLE_BYTES = 200 };

struct load_cell {
    uint64_t outcomes[LOAD_OUTCOMES];
    uint64_t races; /* reused idle connections that closed before a byte of the answer; not failures */
    struct histogram latency_ns; /* of successes */
};

struct load_gap {
    uint64_t length_ns;
    uint64_t begin_ns; /* since the start of the run */
};

struct load_phase {
    char name[LOAD_PHASE_NAME_BYTES];
    struct load_cell *cells[LOAD_STATS_MODES]; /* NULL while nothing was booked */
    struct load_gap gap;
};

struct load_mark {
    unsigned phase;
    uint64_t at_ns; /* since the start of the run */
};

struct load_stats {
    uint64_t start_ns, end_ns;
    uint64_t begun;       /* requests; equal to the sum of all outcomes when nothing is in flight */
    uint64_t connections; /* opened */
    uint64_t idle_closes; /* connections the server closed while no request was on them: its right */
    uint64_t last_success_ns;
    bool measure_gap;

    const char *modes[LOAD_STATS_MODES];
    uint64_t mode_successes[LOAD_STATS_MODES];
    unsigned mode_count;
    struct load_phase phases[LOAD_STATS_PHASES];
    unsigned phase_count, phase; /* `phase`: the current one */
    struct load_mark marks[LOAD_STATS_MARKS];
    unsigned mark_count;
    char examples[LOAD_STATS_EXAMPLES][LOAD_EXAMPLE_BYTES];
    unsigned example_count;
};

/* Begin at `now_ns` in the phase `first`. */
void load_stats_init(struct load_stats *stats, const char *first, uint64_t now_ns);
void load_stats_free(struct load_stats *stats);

/* A mode of the run (`name` is not copied); returns its number for the calls below, -E2BIG at the limit. */
int load_stats_mode(struct load_stats *stats, const char *name);

/* Enter the phase `name`, an earlier one of that name again. -E2BIG when there are too many: nothing changes.
 */
int load_stats_mark(struct load_stats *stats, const char *name, uint64_t now_ns);

/* Book one request. `latency_ns` counts for successes. */
void load_stats_record(struct load_stats *stats, unsigned mode, enum load_outcome outcome,
                       uint64_t latency_ns, uint64_t now_ns);
void load_stats_race(struct load_stats *stats, unsigned mode);

/* Keep a failure in words, if it is among the first ones. */
void load_stats_example(struct load_stats *stats, unsigned mode, enum load_outcome outcome,
                        const char *detail, uint64_t now_ns);

/* The load ends here: closes the last gap. What is still in flight may be recorded later. */
void load_stats_end_of_load(struct load_stats *stats, uint64_t now_ns);

/* Add up `into`: one phase (or all: phase < 0), one mode (or all: mode < 0). */
void load_stats_sum(const struct load_stats *stats, int phase, int mode, struct load_cell *into);
uint64_t load_cell_failures(const struct load_cell *cell);

/* The longest gap of all phases. */
struct load_gap load_stats_gap(const struct load_stats *stats);

#endif
