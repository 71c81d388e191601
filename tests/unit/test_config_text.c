#include "supervisor/core/config_keys.h"
#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

/* `text` is read as what it was written from: its own text is the same. */
static void assert_same(const char *text)
{
    struct config *config = NULL;
    struct config_errors errors;

    if (config_parse_text(text, &config, &errors) != 0)
        fail_msg("%s\n---\n%s", errors.lines[0], text);
    char *again = config_text(config);
    assert_string_equal(again, text);
    free(again);
    config_free(config);
    config_errors_free(&errors);
}

static void assert_survives(struct config *config)
{
    char *text = config_text(config);

    assert_same(text);
    free(text);
    config_free(config);
}

static void the_text_has_every_key_in_the_tables_order(void **state)
{
    struct config *config = parse_right("[service s]\nmax_old = 3\nworkers = 2\nlisten = b\ncommand = 'x' y\n"
                                        "[listener b]\naddress = unix:/run/b\n");
    char *text = config_text(config);

    (void)state;
    assert_string_equal(
        text, "[baton]\nlog = stderr\n"
              "[listener b]\naddress = unix:/run/b\nbacklog = 4096\nmode = 0666\n"
              "[service s]\ncommand = x y\nlisten = b\numask = 0022\nlimit_nofile = 0\nworkers = 2\n"
              "output = stderr\nready = auto\nready_timeout = 30s\nverify = none\ndrain = auto\n"
              "drain_timeout = 1m\nstop_signal = TERM\nstop_timeout = 10s\nmax_old = 3\n");
    free(text);
    assert_survives(config);
}

static void equal_definitions_have_equal_texts(void **state)
{
    struct config *one = parse_right("[service s]\ncommand = x \"a b\"\nready_timeout = 60s ; said\n");
    struct config *two =
        parse_right("; another\n[service s]\nready_timeout = 1m\nworkers = 1\ncommand = 'x' a\\ b\n");
    char *first = config_service_text(&one->services[0]), *second = config_service_text(&two->services[0]);

    (void)state;
    assert_string_equal(first, second);
    free(first);
    free(second);
    config_free(one);
    config_free(two);
}

static void a_section_alone_can_be_read_back(void **state)
{
    struct config *config = parse_right("[service s]\ncommand = x\nlisten = b\n[listener b]\naddress = 80\n");
    char *service = config_service_text(&config->services[0]),
         *listener = config_listener_text(config->listeners);
    struct config *read = NULL;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_parse_text(service, &read, &errors), 0);
    assert_string_equal(read->services[0].listen[0], "b");
    config_free(read);
    assert_int_equal(config_parse_text(listener, &read, &errors), 0);
    assert_string_equal(read->listeners[0].address_text, "0.0.0.0:80");
    config_free(read);
    free(service);
    free(listener);
    config_free(config);
}

static void what_is_no_such_text_is_refused(void **state)
{
    struct config *config = NULL;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_parse_text("[service s]\nworkers = 0\n", &config, &errors), -EINVAL);
    assert_errors(&errors,
                  "recorded definition:1: [service s]: command is missing\n"
                  "recorded definition:2: workers: \"0\": too small; allowed: a number from 1 to 64\n");
    assert_null(config);
}

/* Bytes that mean something somewhere, and any other but NUL. */
static char *random_word(void)
{
    static const char special[] = " \t\n\r'\"\\$;#|&<>=[]\x01\x7f\xc3\xa4\xff\xed\xa0\x80";
    static char words[16][80];
    static unsigned next;
    char *word = words[next++ % 16];
    size_t length = 1 + (size_t)(rand() % 40);

    for (size_t i = 0; i < length; i++)
        word[i] = rand() % 3 ? special[(size_t)rand() % (sizeof special - 1)] : (char)(rand() % 255 + 1);
    word[length] = '\0';
    return word;
}

static char *prefixed(const char *prefix, const char *word)
{
    static char texts[16][128];
    static unsigned next;
    char *text = texts[next++ % 16];

    snprintf(text, sizeof *texts, "%s%s", prefix, word);
    return text;
}

