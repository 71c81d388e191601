#include "tests/bench/load_run.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load_clock.h"

static const double sweep_seconds = 0.02; /* the grain of time-outs */

enum { READ_BACK_FAILURES = 100 }; /* then the rest is not read: a dead server answers no quicker */

/* --- phases --- */

static void mark(struct load_run *run, const char *name)
{
    if (load_stats_mark(&run->stats, name, load_now_ns()) < 0)
        fprintf(stderr, "load: too many phases or marks; \"%s\" is ignored\n", name);
}

static void on_next_phase(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct load_run *run = watcher->data;

    (void)loop;
    (void)events;
    run->phase = (run->phase + 1) % run->options->phase_count;
    mark(run, run->options->phases[run->phase]);
}

static void take_mark_byte(struct load_run *run, char byte)
{
    if (byte != '\n') {
        if (run->mark_bytes < sizeof run->mark_line - 1)
            run->mark_line[run->mark_bytes++] = byte;
        return;
    }
    run->mark_line[run->mark_bytes] = '\0';
    run->mark_bytes = 0;
    mark(run, run->mark_line);
}

static void on_marks(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct load_run *run = watcher->data;
    char bytes[256];
    ssize_t length = read(run->options->mark_fd, bytes, sizeof bytes);

    (void)events;
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
        ev_io_stop(loop, watcher);
    for (ssize_t i = 0; i < length; i++)
        take_mark_byte(run, bytes[i]);
}

/* --- begin and end --- */

/* No request begins any more, nobody pauses; after the grace time, what is left has failed. */
static void end_load(struct load_run *run)
{
    if (run->env.hurry)
        return;
    if (!load_supply_is_empty(&run->supply)) {
        for (unsigned i = 0; i < run->group_count; i++)
            load_group_stop(&run->groups[i]);
        load_supply_stop(&run->supply);
    }
    if (!run->supply.reading_back)
        load_stats_end_of_load(&run->stats, load_now_ns());
    run->env.hurry = true;
    for (unsigned i = 0; i < run->group_count; i++)
        load_group_hurry(&run->groups[i]);
    ev_timer_set(&run->grace, run->options->timeout_ms / 1000.0, 0.0);
    ev_timer_start(run->env.loop, &run->grace);
}

static void on_end(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    end_load(watcher->data);
}

static void on_end_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    end_load(watcher->data);
}

static void on_grace(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct load_run *run = watcher->data;

    (void)loop;
    (void)events;
    for (unsigned i = 0; i < run->group_count; i++)
        load_group_expire(&run->groups[i], load_now_ns(), true);
}

static void say_ready(struct load_run *run)
{
    if (run->ready_said || run->options->ready_fd < 0)
        return;
    for (unsigned i = 0; i < run->group_count; i++) {
        if (run->stats.mode_successes[run->groups[i].mode] == 0)
            return;
    }
    run->ready_said = true;
    dprintf(run->options->ready_fd, "ready\n");
}

static uint64_t mode_failures(const struct load_stats *stats, unsigned mode)
{
    struct load_cell cell = { 0 };

    load_stats_sum(stats, -1, (int)mode, &cell);
    return load_cell_failures(&cell);
}

static void on_sweep(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct load_run *run = watcher->data;
    uint64_t now_ns = load_now_ns();

    (void)loop;
    (void)events;
    for (unsigned i = 0; i < run->group_count; i++)
        load_group_expire(&run->groups[i], now_ns, false);
    say_ready(run);
    if (run->supply.reading_back && mode_failures(&run->stats, run->group_count - 1) >= READ_BACK_FAILURES)
        load_supply_stop(&run->supply);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    const struct load_run *run = watcher->data;

    (void)events;
    if (load_supply_is_empty(&run->supply) && run->env.in_flight == 0)
        ev_break(loop, EVBREAK_ALL);
}

/* --- set up --- */

static void watch_signal(struct load_run *run, ev_signal *watcher, int number,
                         void (*handler)(struct ev_loop *loop, ev_signal *watcher, int events))
{
    ev_signal_init(watcher, handler, number);
    watcher->data = run;
    ev_signal_start(run->env.loop, watcher);
}

