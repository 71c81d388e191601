#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/blog/blog.h"
#include "worker/http/lifecycle.h"

enum { LINGER_LIMIT_MS = 3600 * 1000, EXIT_USAGE = 2 };

struct options {
    const char *data;
    const char *listen; /* NULL: baton gives the sockets */
    uint32_t linger_ms;
};

static const char help[] =
    "usage: %s --data DIR [--listen ADDR:PORT] [--linger TIME]\n"
    "\n"
    "  --data DIR          where blog.db is or will be\n"
    "  --listen ADDR:PORT  a socket of its own, for running without baton\n"
    "  --linger TIME       how long idle connections are still served once the program\n"
    "                      drains: 500ms, 2s (the default)\n";

/* "500ms" or "2s". */
static bool parse_time(const char *text, uint32_t *time_ms)
{
    char *unit;
    unsigned long value = strtoul(text, &unit, 10);
    unsigned long factor = !strcmp(unit, "s") ? 1000 : !strcmp(unit, "ms") ? 1 : 0;

    if (*text < '0' || *text > '9' || factor == 0 || value > LINGER_LIMIT_MS / factor)
        return false;
    *time_ms = (uint32_t)(value * factor);
    return true;
}

/* Returns 0; otherwise the exit status, plus one, after telling why. */
static int parse_options(struct options *options, const char *program, int argc, char **argv)
{
    static const struct option known[] = {
        { "data", required_argument, NULL, 'd' },
        { "listen", required_argument, NULL, 'l' },
        { "linger", required_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (letter) {
        case 'd':
            options->data = optarg;
            break;
        case 'l':
            options->listen = optarg;
            break;
        case 'w':
            if (parse_time(optarg, &options->linger_ms))
                break;
            fprintf(stderr, "%s: --linger %s: give a time like 500ms or 2s, at most 3600s\n", program,
                    optarg);
            return EXIT_USAGE + 1;
        case 'h':
            printf(help, program);
            return EXIT_SUCCESS + 1;
        default:
            fprintf(stderr, help, program);
            return EXIT_USAGE + 1;
        }
    }
    if (options->data && optind == argc)
        return 0;
    fprintf(stderr, "%s: %s\n", program,
            options->data ? "there are no arguments without --" : "--data is missing");
    fprintf(stderr, help, program);
    return EXIT_USAGE + 1;
}

static int serve(struct http_lifecycle *lifecycle, struct blog *blog, const struct options *options)
{
    struct http_settings settings = http_default_settings;
    struct http_server *server;
    char fields[80];

    snprintf(fields, sizeof fields, "X-Blog-Version: %d\r\nX-Baton-Generation: %u\r\n", blog->release->number,
             http_lifecycle_generation(lifecycle));
    settings.fields = fields;
    settings.linger_ms = options->linger_ms;
    if (http_server_create(&server, blog->loop, &settings, blog_handle, blog) < 0)
        return http_lifecycle_fail(lifecycle, "out of memory");
    int status = http_lifecycle_run(lifecycle, server, options->listen);
    http_server_free(server);
    return status;
}

int blog_main(const struct blog_release *release, int argc, char **argv)
{
    struct options options = { .linger_ms = http_default_settings.linger_ms };
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
    struct http_lifecycle lifecycle;
    char reason[BLOG_REASON_BYTES];
    struct blog blog;
    int status = parse_options(&options, release->program, argc, argv);

    if (status != 0)
        return status - 1;
    if (!loop) {
        fprintf(stderr, "%s: the system has no epoll to spare\n", release->program);
        return EXIT_FAILURE;
    }
    status = http_lifecycle_open(&lifecycle, loop, release->program);
    if (status != 0)
        return status;
    if (blog_open(&blog, release, loop, options.data, reason) < 0)
        return http_lifecycle_fail(&lifecycle, "%s", reason);
    status = serve(&lifecycle, &blog, &options);
    blog_close(&blog);
    return status;
}
