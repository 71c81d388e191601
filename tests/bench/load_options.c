#include "tests/bench/load_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load_clock.h"
#include "tests/bench/load_header.h"

static const char usage_begin[] =
    "usage: load MODE... [OPTION]... URL...\n"
    "URL: http://127.0.0.1:8080/path, http://[::1]:8080/path or unix:/run/app.sock:/path; without a path\n"
    "it names the server of the --post that follow. Requests take the targets in turn.\n"
    "Modes, each may be given more than once; [] is what holds when nothing is said:\n";

static const char usage_options[] =
    "Duration: whichever comes first, or SIGINT or SIGTERM. What is in flight is finished\n"
    "  --seconds S                  [3600]\n"
    "  --requests N                 in all\n"
    "Targets\n"
    "  --post PATH|URL BODY         in both {n} is the number of the request, {run} a token of this run\n"
    "  --expect STATUS[,STATUS]     of the target before it; at the beginning: of all [200; posts 200,201]\n"
    "  --body any|same|FILE         likewise: not compared; the same in each version; these bytes [any]\n"
    "  --verify-acknowledged PATH   at the end, what the --post before it had acknowledged is read back\n"
    "  --contains TEXT              ... and must contain this; up to 8 times\n"
    "  --header 'NAME: VALUE'       sent with every request\n"
    "  --source ADDRESS[/COUNT]     source addresses to go round [loopback servers: 127.0.0.1/64]\n"
    "  --timeout-ms N               longest silence of the server [10000]\n"
    "  --connect-timeout-ms N       [5000]\n"
    "Report\n"
    "  --version-header NAME        count the versions of the server by this header; up to 4 times\n"
    "  --phases A,B,...             names of the phases; SIGUSR1 enters the next one [steady,upgrade]\n"
    "  --mark-fd FD                 each line read from FD names the phase that begins\n"
    "  --ready-fd FD                a line is written here when every mode has had a success\n"
    "  --run TOKEN                  what {run} is [random]\n"
    "  --json                       the fields are explained at the top of tests/bench/load.c\n"
    "  --races-fail                 reused connections closed before any byte of an answer are failures\n"
    "Exit: 0 no failures, 1 failures, 2 usage\n";

static const char *parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    static char allowed[80];
    char *end;

    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno && value >= min && value <= max) {
        *out = value;
        return NULL;
    }
    snprintf(allowed, sizeof allowed, "a number from %" PRIu64 " to %" PRIu64, min, max);
    return allowed;
}

static const char *parse_milliseconds(const char *text, unsigned *out)
{
    uint64_t value = 0;
    const char *wrong = parse_number(text, 1, 3600000, &value);

    *out = (unsigned)value;
    return wrong;
}

static const char *parse_fd(const char *text, int *out)
{
    uint64_t value;
    const char *wrong = parse_number(text, 0, 1 << 20, &value);

    if (wrong)
        return wrong;
    if (fcntl((int)value, F_GETFD) < 0)
        return "this descriptor is not open";
    *out = (int)value;
    return NULL;
}

static const char *set_seconds(struct load_options *options, const char *value)
{
    char *end;

    options->seconds = strtod(value, &end);
    if (*value < '0' || *value > '9' || *end || !(options->seconds > 0) || options->seconds > 86400)
        return "a number of seconds up to 86400, as 10 or 0.5";
    return NULL;
}

static const char *set_requests(struct load_options *options, const char *value)
{
    return parse_number(value, 1, UINT64_MAX - 1, &options->requests);
}

static const char *set_expect(struct load_options *options, const char *value)
{
    return load_targets_expect(&options->targets, value);
}

static const char *set_body(struct load_options *options, const char *value)
{
    return load_targets_body(&options->targets, value);
}

static const char *set_verify(struct load_options *options, const char *value)
{
    return load_targets_verify(&options->targets, value);
}

static const char *set_contains(struct load_options *options, const char *value)
{
    return load_targets_contains(&options->targets, value);
}