static void watch(struct load_run *run)
{
    struct ev_loop *loop = run->env.loop;

    watch_signal(run, &run->interrupt, SIGINT, on_end_signal);
    watch_signal(run, &run->terminate, SIGTERM, on_end_signal);
    watch_signal(run, &run->next_phase, SIGUSR1, on_next_phase);
    ev_timer_init(&run->end, on_end, run->options->seconds, 0.0);
    ev_timer_init(&run->grace, on_grace, 0.0, 0.0);
    ev_timer_init(&run->sweep, on_sweep, sweep_seconds, sweep_seconds);
    ev_prepare_init(&run->done, on_prepare);
    run->end.data = run->grace.data = run->sweep.data = run->done.data = run;
    ev_timer_start(loop, &run->end);
    ev_timer_start(loop, &run->sweep);
    ev_prepare_start(loop, &run->done);
    if (run->options->mark_fd >= 0) {
        ev_io_init(&run->marks, on_marks, run->options->mark_fd, EV_READ);
        run->marks.data = run;
        ev_io_start(loop, &run->marks);
    }
}

/* The label of a mode that is used more than once: "keepalive", "keepalive#2". */
static void label(struct load_run *run, unsigned index, enum load_mode mode)
{
    unsigned same = 1;

    for (unsigned i = 0; i < index; i++)
        same += run->groups[i].plan.mode == mode;
    snprintf(run->labels[index], LOAD_LABEL_BYTES, same > 1 ? "%s#%u" : "%s", load_mode_name(mode), same);
}

static int add_group(struct load_run *run, const struct load_plan *plan)
{
    unsigned index = run->group_count++;

    label(run, index, plan->mode);
    int mode = load_stats_mode(&run->stats, run->labels[index]);
    assert(mode == (int)index);
    return load_group_init(&run->groups[index], &run->env, &run->supply, plan, (unsigned)mode);
}

static int set_up(struct load_run *run, struct load_options *options)
{
    int error = 0;

    memset(run, 0, sizeof *run);
    run->options = options;
    run->env = (struct load_env){
        .loop = ev_loop_new(EVFLAG_AUTO), .options = options, .stats = &run->stats, .versions = &run->versions
    };
    if (!run->env.loop)
        return -ENOMEM;
    run->versions.header_count = options->version_header_count;
    memcpy(run->versions.headers, options->version_headers, sizeof run->versions.headers);
    load_supply_init(&run->supply, &options->targets, options->requests);
    load_stats_init(&run->stats, options->phases[0], load_now_ns());
    for (unsigned i = 0; i < options->plan_count && !error; i++)
        error = add_group(run, &options->plans[i]);
    return error;
}

static int read_back(struct load_run *run)
{
    struct load_plan plan = load_plan_default(LOAD_READ_BACK);

    run->acknowledged = load_supply_read_back(&run->supply);
    if (run->acknowledged == 0)
        return 0;
    mark(run, load_mode_name(LOAD_READ_BACK));
    run->env.hurry = false;
    int error = add_group(run, &plan);
    if (error)
        return error;
    load_group_start(&run->groups[run->group_count - 1]);
    ev_run(run->env.loop, 0);
    run->read_back = run->stats.mode_successes[run->group_count - 1];
    return 0;
}

int load_run(struct load_run *run, struct load_options *options)
{
    int error = set_up(run, options);

    if (error)
        return error;
    watch(run);
    for (unsigned i = 0; i < run->group_count; i++)
        load_group_start(&run->groups[i]);
    ev_run(run->env.loop, 0);
    if (!run->env.hurry)
        load_stats_end_of_load(&run->stats, load_now_ns());
    ev_timer_stop(run->env.loop, &run->end);
    ev_timer_stop(run->env.loop, &run->grace);
    error = read_back(run);
    assert(error || run->env.in_flight == 0);
    return error;
}

void load_run_free(struct load_run *run)
{
    for (unsigned i = 0; i < run->group_count; i++)
        load_group_free(&run->groups[i]);
    load_stats_free(&run->stats);
    load_versions_free(&run->versions);
    if (run->env.loop)
        ev_loop_destroy(run->env.loop);
}
