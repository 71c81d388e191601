#include "tests/workers/worker.h"

#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/workers/inspection.h"
#include "worker/http/target.h"

enum { OPTIONS_MAX = 32, LEAK_S = 60, STATUS_OF_EXIT_WHEN = 7 };

/* --- answers --- */

struct delay {
    ev_timer timer;
    struct worker *worker;
    struct http_exchange *exchange;
};

static void answer(struct worker *worker, struct http_exchange *exchange)
{
    bool unhealthy = worker->unhealthy && !strcmp(exchange->request.path, "/healthz");

    http_buffer_printf(&exchange->response.body, "%s\n", worker->label);
    http_exchange_answer(exchange, unhealthy ? 500 : 200, "text/plain");
}

static void on_delay_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct delay *delay = timer->data;

    (void)loop, (void)events;
    answer(delay->worker, delay->exchange);
    free(delay);
}

static void handle(void *arg, struct http_exchange *exchange)
{
    struct worker *worker = arg;
    char text[16];

    if (http_query_get(exchange->request.query, "ms", text, sizeof text) != 1) {
        answer(worker, exchange);
        return;
    }
    struct delay *delay = malloc(sizeof *delay);
    if (!delay)
        abort();
    *delay = (struct delay){ .worker = worker, .exchange = exchange };
    ev_timer_init(&delay->timer, on_delay_over, strtod(text, NULL) / 1000, 0);
    delay->timer.data = delay;
    ev_timer_start(worker->loop, &delay->timer);
}

static void create_server(struct worker *worker)
{
    const char *generation = getenv("BATON_GENERATION");
    struct http_settings settings = http_default_settings;

    snprintf(worker->fields, sizeof worker->fields, "X-Generation: %s\r\nX-Pid: %d\r\nX-Label: %s\r\n",
             generation ? generation : "0", (int)getpid(), worker->label);
    settings.fields = worker->fields;
    settings.linger_ms = (uint32_t)worker->linger_ms;
    if (http_server_create(&worker->server, worker->loop, &settings, handle, worker))
        errx(2, "no memory for the server");
}

/* --- options --- */

static int number(const char *option, const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (!*text || *end || value < 0 || value > 1000000)
        errx(2, "--%s %s: give a number", option, text);
    return (int)value;
}

struct parser {
    struct worker_option known[OPTIONS_MAX];
    struct option options[OPTIONS_MAX + 1];
    size_t count;
};

static void add_options(struct parser *parser, const struct worker_option *options)
{
    for (; options->name; options++) {
        if (parser->count == OPTIONS_MAX)
            abort();
        parser->known[parser->count] = *options;
        parser->options[parser->count++] = (struct option){
            .name = options->name,
            .has_arg = options->flag ? no_argument : required_argument,
        };
    }
}

static void read_options(struct worker *worker, int argc, char **argv, const struct worker_option *more)
{
    const char *linger_ms = "200", *exit_at_start = NULL, *exit_after_ready = NULL;
    const struct worker_option common[] = {
        { "label", NULL, &worker->label },
        { "linger-ms", NULL, &linger_ms },
        { "ready-when", NULL, &worker->ready_when },
        { "unhealthy", &worker->unhealthy, NULL },
        { "exit-at-start", NULL, &exit_at_start },
        { "fail-when", NULL, &worker->fail_when },
        { "exit-after-ready", NULL, &exit_after_ready },
        { "crash-after-ready", &worker->crash_after_ready, NULL },
        { "exit-when", NULL, &worker->exit_when },
        { "hang-before-ready", &worker->hang_before_ready, NULL },
        { "ignore-term", &worker->ignore_term, NULL },
        { "leak-fds", &worker->leak_fds, NULL },
        { "env-dump", NULL, &worker->env_dump },
        { 0 },
    };
    struct parser parser = { 0 };
    int index, found;

    worker->label = "none";
    add_options(&parser, common);
    add_options(&parser, more);
    while ((found = getopt_long(argc, argv, "", parser.options, &index)) == 0) {
        if (parser.known[index].flag)
            *parser.known[index].flag = true;
        else
            *parser.known[index].text = optarg;
    }
    if (found != -1 || optind < argc)
        errx(2, "see the head of tests/workers/worker.h for the options");
    worker->linger_ms = number("linger-ms", linger_ms);
    worker->exit_at_start = exit_at_start ? number("exit-at-start", exit_at_start) : -1;
    worker->exit_after_ready = exit_after_ready ? number("exit-after-ready", exit_after_ready) : -1;
}

