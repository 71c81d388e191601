#include "supervisor/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/control_line.h"
#include "supervisor/control_connection.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

/* Seconds that time is ahead of the real one for libev, and how long it last wanted to sleep. */
static time_t ahead_s;
static int last_sleep_ms;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);

    time->tv_sec += ahead_s;
    return result;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
    if (timeout_ms != 0)
        last_sleep_ms = timeout_ms;
    return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout_ms, NULL, 8);
}

/* --- a server with a few verbs ------------------------------------------------------------------- */

static struct ev_loop *loop;
static struct control *control;
static char directory[64], path[108];
static struct control_request *waiting; /* the last one of "wait" */
static unsigned echoes, gone;

static void on_gone(void *arg, struct control_request *request)
{
    assert_ptr_equal(arg, &gone);
    if (waiting == request)
        waiting = NULL;
    gone++;
}

static void run_echo(void *arg, struct control_request *request, json_t *parameters)
{
    json_t *word = json_object_get(parameters, "word");

    assert_ptr_equal(arg, &echoes);
    echoes++;
    control_on_gone(request, on_gone, &gone);
    control_answer(request, 0, word ? json_pack("{s:O, s:i}", "word", word, "result", 9) : NULL, "echo %u",
                   echoes);
}

static void run_wait(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg, (void)parameters;
    control_on_gone(request, on_gone, &gone);
    waiting = request;
}

static void run_follow(void *arg, struct control_request *request, json_t *parameters)
{
    json_t *old = json_pack("{s:s}", "type", "old");

    (void)arg;
    control_on_gone(request, on_gone, &gone);
    control_tell(request, old);
    control_follow(request, json_string_value(json_object_get(parameters, "service")));
    json_decref(old);
}

static const struct control_verb verbs[] = {
    { "echo", true, run_echo },
    { "wait", false, run_wait },
    { "follow", true, run_follow },
    { NULL, false, NULL },
};

static void open_control(int fd)
{
    char *reason = NULL;

    if (control_open(loop, path, fd, verbs, &echoes, &control, &reason) != 0)
        fail_msg("%s", reason);
    assert_null(reason);
}

static int setup(void **state)
{
    guard_setup(state);
    strcpy(directory, "/tmp/baton-control.XXXXXX");
    if (!mkdtemp(directory) || chmod(directory, 0755))
        return -1;
    snprintf(path, sizeof path, "%s/control.sock", directory);
    loop = ev_loop_new(EVFLAG_AUTO);
    echoes = gone = 0;
    waiting = NULL;
    ahead_s = 0;
    open_control(-1);
    return 0;
}

static int teardown(void **state)
{
    if (control)
        control_close(control, true);
    control = NULL;
    ev_loop_destroy(loop);
    if (rmdir(directory))
        return -1;
    return guard_teardown(state);
}

/* --- clients in this process ---------------------------------------------------------------------- */

static int connect_raw(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Let the loop turn until a whole line has arrived; valid until the next call. NULL: the end. */
static const char *hear(int fd)
{
    static char line[2 << 20];
    size_t used = 0;

    for (;;) {
        ssize_t n = recv(fd, line + used, 1, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN) {
            ev_run(loop, EVRUN_ONCE);
            continue;
        }
        if (n <= 0)
            return NULL;
        if (line[used] == '\n') {
            line[used] = '\0';
            return line;
        }
        used++;
    }
}

#define assert_hears(fd, text)                                                                               \
    do {                                                                                                     \
        const char *heard = hear(fd);                                                                        \
        assert_non_null(heard);                                                                              \
        assert_string_equal(heard, text);                                                                    \
    } while (0)

/* The result's number; the sentence has `words` in it. */
static void assert_answer(int fd, int result, const char *words)
{
    const char *line = hear(fd);

    assert_non_null(line);
    json_t *answer = json_loads(line, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(answer, "result")), result);
    const char *text = json_string_value(json_object_get(answer, "text"));
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
    json_decref(answer);
}

