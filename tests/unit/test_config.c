#include "supervisor/core/config.h"

#include <signal.h>

#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

static void an_unsaid_key_has_its_default(void **state)
{
    struct config *config = parse_right("[service blog]\ncommand = blog\n");
    const struct config_service *service = config_find_service(config, "blog");

    (void)state;
    assert_null(config->state_dir);
    assert_int_equal(config->log.kind, OUTPUT_STDERR);
    assert_int_equal(config->service_count, 1);
    assert_int_equal(service->workers, 1);
    assert_int_equal(service->umask, 0022);
    assert_int_equal(service->ready.kind, CHECK_AUTO);
    assert_int_equal(service->ready_timeout_ms, 30000);
    assert_int_equal(service->verify.kind, CHECK_NONE);
    assert_int_equal(service->drain, DRAIN_AUTO);
    assert_int_equal(service->drain_timeout_ms, 60000);
    assert_int_equal(service->stop_signal, SIGTERM);
    assert_int_equal(service->stop_timeout_ms, 10000);
    assert_int_equal(service->max_old, 2);
    assert_null(service->user);
    assert_null(service->environment);
    assert_null(service->listen);
    config_free(config);
}

static void a_whole_file_is_read(void **state)
{
    struct config *config = parse_right("[baton]\n"
                                        "state_dir = /srv/state\n"
                                        "log = journal      ; a comment\n"
                                        "[listener web]\n"
                                        "address = [::]:8080\n"
                                        "v6only = yes\n"
                                        "backlog = 17\n"
                                        "[listener local]\n"
                                        "address = unix:/run/blog.sock\n"
                                        "mode = 0660\n"
                                        "socket_group = www-data\n"
                                        "[service blog]\n"
                                        "command = /usr/libexec/blog --data \"/var/lib/my blog\" \\\n"
                                        "          --title 'a ; b'\n"
                                        "listen = web local\n"
                                        "user = blog\n"
                                        "output = /var/log/blog.log\n"
                                        "ready = http:/healthz=204\n"
                                        "verify = exec:check --fast\n");
    const struct config_service *service = &config->services[0];

    (void)state;
    assert_string_equal(config->state_dir, "/srv/state");
    assert_string_equal(config->listeners[0].address_text, "[::]:8080");
    assert_true(config->listeners[0].v6only);
    assert_int_equal(config->listeners[0].backlog, 17);
    assert_int_equal(config_find_listener(config, "local")->mode, 0660);
    assert_string_equal(config->listeners[1].socket_group, "www-data");
    assert_string_equal(service->command[2], "/var/lib/my blog");
    assert_string_equal(service->command[4], "a ; b");
    assert_null(service->command[5]);
    assert_string_equal(service->listen[1], "local");
    assert_string_equal(service->output.path, "/var/log/blog.log");
    assert_string_equal(service->ready.path, "/healthz");
    assert_int_equal(service->ready.status, 204);
    assert_string_equal(service->verify.argv[1], "--fast");
    assert_int_equal(service->where.line, 12);
    assert_string_equal(service->where.file, "x.ini");
    assert_null(config_find_service(config, "web"));
    config_free(config);
}

static void a_command_of_300_bytes_is_whole(void **state)
{
    char text[512], argument[301];

    (void)state;
    memset(argument, 'x', 300);
    argument[300] = '\0';
    snprintf(text, sizeof text, "[service s]\ncommand = run %s ; comment\n", argument);
    struct config *config = parse_right(text);
    assert_string_equal(config->services[0].command[1], argument);
    config_free(config);
}

static void a_name_of_60_bytes_is_whole_and_one_of_64_refused(void **state)
{
    char text[256];
    static const char name[] = "s23456789012345678901234567890123456789012345678901234567890";

    (void)state;
    snprintf(text, sizeof text, "[service %s]\ncommand = x\n", name);
    struct config *config = parse_right(text);
    assert_string_equal(config->services[0].name, name);
    config_free(config);
    snprintf(text, sizeof text, "[service %s1234]\ncommand = x\n", name);
    assert_refused(
        text, "x.ini:1: [service s234567890123456789012345678901234567890123456789012345678901234]: a name "
              "is a letter or digit, then letters, digits, '.', '_' and '-', at most 63 in all\n");
}

