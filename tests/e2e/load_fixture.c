#include "tests/e2e/load_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/program.h"

enum { WORDS = 64, LINE_BYTES = 2048 };

struct load_child load_child = { .fd = -1 };
struct load_server load_server;
static struct program server;

static void become(const char *path, char **argv, int in, int out)
{
    struct rlimit limit = { load_child.descriptors, load_child.descriptors };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(0);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(126);
    if (load_child.fd >= 0 && dup2(load_child.fd, 9) < 0)
        _exit(126);
    if (load_child.descriptors && setrlimit(RLIMIT_NOFILE, &limit) < 0)
        _exit(126);
    execv(path, argv);
    _exit(127);
}

struct program load_fixture_program(const char *name, const char *line)
{
    char *path = program_path(name), *words = strdup(line), *rest = words;
    char *argv[WORDS] = { path };
    int in[2], out[2], argc = 1;

    while (argc < WORDS - 1 && (argv[argc] = strsep(&rest, " ")))
        argc += *argv[argc] != '\0';
    argv[argc] = NULL;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(path, argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    free(path);
    free(words);
    return (struct program){ pid, in[1], out[0] };
}

int load_fixture_finish(struct program *program)
{
    int status;

    close(program->in);
    close(program->out);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- the server --- */

static struct program start_server(const char *line, unsigned ports[3])
{
    struct program program = load_fixture_program("tests/workers/misbehave", line);
    char text[64];
    ssize_t length = read(program.out, text, sizeof text - 1);

    assert_true(length > 0);
    text[length] = '\0';
    assert_int_equal(sscanf(text, "%u %u %u", &ports[0], &ports[1], &ports[2]), 3);
    return program;
}

struct program load_fixture_server(const char *line, unsigned *http)
{
    unsigned ports[3];
    struct program program = start_server(line, ports);

    *http = ports[0];
    return program;
}

int load_fixture_start(void **state)
{
    char directory[] = "/tmp/load_fixture.XXXXXX", line[96];
    unsigned ports[3];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(load_server.path, sizeof load_server.path, "%s/socket", directory);
    snprintf(line, sizeof line, "--unix %s", load_server.path);
    server = start_server(line, ports);
    load_server.http = ports[0];
    load_server.refused = ports[1];
    load_server.deaf = ports[2];
    return 0;
}

int load_fixture_stop(void **state)
{
    char path[96];

    (void)state;
    assert_int_equal(load_fixture_finish(&server), 0);
    snprintf(path, sizeof path, "%s.deaf", load_server.path);
    unlink(path);
    unlink(load_server.path);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    assert_int_equal(errno, ECHILD);
    return 0;
}

/* --- the report --- */

long number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        fail_msg("\"%s\" is missing", key);
    return (long)json_integer_value(value);
}

long failures(const json_t *report, const char *class)
{
    return number(json_object_get(report, "failures_by_class"), class);
}

static long sum_of_modes(const json_t *modes, const char *key)
{
    long sum = 0;
    size_t index;
    const json_t *mode;

    json_array_foreach (modes, index, mode)
        sum += number(mode, key);
    return sum;
}

static long sum_of_phases(const json_t *phases, const char *key)
{
    long sum = 0;
    size_t index;
    const json_t *phase;

    json_array_foreach (phases, index, phase)
        sum += sum_of_modes(json_object_get(phase, "modes"), key);
    return sum;
}

static long sum_of_classes(json_t *classes)
{
    const char *class;
    json_t *count;
    long sum = 0;

    json_object_foreach (classes, class, count)
        sum += json_integer_value(count);
    return sum;
}

/* Whatever happens, every request is counted once, by class, by mode and by phase. */
static void assert_consistent(const json_t *report)
{
    static const char *const keys[] = { "requests", "successes", "failures", "races" };
    const json_t *modes = json_object_get(report, "modes"), *phases = json_object_get(report, "phases");

    assert_int_equal(number(report, "requests"), number(report, "successes") + number(report, "failures"));
    assert_int_equal(sum_of_classes(json_object_get(report, "failures_by_class")),
                     number(report, "failures"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(sum_of_modes(modes, keys[i]), number(report, keys[i]));
        assert_int_equal(sum_of_phases(phases, keys[i]), number(report, keys[i]));
    }
}

struct program load_fixture_begin(const char *format, ...)
{
    char line[LINE_BYTES] = "--json ";
    va_list list;

    va_start(list, format);
    vsnprintf(line + 7, sizeof line - 7, format, list);
    va_end(list);
    return load_fixture_program("tests/bench/load", line);
}

json_t *load_fixture_end(struct program *program, int exit_status)
{
    FILE *out = fdopen(dup(program->out), "r");
    json_error_t error;
    json_t *report = json_loadf(out, 0, &error);

    fclose(out);
    int status = load_fixture_finish(program);
    if (!report)
        fail_msg("the report is no JSON: %s (exit status %d)", error.text, status);
    if (status != exit_status) {
        json_dumpf(report, stderr, JSON_INDENT(1));
        fail_msg("exit status %d in place of %d", status, exit_status);
    }
    assert_consistent(report);
    return report;
}