static int connect_greeted(void)
{
    int fd = connect_raw();

    say(fd, "baton 1\n");
    assert_hears(fd, "baton 1");
    return fd;
}

static void wait_until(bool (*is_so)(void))
{
    while (!is_so())
        ev_run(loop, EVRUN_ONCE);
}

static bool someone_waits(void)
{
    return waiting != NULL;
}

static bool nobody_waits(void)
{
    return waiting == NULL;
}

/* Everything that is to happen now happens. */
static void settle(void)
{
    for (int i = 0; i < 10; i++)
        ev_run(loop, EVRUN_NOWAIT);
}

/* --- the tests ------------------------------------------------------------------------------------- */

static void requests_of_a_client_are_answered_in_turn(void **state)
{
    int fd = connect_greeted();

    (void)state;
    say(fd, "{\"verb\":\"echo\"}\n");
    assert_hears(fd, "{\"result\":0,\"text\":\"echo 1\"}");
    say(fd, "{\"verb\":\"echo\",\"word\":\"caf\xc3\xa9\"}\n{\"verb\":\"echo\",\"word\":0.1}\n{\"verb\":\"ec");
    assert_hears(fd, "{\"result\":0,\"text\":\"echo 2\",\"word\":\"caf\xc3\xa9\"}");
    assert_hears(fd, "{\"result\":0,\"text\":\"echo 3\",\"word\":0.1}");
    say(fd, "ho\"}\n");
    assert_hears(fd, "{\"result\":0,\"text\":\"echo 4\"}");
    close(fd);
    assert_int_equal(gone, 0);
}

static void a_client_may_send_byte_by_byte(void **state)
{
    static const char text[] = "baton 1\n{\"verb\": \"echo\", \"word\": [1, 2]}\n";
    int fd = connect_raw();

    (void)state;
    for (const char *p = text; *p; p++) {
        char byte[2] = { *p };

        say(fd, byte);
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_hears(fd, "baton 1");
    assert_hears(fd, "{\"result\":0,\"text\":\"echo 1\",\"word\":[1,2]}");
    close(fd);
}

static void what_is_no_request_gets_a_sentence_and_another_chance(void **state)
{
    static const struct {
        const char *line, *words;
    } bad[] = {
        { "\n", "not JSON" },
        { "hello\n", "not JSON" },
        { "{\"verb\":\"echo\"\n", "not JSON" },
        { "{\"verb\":\"echo\"} x\n", "not JSON" },
        { "{\"verb\":\"echo\",\"verb\":\"wait\"}\n", "duplicate" },
        { "\"\xff\"\n", "not JSON" },
        { "[]\n", "an object with a \"verb\"" },
        { "{}\n", "an object with a \"verb\"" },
        { "{\"verb\":1}\n", "an object with a \"verb\"" },
        { "{\"verb\":\"ech\"}\n", "unknown verb \"ech\"; there is: echo, wait, follow" },
    };
    int fd = connect_greeted();

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        say(fd, bad[i].line);
        assert_answer(fd, 2, bad[i].words);
    }
    char *deep = malloc(60001);
    memset(deep, '[', 60000);
    deep[59999] = '\n';
    deep[60000] = '\0';
    say(fd, deep);
    free(deep);
    assert_answer(fd, 2, "not JSON");
    say(fd, "{\"verb\":\"echo\"}\n");
    assert_answer(fd, 0, "echo 1");
    close(fd);
}

static void another_version_is_told_which_one_is_spoken_here(void **state)
{
    static const char *const bad[] = { "baton 2\n", "{\"verb\":\"echo\"}\n", "\n", "baton 1 \n",
                                       "GET / HTTP/1.1\r\n" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = connect_raw();

        say(fd, bad[i]);
        assert_hears(fd, "baton 1");
        assert_answer(fd, 2, "\"baton 1\"");
        assert_null(hear(fd));
        close(fd);
    }
}