static void every_mistake_is_told_in_the_order_of_the_text(void **state)
{
    (void)state;
    assert_refused("[listener web]\n"
                   "address = 80\n"
                   "rescue = splice\n"
                   "[service blog]\n"
                   "comand = blog\n"
                   "listen = wbe\n"
                   "workers = 65\n"
                   "canary = 1%\n"
                   "workers = 2\n"
                   "backlog = 4\n"
                   "frobnicate = yes\n"
                   "nonsense\n",
                   "x.ini:3: rescue: not in this version\n"
                   "x.ini:4: [service blog]: command is missing\n"
                   "x.ini:5: comand: unknown key; did you mean command?\n"
                   "x.ini:7: workers: \"65\": too large; allowed: a number from 1 to 64\n"
                   "x.ini:8: canary: not in this version\n"
                   "x.ini:9: workers: already said on line 7\n"
                   "x.ini:10: backlog: belongs into [listener NAME]\n"
                   "x.ini:11: frobnicate: unknown key; baton.ini(5) lists the keys of [service NAME]\n"
                   "x.ini:12: neither [SECTION] nor KEY = VALUE\n");
}

static void a_value_is_quoted_in_its_error(void **state)
{
    (void)state;
    assert_refused(
        "[listener web]\naddress = localhost:80\n[service a]\ncommand = x\nlisten = web\n",
        "x.ini:2: address: \"localhost:80\": an address is PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH (udp: "
        "may stand before the first three)\n");
    assert_refused("[listener web]\naddress = 1.2.3.4:0\n[service a]\ncommand = x\nlisten = web\n",
                   "x.ini:2: address: \"1.2.3.4:0\": a port is a number from 1 to 65535\n");
}

static void sections_are_three(void **state)
{
    (void)state;
    assert_refused("[servic a]\ncommand = x\n",
                   "x.ini:1: [servic a]: unknown section; did you mean service?\n");
    assert_refused(
        "[module a]\ncommand = x\n[service]\ncommand = x\n[service a b]\ncommand = x\n[baton x]\n",
        "x.ini:1: [module a]: unknown section; allowed: [baton], [listener NAME] and [service NAME]\n"
        "x.ini:3: [service]: a name is missing\n"
        "x.ini:5: [service a b]: a name is a letter or digit, then letters, digits, '.', '_' and '-', at "
        "most 63 in all\n"
        "x.ini:7: [baton] has no name\n");
    assert_refused("[]\n[service\ncommand = x\n[service a] x\n",
                   "x.ini:1: []: unknown section; allowed: [baton], [listener NAME] and [service NAME]\n"
                   "x.ini:2: the ] is missing\n"
                   "x.ini:4: there is something behind the ]\n");
    assert_refused(
        "[listener probe]\naddress = 80\n[service a]\ncommand = x\nlisten = probe\n",
        "x.ini:1: [listener probe]: the name is taken: workers get the socket for http: checks under it\n");
}

static void a_section_stands_once(void **state)
{
    (void)state;
    assert_refused("[service a]\ncommand = x\n[service a]\ncommand = y\n[baton]\n[baton]\n",
                   "x.ini:3: [service a] is already on line 1\n"
                   "x.ini:6: [baton] is already on line 5\n");
}

static void a_key_stands_below_a_section(void **state)
{
    (void)state;
    assert_refused("command = x\n[service a]\ncommand = y\n",
                   "x.ini:1: command: a key belongs below a [SECTION]\n");
}

static void a_file_without_services_is_refused(void **state)
{
    (void)state;
    assert_refused("", "x.ini: there is no [service NAME] with a command\n");
    assert_refused("; nothing\n[baton]\nlog = stderr\n",
                   "x.ini: there is no [service NAME] with a command\n");
}

static void a_missing_file_is_told(void **state)
{
    const struct memory_file files[] = { { "x.ini", "" }, { NULL, NULL } };
    const struct config_io io = { memory_glob, memory_read, (void *)files };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_parse("y.ini", &io, &config, &errors), -EINVAL);
    assert_errors(&errors, "y.ini: cannot be read: No such file or directory\n");
}

/* --- include --- */

static void included_files_are_read_relative_to_the_main_file(void **state)
{
    static const struct memory_file files[] = {
        { "/etc/baton/main.ini", "[baton]\ninclude = conf.d/*.ini\ninclude = /srv/own.ini\n" },
        { "/etc/baton/conf.d/a.ini", "[listener web]\naddress = 80\n" },
        { "/etc/baton/conf.d/b.ini", "[service b]\ncommand = b\nlisten = web\n" },
        { "/srv/own.ini", "\n[service c]\ncommand = c\n" },
        { NULL, NULL },
    };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(parse_files(files, &config, &errors), 0);
    assert_int_equal(config->file_count, 4);
    assert_int_equal(config->service_count, 2);
    assert_string_equal(config_find_service(config, "c")->where.file, "/srv/own.ini");
    assert_int_equal(config_find_service(config, "c")->where.line, 2);
    config_free(config);
}