/* --- faults --- */

/* Written in memory first, so that the file itself is not among the descriptors. */
static void dump_environment(const char *path, int argc, char **argv)
{
    char temporary[4096], *text;
    size_t length;
    FILE *memory = open_memstream(&text, &length);

    if (!memory)
        err(2, "open_memstream");
    inspection_write(memory, argc, argv);
    fclose(memory);
    snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
    FILE *file = fopen(temporary, "we");
    if (!file || fwrite(text, 1, length, file) != length || fclose(file) || rename(temporary, path))
        err(2, "%s", path);
    free(text);
}

static void leak_descriptors(void)
{
    if (fork() != 0)
        return;
    for (int fd = 3; fd < 1024; fd++) /* also over an exec */
        fcntl(fd, F_SETFD, 0);
    alarm(LEAK_S);
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

void worker_open(struct worker *worker, int argc, char **argv, const struct worker_option *more)
{
    read_options(worker, argc, argv, more);
    if (worker->env_dump)
        dump_environment(worker->env_dump, argc, argv);
    if (worker->exit_at_start >= 0)
        exit(worker->exit_at_start);
    if (worker->fail_when && !access(worker->fail_when, F_OK))
        errx(1, "told to fail by %s", worker->fail_when);
    if (worker->leak_fds)
        leak_descriptors();
    worker->loop = ev_default_loop(EVFLAG_AUTO);
    if (!worker->loop)
        errx(2, "no event loop");
    create_server(worker);
}

static void on_exit_file(void *arg)
{
    (void)arg;
    _exit(STATUS_OF_EXIT_WHEN);
}

static void on_ready_file(void *arg)
{
    struct worker *worker = arg;

    worker->on_ready(worker);
}

static void on_sigterm(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct worker *worker = watcher->data;

    (void)loop, (void)events;
    if (!worker->ignore_term)
        worker->on_terminate(worker);
}

void worker_start(struct worker *worker, void (*on_ready)(struct worker *worker),
                  void (*on_terminate)(struct worker *worker))
{
    worker->on_ready = on_ready;
    worker->on_terminate = on_terminate;
    ev_signal_init(&worker->terminate, on_sigterm, SIGTERM);
    worker->terminate.data = worker;
    ev_signal_start(worker->loop, &worker->terminate);
    if (worker->exit_when)
        appearance_await(&worker->exit_file, worker->loop, worker->exit_when, on_exit_file, worker);
    if (worker->hang_before_ready)
        return;
    if (worker->ready_when)
        appearance_await(&worker->ready_file, worker->loop, worker->ready_when, on_ready_file, worker);
    else
        on_ready(worker);
}

void worker_was_ready(struct worker *worker)
{
    const struct rlimit no_core = { 0 };

    if (worker->exit_after_ready >= 0)
        _exit(worker->exit_after_ready);
    if (!worker->crash_after_ready)
        return;
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would report it as ours */
    raise(SIGSEGV);
}

static void on_drained(void *arg, uint32_t cut)
{
    struct worker *worker = arg;

    (void)cut;
    ev_break(worker->loop, EVBREAK_ALL);
}

void worker_drain(struct worker *worker, uint32_t deadline_ms)
{
    http_server_drain(worker->server, deadline_ms, on_drained, worker);
}