static void any_bytes_survive(void **state)
{
    (void)state;
    srand(21);
    for (int round = 0; round < 3000; round++) {
        char *arguments[] = { prefixed("--directory=/", random_word()),
                              prefixed("--output=/", random_word()),
                              prefixed("--environment=A=", random_word()),
                              prefixed("--environment=B=", random_word()),
                              prefixed("--listen=unix:/", random_word()),
                              prefixed("--log=/", random_word()),
                              (char *)"--",
                              random_word(),
                              random_word(),
                              random_word(),
                              NULL };
        struct config *config = NULL;
        struct config_errors errors;

        if (config_from_options(10, arguments, &config, &errors) != 0)
            fail_msg("%s", errors.lines[0]);
        config_errors_free(&errors);
        char *text = config_text(config);
        for (const char *p = text; *p; p++)
            assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
        free(text);
        assert_survives(config);
    }
}

/* Every key once, with a value that is not its default. */
static const char everything[] =
    "[baton]\nstate_dir = /s\nlog = /l\n"
    "[listener b]\naddress = unix:/run/b\nbacklog = 5\nmode = 0600\nsocket_user = u\nsocket_group = g\n"
    "[listener c]\naddress = [::]:80\nbacklog = 5\nv6only = yes\n"
    "[service s]\ncommand = x 'a ; b'\nlisten = b c\nuser = u\ngroup = g\ndirectory = /d\numask = 0077\n"
    "limit_nofile = 9\nworkers = 2\nenvironment = A=1\nenvironment_file = /e\noutput = journal\n"
    "ready = http:/h=204\nready_timeout = 1s\nverify = exec:v 'w ; x'\ndrain = signal\ndrain_timeout = 2s\n"
    "stop_signal = INT\nstop_timeout = 3s\nmax_old = 4\n";

static void every_key_survives(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        char line[80];
        snprintf(line, sizeof line, "\n%s = ", config_keys[i].name);
        if (!(config_keys[i].flags & KEY_NOT_TEXT) && !strstr(everything, line))
            fail_msg("%s is not tested", config_keys[i].name);
    }
    assert_same(everything);
}

static char *explained(const struct config *config)
{
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    config_explain(config, to);
    fclose(to);
    return text;
}

static void an_explanation_is_a_configuration_itself(void **state)
{
    struct config *config = parse_right(everything);
    char *explanation = explained(config), *text = config_text(config);
    struct config *read = parse_right(explanation);
    char *again = config_text(read);

    (void)state;
    assert_string_equal(again, text);
    assert_non_null(strstr(explanation, "workers = 2    ; x.ini:22\n"));
    free(explanation);
    free(text);
    free(again);
    config_free(read);
    config_free(config);
}

static void an_explanation_says_what_is_default(void **state)
{
    struct config *config = parse_right("[service s]\ncommand = x\n");
    char *explanation = explained(config);

    (void)state;
    assert_non_null(
        strstr(explanation, "; Allowed: a number from 1 to 64. Default: 1.\nworkers = 1    ; default\n"));
    assert_non_null(strstr(explanation, "\n;user =\n"));
    free(explanation);
    config_free(config);
}

static void the_manual_has_every_key(void **state)
{
    char *manual = NULL, item[80];
    size_t bytes;
    FILE *to = open_memstream(&manual, &bytes);

    (void)state;
    config_print_manual(to);
    fclose(to);
    for (size_t i = 0; i < config_key_count; i++) {
        snprintf(item, sizeof item, ".It Cm %s\n", config_keys[i].name);
        assert_non_null(strstr(manual, item));
    }
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(the_text_has_every_key_in_the_tables_order),
        GUARDED(equal_definitions_have_equal_texts),
        GUARDED(a_section_alone_can_be_read_back),
        GUARDED(what_is_no_such_text_is_refused),
        GUARDED(any_bytes_survive),
        GUARDED(every_key_survives),
        GUARDED(an_explanation_is_a_configuration_itself),
        GUARDED(an_explanation_says_what_is_default),
        GUARDED(the_manual_has_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