static const char *set_header(struct load_options *options, const char *value)
{
    struct load_span line = { value, strlen(value) }, name, content;

    if (!load_header_split(line, &name, &content))
        return "a header is \"Name: value\"";
    load_buffer_text(&options->headers, value);
    load_buffer_text(&options->headers, "\r\n");
    return NULL;
}

static const char *set_version_header(struct load_options *options, const char *value)
{
    if (options->version_header_count == LOAD_VERSION_HEADERS)
        return "at most four headers";
    options->version_headers[options->version_header_count++] = value;
    return NULL;
}

static const char *set_timeout(struct load_options *options, const char *value)
{
    return parse_milliseconds(value, &options->timeout_ms);
}

static const char *set_connect_timeout(struct load_options *options, const char *value)
{
    return parse_milliseconds(value, &options->connect_timeout_ms);
}

static const char *set_source(struct load_options *options, const char *value)
{
    size_t length = strcspn(value, "/");
    char address[INET_ADDRSTRLEN] = "";
    uint64_t count = 1;

    if (length < sizeof address)
        memcpy(address, value, length);
    if (inet_pton(AF_INET, address, &options->source) != 1)
        return "an IPv4 address and, if wanted, a count: 127.0.0.1/64";
    const char *wrong = value[length] ? parse_number(value + length + 1, 1, 65536, &count) : NULL;
    options->sources = (unsigned)count;
    return wrong;
}

static const char *set_phases(struct load_options *options, const char *value)
{
    options->phase_count = 0;
    while (options->phase_count < LOAD_PHASE_NAMES) {
        size_t length = strcspn(value, ",");

        if (length == 0 || length >= LOAD_PHASE_NAME_BYTES)
            break;
        snprintf(options->phases[options->phase_count++], LOAD_PHASE_NAME_BYTES, "%.*s", (int)length, value);
        if (value[length] == '\0')
            return NULL;
        value += length + 1;
    }
    return "one to eight names of at most 31 bytes, separated by commas";
}

static const char *set_mark_fd(struct load_options *options, const char *value)
{
    return parse_fd(value, &options->mark_fd);
}

static const char *set_ready_fd(struct load_options *options, const char *value)
{
    return parse_fd(value, &options->ready_fd);
}

static const char *set_run(struct load_options *options, const char *value)
{
    size_t length = strlen(value);

    if (length == 0 || length >= LOAD_RUN_BYTES)
        return "a token of 1 to 23 bytes";
    memcpy(options->run, value, length + 1);
    return NULL;
}

static const char *set_json(struct load_options *options, const char *value)
{
    (void)value;
    options->json = true;
    return NULL;
}

static const char *set_races_fail(struct load_options *options, const char *value)
{
    (void)value;
    options->races_fail = true;
    return NULL;
}

static const struct setter {
    const char *name;
    const char *(*set)(struct load_options *options, const char *value);
    int argument;
} setters[] = {
    { "seconds", set_seconds, required_argument },
    { "requests", set_requests, required_argument },
    { "expect", set_expect, required_argument },
    { "body", set_body, required_argument },
    { "verify-acknowledged", set_verify, required_argument },
    { "contains", set_contains, required_argument },
    { "header", set_header, required_argument },
    { "source", set_source, required_argument },
    { "timeout-ms", set_timeout, required_argument },
    { "connect-timeout-ms", set_connect_timeout, required_argument },
    { "version-header", set_version_header, required_argument },
    { "phases", set_phases, required_argument },
    { "mark-fd", set_mark_fd, required_argument },
    { "ready-fd", set_ready_fd, required_argument },
    { "run", set_run, required_argument },
    { "json", set_json, no_argument },
    { "races-fail", set_races_fail, no_argument },
};

/* What getopt_long() returns: a setter, a mode, or one of the two options that are neither. */
enum {
    SETTERS = sizeof setters / sizeof *setters,
    ID_URL = 1,
    ID_SETTER = 256,
    ID_MODE = 512,
    ID_POST = 1024,
    ID_HELP
};