static void errors_name_the_file_they_are_in(void **state)
{
    static const struct memory_file files[] = {
        { "/e/main.ini",
          "[baton]\ninclude = d/*.ini none/*.ini gone.ini\n[service a]\ncommand = x\nworkers = 0\n" },
        { "/e/d/1.ini", "[service a]\ncommand = b\n" },
        { "/e/d/2.ini", "[service z]\nredy = auto\n[baton]\nlog = stderr\n" },
        { NULL, NULL },
    };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(parse_files(files, &config, &errors), -EINVAL);
    assert_errors(&errors, "/e/main.ini:2: include: /e/gone.ini: no such file\n"
                           "/e/main.ini:5: workers: \"0\": too small; allowed: a number from 1 to 64\n"
                           "/e/d/1.ini:1: [service a] is already in /e/main.ini on line 3\n"
                           "/e/d/2.ini:1: [service z]: command is missing\n"
                           "/e/d/2.ini:2: redy: unknown key; did you mean ready?\n"
                           "/e/d/2.ini:3: [baton] belongs into the main file, /e/main.ini\n");
}

static void no_file_is_read_twice(void **state)
{
    static const struct memory_file self[] = {
        { "/e/main.ini", "[baton]\ninclude = *.ini\n[service a]\ncommand = x\n" },
        { "/e/z.ini", "" },
        { NULL, NULL },
    };
    static const struct memory_file twice[] = {
        { "/e/main.ini", "[baton]\ninclude = d/* d/z.ini\n[service a]\ncommand = x\n" },
        { "/e/d/z.ini", "" },
        { NULL, NULL },
    };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(parse_files(self, &config, &errors), -EINVAL);
    assert_errors(&errors, "/e/main.ini:2: include: /e/main.ini includes itself\n");
    assert_int_equal(parse_files(twice, &config, &errors), -EINVAL);
    assert_errors(&errors, "/e/main.ini:2: include: /e/d/z.ini is included twice\n");
}

static int glob_fails(void *arg, const char *pattern, char ***paths, size_t *count)
{
    (void)pattern, (void)paths, (void)count;
    return *(int *)arg;
}

static int read_is_main(void *arg, const char *path, char **bytes, size_t *length)
{
    (void)arg, (void)path;
    *bytes = strdup("[baton]\ninclude = d/*\n[service a]\ncommand = x\n");
    *length = strlen(*bytes);
    return 0;
}

static void a_directory_that_cannot_be_read_is_told(void **state)
{
    int error = -EACCES;
    const struct config_io io = { glob_fails, read_is_main, &error };
    struct config *config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_parse("/e/m.ini", &io, &config, &errors), -EINVAL);
    assert_errors(&errors, "/e/m.ini:2: include: /e/d/*: Permission denied\n");
    error = -ENOMEM;
    assert_int_equal(config_parse("/e/m.ini", &io, &config, &errors), -ENOMEM);
    config_errors_free(&errors);
}

/* Quadratic work would show here: 2,000 services with a listener each, in a fraction of the time limit. */
static void many_services_are_read(void **state)
{
    enum { SERVICES = 2000 };
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    (void)state;
    for (int i = 0; i < SERVICES; i++)
        fprintf(to, "[listener l%d]\naddress = %d\n[service s%d]\ncommand = x %d\nlisten = l%d\n", i,
                1000 + i, i, i, i);
    fclose(to);
    struct config *config = parse_right(text);
    assert_int_equal(config->service_count, SERVICES);
    config_free(config);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(an_unsaid_key_has_its_default),
        GUARDED(a_whole_file_is_read),
        GUARDED(a_command_of_300_bytes_is_whole),
        GUARDED(a_name_of_60_bytes_is_whole_and_one_of_64_refused),
        GUARDED(every_mistake_is_told_in_the_order_of_the_text),
        GUARDED(a_value_is_quoted_in_its_error),
        GUARDED(sections_are_three),
        GUARDED(a_section_stands_once),
        GUARDED(a_key_stands_below_a_section),
        GUARDED(a_file_without_services_is_refused),
        GUARDED(a_missing_file_is_told),
        GUARDED(included_files_are_read_relative_to_the_main_file),
        GUARDED(errors_name_the_file_they_are_in),
        GUARDED(no_file_is_read_twice),
        GUARDED(a_directory_that_cannot_be_read_is_told),
        GUARDED(many_services_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
