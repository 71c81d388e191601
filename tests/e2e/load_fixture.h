/* What the tests of the load client share: a server that misbehaves, and runs of the client with their
 * reports. */
#ifndef BATON_TESTS_LOAD_FIXTURE_H
#define BATON_TESTS_LOAD_FIXTURE_H

#include <jansson.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

struct program {
    pid_t pid;
    int in, out; /* our ends of its stdin and stdout */
};

/* What the next programs are started with; reset before each test. */
extern struct load_child {
    rlim_t descriptors; /* their limit; 0: as ours */
    int fd;             /* becomes their descriptor 9; -1: none */
} load_child;

/* The server of the whole group: tests/workers/misbehave. */
extern struct load_server {
    unsigned http, refused, deaf; /* ports */
    char path[64];                /* its UNIX socket; PATH.deaf accepts nobody */
} load_server;

/* Setup and teardown of the group. */
int load_fixture_start(void **state);
int load_fixture_stop(void **state);

static inline int load_fixture_setup(void **state)
{
    load_child = (struct load_child){ .fd = -1 };
    return guard_setup(state);
}

#define LOAD_TEST(test) cmocka_unit_test_setup_teardown(test, load_fixture_setup, guard_teardown)

/* Start a program of the build tree. `line`: its arguments, separated by blanks. */
struct program load_fixture_program(const char *name, const char *line);

/* Start another server; its port is stored. */
struct program load_fixture_server(const char *line, unsigned *http);

/* Close its stdin and wait for its end. Returns the exit status, or minus the signal. */
int load_fixture_finish(struct program *program);

/* Start the load client with --json and these arguments. */
__attribute__((format(printf, 1, 2))) struct program load_fixture_begin(const char *format, ...);

/* Wait for its end, check the exit status and that the report is consistent. The report is the caller's. */
json_t *load_fixture_end(struct program *program, int exit_status);

/* Both: a whole run. */
#define LOAD(exit_status, ...)                                                                               \
    load_fixture_end((struct program[]){ load_fixture_begin(__VA_ARGS__) }, exit_status)

/* A number of the report, and one of its failures_by_class; absent: the test fails. */
long number(const json_t *object, const char *key);
long failures(const json_t *report, const char *class);

#endif