static void list_options(struct option list[SETTERS + LOAD_MODES + 3])
{
    unsigned count = 0;

    for (unsigned i = 0; i < SETTERS; i++)
        list[count++] = (struct option){ setters[i].name, setters[i].argument, NULL, (int)(ID_SETTER + i) };
    for (unsigned mode = 0; mode < LOAD_READ_BACK; mode++)
        list[count++] =
            (struct option){ load_mode_name(mode), required_argument, NULL, (int)(ID_MODE + mode) };
    list[count++] = (struct option){ "post", required_argument, NULL, ID_POST };
    list[count++] = (struct option){ "help", no_argument, NULL, ID_HELP };
    list[count] = (struct option){ NULL, 0, NULL, 0 };
}

static const char *add_plan(struct load_options *options, enum load_mode mode, const char *value)
{
    if (options->plan_count == LOAD_PLANS_MAX)
        return "at most eight modes";
    return load_plan_parse(mode, value, &options->plans[options->plan_count++]);
}

/* The only option with two values: getopt knows of the first. */
static const char *add_post(struct load_options *options, int argc, char **argv, const char *where)
{
    if (optind == argc)
        return "the body must follow";
    return load_targets_post(&options->targets, where, argv[optind++]);
}

static const char *check_together(const struct load_options *options)
{
    if (options->plan_count == 0)
        return "at least one mode is needed: --short, --keepalive, --slow-response, --slow-upload or --rate";
    for (unsigned i = 0; i < options->plan_count; i++) {
        if (options->plans[i].pause_ms >= options->timeout_ms)
            return "pause-ms must be less than --timeout-ms: the pause would look like silence of the server";
    }
    return NULL;
}

static const char *option_name(int id)
{
    if (id == ID_POST)
        return "post";
    return id >= ID_MODE ? load_mode_name((enum load_mode)(id - ID_MODE)) : setters[id - ID_SETTER].name;
}

static int mistake(int id, const char *value, const char *wrong)
{
    if (id == ID_URL)
        fprintf(stderr, "load: %s: %s\n", value, wrong);
    else
        fprintf(stderr, "load: --%s %s: %s\n", option_name(id), value, wrong);
    return -EINVAL;
}

static const char *apply(struct load_options *options, int argc, char **argv, int id)
{
    if (id == ID_URL)
        return load_targets_url(&options->targets, optarg);
    if (id == ID_POST)
        return add_post(options, argc, argv, optarg);
    if (id >= ID_MODE)
        return add_plan(options, (enum load_mode)(id - ID_MODE), optarg);
    return setters[id - ID_SETTER].set(options, optarg);
}

static int help(void)
{
    fputs(usage_begin, stdout);
    load_plan_usage();
    fputs(usage_options, stdout);
    return LOAD_OPTIONS_HELP;
}

static void set_defaults(struct load_options *options)
{
    *options = (struct load_options){ .seconds = 3600,
                                      .requests = UINT64_MAX,
                                      .timeout_ms = 10000,
                                      .connect_timeout_ms = 5000,
                                      .mark_fd = -1,
                                      .ready_fd = -1 };
    set_phases(options, "steady,upgrade");
    snprintf(options->run, sizeof options->run, "%" PRIx64, load_now_ns());
}

int load_options_parse(int argc, char **argv, struct load_options *out)
{
    struct option list[SETTERS + LOAD_MODES + 3];
    const char *wrong;
    int id;

    set_defaults(out);
    list_options(list);
    optind = 0; /* "-" below: URLs are seen in their place among the options */
    while ((id = getopt_long(argc, argv, "-", list, NULL)) != -1) {
        if (id == ID_HELP)
            return help();
        if (id == '?')
            return -EINVAL;
        wrong = apply(out, argc, argv, id);
        if (wrong)
            return mistake(id, optarg ? optarg : "", wrong);
    }
    wrong = check_together(out);
    if (!wrong)
        wrong = load_targets_complete(&out->targets);
    if (wrong)
        fprintf(stderr, "load: %s (see --help)\n", wrong);
    return wrong ? -EINVAL : 0;
}

void load_options_free(struct load_options *options)
{
    load_targets_free(&options->targets);
    load_buffer_free(&options->headers);
}
