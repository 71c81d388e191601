/* What the workers of the tests have in common: an HTTP server that tells who answered, and faults on
 * request.
 *
 * GET of any path is answered with 200 and a small body, GET /healthz as well; `?ms=N` delays the answer.
 * Every answer carries X-Generation, X-Pid and X-Label. Options of both workers:
 *
 *     --label TEXT             X-Label and the body: which release this is [none]
 *     --linger-ms N            how long idle connections are still served in a drain [200]
 *     --ready-when FILE        be ready only when FILE exists
 *     --unhealthy              /healthz is answered with 500
 *     --exit-at-start N        exit at once with status N
 *     --fail-when FILE         exit at once with status 1 if FILE exists
 *     --exit-after-ready N     say that it is ready, then exit with status N
 *     --crash-after-ready      say that it is ready, then SIGSEGV
 *     --exit-when FILE         exit with status 7 as soon as FILE exists
 *     --hang-before-ready      never say that it is ready, and serve nothing
 *     --ignore-term            SIGTERM does nothing
 *     --leak-fds               leave a child behind that holds every descriptor, for a minute at most
 *     --env-dump FILE          write what it was started with (see inspection.h) to FILE, complete when it
 * appears
 */
#ifndef BATON_TESTS_WORKER_H
#define BATON_TESTS_WORKER_H

#include <ev.h>
#include <stdbool.h>

#include "tests/workers/appearance.h"
#include "worker/http/server.h"

struct worker {
    struct ev_loop *loop;
    struct http_server *server;

    /* Options. */
    const char *label, *ready_when, *fail_when, *exit_when, *env_dump;
    int linger_ms, exit_at_start, exit_after_ready; /* the last two -1: do not */
    bool unhealthy, crash_after_ready, hang_before_ready, ignore_term, leak_fds;

    /* Private. */
    char fields[256];
    struct appearance ready_file, exit_file;
    void (*on_ready)(struct worker *worker);
    ev_signal terminate;
    void (*on_terminate)(struct worker *worker);
};

/* An option of one of the two workers beyond those above; `flag` or `text` is set. The list ends with a NULL
 * name. */
struct worker_option {
    const char *name;
    bool *flag;
    const char **text;
};

/* Read the command line (a mistake ends the program with 2), do what --exit-at-start, --fail-when, --env-dump
 * and
 * --leak-fds say, and create the server. */
void worker_open(struct worker *worker, int argc, char **argv, const struct worker_option *more);

/* Call `on_ready` from the loop when the worker shall say that it is ready: at once, with --ready-when later,
 * with
 * --hang-before-ready never. On SIGTERM call `on_terminate`, unless it is to be ignored. */
void worker_start(struct worker *worker, void (*on_ready)(struct worker *worker),
                  void (*on_terminate)(struct worker *worker));

/* It has been said and is on its way: do what --exit-after-ready and --crash-after-ready say. */
void worker_was_ready(struct worker *worker);

/* Stop accepting, finish, then end the loop. */
void worker_drain(struct worker *worker, uint32_t deadline_ms);

#endif