static void a_nul_byte_or_a_line_over_64_kib_ends_the_connection(void **state)
{
    int fd = connect_greeted();
    size_t limit = CONTROL_CONNECTION_LINE_MAX;
    char *line = malloc(limit + 2);

    (void)state;
    assert_int_equal(send(fd, "{\"verb\":\0\"echo\"}\n", 17, 0), 17);
    assert_answer(fd, 2, "NUL");
    assert_null(hear(fd));
    close(fd);
    memset(line, ' ', limit);
    memcpy(line, "{\"verb\":\"echo\"}", 15);
    strcpy(line + limit, "\n");
    fd = connect_greeted();
    say(fd, line);
    assert_answer(fd, 0, "echo 1");
    strcpy(line + limit, " ");
    say(fd, line);
    assert_answer(fd, 2, "64 KiB");
    assert_null(hear(fd));
    close(fd);
    free(line);
}

static void a_slow_client_is_dropped_after_ten_seconds(void **state)
{
    int greeted, silent = connect_raw();

    (void)state;
    greeted = connect_greeted();
    assert_hears(silent, "baton 1");
    say(greeted, "{\"verb\":");
    ev_run(loop, EVRUN_NOWAIT);
    ahead_s += CONTROL_CONNECTION_LINE_S - 1;
    ev_run(loop, EVRUN_NOWAIT);
    char byte;
    assert_int_equal(recv(greeted, &byte, 1, MSG_DONTWAIT), -1);
    ahead_s += 2;
    assert_null(hear(greeted));
    assert_null(hear(silent));
    close(greeted);
    close(silent);
}

static void a_waiting_client_has_no_time_limit_and_no_timer(void **state)
{
    int fd = connect_greeted();

    (void)state;
    say(fd, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    ahead_s += 3600;
    ev_run(loop, EVRUN_NOWAIT);
    control_progress(waiting, json_pack("{s:s}", "state", "starting"));
    assert_hears(fd, "{\"progress\":{\"state\":\"starting\"}}");
    say(fd, "{\"verb\":\"echo\"}\n"); /* waits its turn, without making the loop turn */
    last_sleep_ms = 0;
    int other = connect_raw();
    ev_run(loop, EVRUN_ONCE);
    assert_true(last_sleep_ms > 50 * 1000);
    close(other);
    assert_int_equal(echoes, 0);
    control_answer(waiting, 3, NULL, "%s: reverted", "blog");
    assert_hears(fd, "{\"result\":3,\"text\":\"blog: reverted\"}");
    assert_answer(fd, 0, "echo 1");
    close(fd);
    assert_int_equal(gone, 0);
}

static void an_idle_server_has_no_timer(void **state)
{
    int fd = connect_greeted();

    (void)state;
    close(fd);
    settle();
    fd = connect_raw();
    last_sleep_ms = 0;
    ev_run(loop, EVRUN_ONCE);
    assert_true(last_sleep_ms > 50 * 1000);
    close(fd);
}

static void a_client_that_half_closes_gets_its_answers(void **state)
{
    int fd = connect_raw();

    (void)state;
    say(fd, "baton 1\n{\"verb\":\"echo\"}\n{\"verb\":\"wait\"}\n");
    shutdown(fd, SHUT_WR);
    assert_hears(fd, "baton 1");
    assert_answer(fd, 0, "echo 1");
    wait_until(someone_waits);
    ev_run(loop, EVRUN_NOWAIT);
    assert_non_null(waiting);
    control_answer(waiting, 0, NULL, "late");
    assert_answer(fd, 0, "late");
    assert_null(hear(fd));
    close(fd);
    assert_int_equal(gone, 0);
}

static void a_client_that_leaves_is_forgotten(void **state)
{
    int fd = connect_greeted();

    (void)state;
    say(fd, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    close(fd);
    wait_until(nobody_waits);
    assert_int_equal(gone, 1);
    fd = connect_greeted(); /* also one that has sent more than was read */
    say(fd, "{\"verb\":\"wait\"}\n{\"verb\":\"echo\"}\n");
    wait_until(someone_waits);
    close(fd);
    wait_until(nobody_waits);
    assert_int_equal(gone, 2);
    assert_int_equal(echoes, 0);
}

static void who_leaves_at_once_has_asked_nevertheless(void **state)
{
    int fd = connect_raw();

    (void)state;
    say(fd, "baton 1\n{\"verb\":\"wait\"}\n");
    close(fd);
    wait_until(someone_waits);
    wait_until(nobody_waits);
    assert_int_equal(gone, 1);
}

static void followers_hear_what_they_asked_for(void **state)
{
    int all = connect_greeted(), blog = connect_greeted();
    json_t *of_blog = json_pack("{s:s, s:i}", "service", "blog", "id", 1);
    json_t *of_shop = json_pack("{s:s, s:i}", "service", "shop", "id", 2);
    json_t *of_none = json_pack("{s:i}", "id", 3);

    (void)state;
    say(all, "{\"verb\":\"follow\"}\n");
    say(blog, "{\"verb\":\"follow\",\"service\":\"blog\"}\n");
    assert_hears(all, "{\"event\":{\"type\":\"old\"}}");
    assert_hears(blog, "{\"event\":{\"type\":\"old\"}}");
    control_event(control, of_shop);
    control_event(control, of_none);
    control_event(control, of_blog);
    assert_hears(all, "{\"event\":{\"service\":\"shop\",\"id\":2}}");
    assert_hears(all, "{\"event\":{\"id\":3}}");
    assert_hears(all, "{\"event\":{\"service\":\"blog\",\"id\":1}}");
    assert_hears(blog, "{\"event\":{\"service\":\"blog\",\"id\":1}}");
    close(all);
    close(blog);
    while (gone < 2)
        ev_run(loop, EVRUN_ONCE);
    control_event(control, of_blog);
    json_decref(of_blog);
    json_decref(of_shop);
    json_decref(of_none);
}

static void a_follower_that_does_not_read_is_dropped_and_delays_nobody(void **state)
{
    int lazy = connect_greeted(), keen = connect_greeted();
    char *text = malloc(10001);
    unsigned sent = 0;

    (void)state;
    memset(text, 'x', 10000);
    text[10000] = '\0';
    json_t *event = json_pack("{s:s}", "text", text);
    say(lazy, "{\"verb\":\"follow\"}\n");
    say(keen, "{\"verb\":\"follow\"}\n");
    assert_hears(keen, "{\"event\":{\"type\":\"old\"}}");
    assert_hears(lazy, "{\"event\":{\"type\":\"old\"}}");
    for (; gone == 0; sent++) {
        control_event(control, event);
        assert_int_equal(strlen(hear(keen)), 10000 + strlen("{\"event\":{\"text\":\"\"}}"));
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_true(sent > CONTROL_CONNECTION_UNSENT_MAX / 10100 &&
                sent < 3 * CONTROL_CONNECTION_UNSENT_MAX / 10000);
    say(keen, "{\"verb\":\"echo\"}\n");
    control_event(control, event);
    assert_non_null(hear(keen));
    while (hear(lazy)) /* what had been sent is still there */
        ;
    close(lazy);
    close(keen);
    json_decref(event);
    free(text);
}

static void a_flooding_client_delays_another_by_one_request(void **state)
{
    int flood = connect_greeted(), other = connect_greeted();
    static char requests[1000 * 16 + 1];

    (void)state;
    for (int i = 0; i < 1000; i++)
        memcpy(requests + i * 16, "{\"verb\":\"echo\"}\n", 17);
    say(flood, requests);
    assert_answer(flood, 0, "echo 1");
    unsigned before = echoes;
    say(other, "{\"verb\":\"echo\"}\n");
    assert_answer(other, 0, "echo");
    assert_true(echoes <= before + 3);
    for (int i = 1; i < 1000; i++)
        assert_answer(flood, 0, "echo");
    close(flood);
    close(other);
}

static void a_client_that_asks_but_never_reads_is_dropped(void **state)
{
    int fd = connect_greeted();
    char word[40000], line[41000];
    size_t sent = 0;
    int error;

    (void)state;
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    snprintf(line, sizeof line, "{\"verb\":\"echo\",\"word\":\"%s\"}\n", word);
    do {
        ssize_t n = send(fd, line + sent, strlen(line + sent), MSG_NOSIGNAL | MSG_DONTWAIT);

        error = n < 0 ? errno : 0;
        sent = n > 0 ? (sent + (size_t)n) % strlen(line) : sent;
        ev_run(loop, EVRUN_NOWAIT);
    } while (error == 0 || error == EAGAIN);
    assert_true(error == EPIPE || error == ECONNRESET);
    assert_true(echoes >= CONTROL_CONNECTION_UNSENT_MAX / sizeof line);
    assert_true(echoes <= 2 * CONTROL_CONNECTION_UNSENT_MAX / sizeof word);
    close(fd);
}

static void an_answer_that_is_too_long_is_a_sentence(void **state)
{
    int fd = connect_greeted();
    char *text = malloc((1 << 20) + 1);

    (void)state;
    memset(text, 'x', 1 << 20);
    text[1 << 20] = '\0';
    say(fd, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    control_answer(waiting, 0, json_pack("{s:s}", "data", text), "%s", "");
    assert_answer(fd, 1, "1 MiB");
    say(fd, "{\"verb\":\"wait\"}\n");
    waiting = NULL;
    wait_until(someone_waits);
    text[(1 << 20) - 100] = '\0';
    control_answer(waiting, 0, json_pack("{s:s}", "data", text), "it said \xff\x1b");
    assert_answer(fd, 0, "it said ??");
    free(text);
    close(fd);
}

/* Run `body` as an ordinary user in a process of its own; its exit status. */
static int as_nobody(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(GUARD_LIMIT_S);
        _exit(setgid(65534) || setuid(65534) ? 99 : body());
    }
    while (waitpid(pid, &status, WNOHANG) == 0)
        ev_run(loop, EVRUN_NOWAIT);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int connect_blocking(FILE **stream)
{
    *stream = fdopen(connect_raw(), "r+");
    return fileno(*stream);
}

static int read_but_not_change(void)
{
    char line[256];
    FILE *stream;
    int fd = connect_blocking(&stream);

    say(fd, "baton 1\n{\"verb\":\"wait\"}\n{\"verb\":\"echo\"}\n");
    if (!fgets(line, sizeof line, stream) || !fgets(line, sizeof line, stream))
        return 1;
    if (strcmp(line, "{\"result\":1,\"text\":\"permission denied: only root or uid 0 may wait\"}\n"))
        return 2;
    if (!fgets(line, sizeof line, stream) || !strstr(line, "echo 1"))
        return 3;
    return 0;
}

static void only_root_and_baton_s_own_user_may_change_something(void **state)
{
    (void)state;
    if (getuid() != 0) {
        print_message("needs root: another user is needed\n");
        skip();
    }
    assert_int_equal(chmod(path, 0666), 0); /* it is 0660: a group would do */
    assert_int_equal(as_nobody(read_but_not_change), 0);
    assert_null(waiting);
}

/* Take all places a reader can have, say so, hold them until `release` is closed. */
static int fill_the_readers_places(int full, int release)
{
    enum { PLACES = CONTROL_CLIENTS - CONTROL_CLIENTS_KEPT };
    char line[256];
    FILE *stream;

    for (int i = 0; i <= PLACES; i++) {
        connect_blocking(&stream);
        if (!fgets(line, sizeof line, stream))
            return 1;
    }
    if (!fgets(line, sizeof line, stream) || !strstr(line, "\"result\":4"))
        return 2;
    if (write(full, "x", 1) != 1 || read(release, line, 1) != 0)
        return 3;
    return 0;
}

static void readers_cannot_shut_out_who_may_change(void **state)
{
    int full[2], release[2], status;
    char byte;

    (void)state;
    if (getuid() != 0) {
        print_message("needs root: another user is needed\n");
        skip();
    }
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(pipe2(full, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(pipe2(release, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(release[1]);
        alarm(GUARD_LIMIT_S);
        _exit(setuid(65534) ? 99 : fill_the_readers_places(full[1], release[0]));
    }
    close(full[1]);
    while (read(full[0], &byte, 1) < 0)
        ev_run(loop, EVRUN_NOWAIT);
    close(connect_greeted());
    close(release[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(full[0]);
    close(release[0]);
}

static void the_65th_client_is_told_and_the_others_stay(void **state)
{
    int fds[CONTROL_CLIENTS], extra;

    (void)state;
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        fds[i] = connect_greeted();
    extra = connect_raw();
    say(extra, "baton 1\n");
    assert_hears(extra, "baton 1");
    assert_answer(extra, 4, "too many clients");
    assert_null(hear(extra));
    close(extra);
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        say(fds[i], "{\"verb\":\"echo\"}\n");
        assert_answer(fds[i], 0, "echo");
    }
    close(fds[7]);
    settle();
    fds[7] = connect_greeted();
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        close(fds[i]);
}

static void without_descriptors_clients_wait_and_the_loop_rests(void **state)
{
    struct rlimit limit, low;
    int fd = connect_raw();

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    unsigned before = ev_iteration(loop);
    last_sleep_ms = INT_MAX;
    while (last_sleep_ms > 500) /* until it waits for the pause */
        ev_run(loop, EVRUN_ONCE);
    assert_true(ev_iteration(loop) - before < 5);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ahead_s += 1;
    say(fd, "baton 1\n{\"verb\":\"echo\"}\n");
    assert_hears(fd, "baton 1");
    assert_answer(fd, 0, "echo 1");
    close(fd);
}

static void a_restarted_supervisor_serves_the_clients_that_came_meanwhile(void **state)
{
    int listening = fcntl(control_fd(control), F_DUPFD_CLOEXEC, 0);
    int before = connect_greeted();

    (void)state;
    say(before, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    control_close(control, false);
    assert_int_equal(gone, 1);
    assert_null(hear(before));
    close(before);
    int fd = connect_raw();
    say(fd, "baton 1\n{\"verb\":\"echo\"}\n");
    open_control(listening);
    assert_hears(fd, "baton 1");
    assert_answer(fd, 0, "echo 1");
    close(fd);
}

static void a_socket_whose_path_is_gone_is_made_anew(void **state)
{
    int listening = fcntl(control_fd(control), F_DUPFD_CLOEXEC, 0);

    (void)state;
    control_close(control, true);
    open_control(listening);
    close(connect_greeted());
}

static void a_second_baton_is_refused_and_a_dead_one_s_path_replaced(void **state)
{
    struct control *second = NULL;
    char *reason = NULL, expected[160];
    struct stat status;

    (void)state;
    assert_int_equal(control_open(loop, path, -1, verbs, NULL, &second, &reason), -EADDRINUSE);
    assert_null(second);
    snprintf(expected, sizeof expected, "another baton named %s is running (pid %d)",
             directory + strlen("/tmp/"), getpid());
    assert_string_equal(reason, expected);
    free(reason);
    control_close(control, false);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFSOCK | 0660);
    open_control(-1);
    close(connect_greeted());
}

/* Refused with these words; nothing is left at the path. */
static void assert_refused(const char *words)
{
    struct control *other = NULL;
    char *reason = NULL;

    assert_true(control_open(loop, path, -1, verbs, NULL, &other, &reason) < 0);
    assert_null(other);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    free(reason);
}

static void places_that_are_not_safe_are_refused(void **state)
{
    (void)state;
    control_close(control, true);
    control = NULL;
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(file);
    assert_refused("is not a socket");
    unlink(path);
    chmod(directory, 0775);
    assert_refused("can be written by others (mode 0775)");
    chmod(directory, 0755);
    if (getuid() == 0) {
        assert_int_equal(chown(directory, 65534, 65534), 0);
        assert_refused("belongs to uid 65534");
        assert_int_equal(chown(directory, 0, 0), 0);
    }
    memset(path + strlen(path), 'x', sizeof path - 1 - strlen(path));
    path[sizeof path - 1] = '\0';
    char *tail = path + strlen(path) - 1;
    assert_true(strlen(path) == 107);
    *tail = '\0';
    open_control(-1);
    control_close(control, true);
    control = NULL;
    char *longer = malloc(200), *reason = NULL;
    snprintf(longer, 200, "%sxx", path);
    struct control *other;
    assert_int_equal(control_open(loop, longer, -1, verbs, NULL, &other, &reason), -ENAMETOOLONG);
    free(longer);
    free(reason);
}

static void a_missing_directory_is_made(void **state)
{
    struct stat status;
    mode_t before = umask(077);

    (void)state;
    control_close(control, true);
    snprintf(path, sizeof path, "%s/blog/control.sock", directory);
    open_control(-1);
    umask(before);
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0755);
    strcat(path, "/control.sock");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFSOCK | 0660);
    control_close(control, true);
    control = NULL;
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
}

static void what_was_answered_is_read_after_the_end(void **state)
{
    int fd = connect_greeted(), other = connect_greeted();
    struct stat status;

    (void)state;
    say(other, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    waiting = NULL;
    say(fd, "{\"verb\":\"wait\"}\n");
    wait_until(someone_waits);
    control_answer(waiting, 0, NULL, "stopped");
    control_close(control, true);
    control = NULL;
    assert_int_equal(stat(path, &status), -1);
    assert_int_equal(gone, 1);
    assert_answer(fd, 0, "stopped");
    assert_null(hear(fd));
    assert_null(hear(other));
    close(fd);
    close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_of_a_client_are_answered_in_turn),
        TEST(a_client_may_send_byte_by_byte),
        TEST(what_is_no_request_gets_a_sentence_and_another_chance),
        TEST(another_version_is_told_which_one_is_spoken_here),
        TEST(a_nul_byte_or_a_line_over_64_kib_ends_the_connection),
        TEST(a_slow_client_is_dropped_after_ten_seconds),
        TEST(a_waiting_client_has_no_time_limit_and_no_timer),
        TEST(an_idle_server_has_no_timer),
        TEST(a_client_that_half_closes_gets_its_answers),
        TEST(a_client_that_leaves_is_forgotten),
        TEST(who_leaves_at_once_has_asked_nevertheless),
        TEST(followers_hear_what_they_asked_for),
        TEST(a_follower_that_does_not_read_is_dropped_and_delays_nobody),
        TEST(a_flooding_client_delays_another_by_one_request),
        TEST(a_client_that_asks_but_never_reads_is_dropped),
        TEST(an_answer_that_is_too_long_is_a_sentence),
        TEST(only_root_and_baton_s_own_user_may_change_something),
        TEST(readers_cannot_shut_out_who_may_change),
        TEST(the_65th_client_is_told_and_the_others_stay),
        TEST(without_descriptors_clients_wait_and_the_loop_rests),
        TEST(a_restarted_supervisor_serves_the_clients_that_came_meanwhile),
        TEST(a_socket_whose_path_is_gone_is_made_anew),
        TEST(a_second_baton_is_refused_and_a_dead_one_s_path_replaced),
        TEST(places_that_are_not_safe_are_refused),
        TEST(a_missing_directory_is_made),
        TEST(what_was_answered_is_read_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
