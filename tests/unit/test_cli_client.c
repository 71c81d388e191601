/* The verbs of `baton` as a person runs them, against a control server of this test. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/cli/instance.h"
#include "supervisor/control.h"
#include "tests/unit/guard.h"
#include "tests/unit/program.h"
#include "tests/unit/unit.h"

/* --- a baton ---------------------------------------------------------------------------------------- */

static struct ev_loop *loop;
static struct control *control;
static char base[64], directory[96], path[128];
static int lock = -1;
static char *program;

static json_t *status, *events;         /* what is answered */
static json_t *asked;                   /* the last request that is not one of these two */
static struct control_request *waiting; /* it is open */
static int immediate;                   /* its result, given at once; -1: later */
static const char *immediate_text;
static unsigned followers, status_asked, status_ignored;

static void on_gone(void *arg, struct control_request *request)
{
    (void)arg;
    if (waiting == request)
        waiting = NULL;
}

static void run_status(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg, (void)parameters;
    status_asked++;
    if (status_asked <= status_ignored)
        return;
    control_answer(request, 0, json_pack("{s:O}", "status", status), "%s", "");
}

static void run_events(void *arg, struct control_request *request, json_t *parameters)
{
    json_int_t after = json_integer_value(json_object_get(parameters, "after"));
    json_t *list = json_array(), *event;
    bool follow = json_is_true(json_object_get(parameters, "follow"));
    size_t i;

    (void)arg;
    json_array_foreach (events, i, event) {
        if (json_integer_value(json_object_get(event, "id")) <= after)
            continue;
        json_array_append(list, event);
        if (follow)
            control_tell(request, event);
    }
    if (follow) {
        control_follow(request, NULL);
        followers++;
        json_decref(list);
    } else {
        control_answer(request, 0, json_pack("{s:o}", "events", list), "%s", "");
    }
}

static void run_other(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg;
    json_decref(asked);
    asked = json_incref(parameters);
    control_on_gone(request, on_gone, NULL);
    if (immediate >= 0)
        control_answer(request, immediate, NULL, "%s", immediate_text);
    else
        waiting = request;
}

static const struct control_verb verbs[] = {
    { "status", true, run_status }, { "events", true, run_events },  { "history", true, run_events },
    { "upgrade", true, run_other }, { "rollback", true, run_other }, { "reload", true, run_other },
    { "drain", true, run_other },   { "scale", true, run_other },    { "stop", true, run_other },
    { NULL, false, NULL },
};

static void open_control(int fd)
{
    char *reason = NULL;

    if (control_open(loop, path, fd, verbs, NULL, &control, &reason) != 0)
        fail_msg("%s", reason);
}

/* The supervisor dies and comes back, the keeper holds the socket. */
static void restart_supervisor(void)
{
    int fd = fcntl(control_fd(control), F_DUPFD_CLOEXEC, 0);

    control_close(control, false);
    assert_null(waiting);
    open_control(fd);
}

/* As `baton run` does; the programs we start must not hold it for us. */
static void take_lock(const char *of, int *fd)
{
    char *reason = NULL;

    assert_int_equal(instance_lock(of, "blog", fd, &reason), 0);
    assert_int_equal(fcntl(*fd, F_SETFD, FD_CLOEXEC), 0);
}

static void end_baton(void)
{
    if (control)
        control_close(control, true);
    control = NULL;
    if (lock >= 0)
        close(lock);
    lock = -1;
}

static void set_status(const char *rollout, int last_time, int last_result)
{
    json_decref(status);
    status = json_pack("{s:i, s:s, s:b, s:[{s:s, s:s, s:{s:s, s:b}, s:{s:i, s:s, s:i}, s:[]}]}", "version", 1,
                       "name", "blog", "stopping", 0, "services", "name", "blog", "state", "serving",
                       "rollout", "state", rollout, "upgrade_remembered", 0, "last", "result", last_result,
                       "text", "upgraded 8 -> 9", "time", last_time, "generations");
    assert_non_null(status);
}

static void add_event(int id, const char *text)
{
    json_t *event = json_pack("{s:i, s:i, s:s, s:s, s:s}", "id", id, "time", 1764072000, "type", "test",
                              "service", "blog", "text", text);

    json_array_append_new(events, event);
    if (control)
        control_event(control, event);
}

static int setup(void **state)
{
    guard_setup(state);
    setenv("TZ", "UTC0", 1);
    strcpy(base, "/tmp/baton-cli.XXXXXX");
    if (!mkdtemp(base) || chmod(base, 0755))
        return -1;
    snprintf(directory, sizeof directory, "%s/blog", base);
    snprintf(path, sizeof path, "%s/control.sock", directory);
    if (mkdir(directory, 0755))
        return -1;
    setenv("BATON_RUNTIME_DIR", base, 1);
    unsetenv("BATON_CONTROL");
    program = program_path("baton");
    loop = ev_loop_new(EVFLAG_AUTO);
    events = json_array();
    waiting = NULL;
    immediate = -1;
    immediate_text = "";
    followers = status_asked = status_ignored = 0;
    set_status("steady", 5, 0);
    take_lock(directory, &lock);
    open_control(-1);
    return 0;
}

static void remove_instance(const char *of)
{
    char file[160];

    snprintf(file, sizeof file, "%s/lock", of);
    unlink(file);
    snprintf(file, sizeof file, "%s/control.sock", of);
    unlink(file);
    assert_int_equal(rmdir(of), 0);
}

static int teardown(void **state)
{
    end_baton();
    ev_loop_destroy(loop);
    remove_instance(directory);
    json_decref(status);
    json_decref(events);
    json_decref(asked);
    status = events = asked = NULL;
    free(program);
    if (rmdir(base))
        return -1;
    return guard_teardown(state);
}

/* --- a person ---------------------------------------------------------------------------------------- */

struct stream {
    ev_io io;
    int fd;
    char text[65536];
    size_t used;
    bool ended;
};

static struct stream out, err;
static pid_t child;

static void on_text(struct ev_loop *of, ev_io *io, int revents)
{
    struct stream *stream = io->data;
    ssize_t n = read(stream->fd, stream->text + stream->used, sizeof stream->text - 1 - stream->used);

    (void)revents;
    if (n > 0)
        stream->used += (size_t)n;
    stream->text[stream->used] = '\0';
    if (n > 0)
        return;
    stream->ended = true;
    ev_io_stop(of, io);
    close(stream->fd);
}

static void watch_stream(struct stream *stream, int fd)
{
    *stream = (struct stream){ .fd = fd };
    ev_io_init(&stream->io, on_text, fd, EV_READ);
    stream->io.data = stream;
    ev_io_start(loop, &stream->io);
}

/* The end of the pipe that the program writes to. */
static int open_stream(struct stream *stream)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    watch_stream(stream, ends[0]);
    return ends[1];
}

/* The same with a terminal of 60 columns. -1: there is none. */
static int open_terminal(struct stream *stream)
{
    const struct winsize size = { .ws_row = 24, .ws_col = 60 };
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), theirs = -1;
    char name[64];

    if (ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0 && ptsname_r(ours, name, sizeof name) == 0)
        theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (theirs < 0) {
        close(ours);
        return -1;
    }
    assert_int_equal(ioctl(ours, TIOCSWINSZ, &size), 0);
    watch_stream(stream, ours);
    return theirs;
}

/* Start "baton WORD…" (words separated by single blanks), writing to these (taken). */
static void start_with(const char *words, int stdout_fd, int stderr_fd)
{
    char copy[256], *argv[16] = { program }, *rest = copy;

    snprintf(copy, sizeof copy, "%s", words);
    for (int i = 1; rest && i < 15; i++)
        argv[i] = strsep(&rest, " ");
    child = fork();
    if (child == 0) {
        dup2(stdout_fd, STDOUT_FILENO);
        dup2(stderr_fd, STDERR_FILENO);
        execv(program, argv);
        _exit(127);
    }
    assert_true(child > 0);
    close(stdout_fd);
    close(stderr_fd);
}

static void start(const char *words)
{
    int stdout_fd = open_stream(&out), stderr_fd = open_stream(&err);

    start_with(words, stdout_fd, stderr_fd);
}

/* Its exit code. */
static int finish(void)
{
    int wait_status;

    while (!out.ended || !err.ended)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

static int baton(const char *words)
{
    start(words);
    return finish();
}

static void wait_until_asked(void)
{
    while (!waiting)
        ev_run(loop, EVRUN_ONCE);
}

static void wait_until_out(const char *text)
{
    while (!strstr(out.text, text) && !out.ended)
        ev_run(loop, EVRUN_ONCE);
    assert_non_null(strstr(out.text, text));
}

static void assert_asked(const char *expected)
{
    char *text = json_dumps(asked, JSON_COMPACT);

    assert_string_equal(text, expected);
    free(text);
}

#define assert_says(stream, words)                                                                           \
    do {                                                                                                     \
        if (!strstr((stream).text, words))                                                                   \
            fail_msg("\"%s\" does not say \"%s\"", (stream).text, words);                                    \
    } while (0)

static void answer_upgrade(int result, const char *text)
{
    control_answer(
        waiting, result,
        json_pack("{s:[{s:s, s:i, s:i}]}", "services", "service", "blog", "generation", 9, "result", result),
        "%s", text);
    waiting = NULL;
}

static void answer_stop(void)
{
    control_answer(waiting, 0, NULL, "stopped");
    waiting = NULL;
}

/* --- beginning ----------------------------------------------------------------------------------------- */

static void upgrade_says_what_begins_and_how_to_follow(void **state)
{
    (void)state;
    start("upgrade");
    wait_until_asked();
    assert_asked("{\"verb\":\"upgrade\",\"wait\":false,\"replace\":false}");
    answer_upgrade(0, "blog: generation 9 is starting");
    assert_int_equal(finish(), 0);
    assert_string_equal(out.text, "blog: generation 9 is starting\n"
                                  "follow with: baton status blog | baton events --follow\n");
    assert_string_equal(err.text, "");
    start("upgrade blog --replace");
    wait_until_asked();
    assert_asked("{\"verb\":\"upgrade\",\"wait\":false,\"replace\":true,\"service\":\"blog\"}");
    answer_upgrade(4, "blog: refused: a rollout is running");
    assert_int_equal(finish(), 4);
    assert_string_equal(out.text, "");
    assert_string_equal(err.text, "blog: refused: a rollout is running\n");
}

static void what_concerns_no_service_is_said_by_baton(void **state)
{
    (void)state;
    immediate = 1;
    immediate_text = "permission denied: only root or uid 7 may upgrade\x1b";
    assert_int_equal(baton("upgrade"), 1);
    assert_string_equal(err.text, "baton: permission denied: only root or uid 7 may upgrade?\n");
    immediate = 0;
    immediate_text = "2 old generations are stopped now";
    assert_int_equal(baton("drain"), 0);
    assert_string_equal(out.text, "2 old generations are stopped now\n");
    assert_asked("{\"verb\":\"drain\"}");
}

static void scale_takes_a_number_and_perhaps_a_service(void **state)
{
    (void)state;
    immediate = 0;
    assert_int_equal(baton("scale 3"), 0);
    assert_asked("{\"verb\":\"scale\",\"workers\":3}");
    assert_int_equal(baton("scale blog 4"), 0);
    assert_asked("{\"verb\":\"scale\",\"workers\":4,\"service\":\"blog\"}");
    assert_int_equal(baton("scale"), 2);
    assert_int_equal(baton("scale blog"), 2);
    assert_says(err, "\"blog\" is not a number of workers");
    assert_int_equal(baton("scale blog 4 5"), 2);
    assert_int_equal(baton("scale 4x"), 2);
    assert_int_equal(baton("scale --name"), 2);
    assert_says(err, "--name: its value is missing");
    assert_int_equal(baton("scale --nane=x 3"), 2);
    assert_says(err, "did you mean --name?");
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static void upgrade_wait_tells_each_change_and_the_outcome(void **state)
{
    (void)state;
    start("upgrade --wait");
    wait_until_asked();
    assert_asked("{\"verb\":\"upgrade\",\"wait\":true,\"replace\":false}");
    control_progress(waiting, json_pack("{s:s, s:s}", "service", "blog", "text", "generation 9 started"));
    control_progress(waiting, json_pack("{s:s, s:s}", "service", "blog", "text", "generation 9 ready"));
    wait_until_out("ready\n");
    answer_upgrade(0, "blog: upgraded 8 -> 9\nshop: upgraded 1 -> 2");
    assert_int_equal(finish(), 0);
    assert_string_equal(out.text, "blog: generation 9 started\nblog: generation 9 ready\n"
                                  "blog: upgraded 8 -> 9\nshop: upgraded 1 -> 2\n");
    assert_string_equal(err.text, "");
}

static void a_terminal_shows_a_living_line_below(void **state)
{
    int terminal = open_terminal(&out);

    (void)state;
    if (terminal < 0) {
        print_message("there are no terminals here\n");
        skip();
    }
    start_with("upgrade --wait", terminal, open_stream(&err));
    wait_until_asked();
    control_progress(waiting, json_pack("{s:s, s:s}", "service", "blog", "text",
                                        "generation 9 started: a release with a very long name (pid 12345)"));
    wait_until_out("\r\033[Kblog: generation 9 started: a release with a ");
    wait_until_out("s\r\033[K"); /* it was shown again a second later */
    answer_upgrade(0, "blog: upgraded 8 -> 9");
    assert_int_equal(finish(), 0);
    assert_says(out, "blog: generation 9 started: a release with a very long name (pid 12345)\r\n");
    assert_says(out, "s\r\033[Kblog: upgraded 8 -> 9\r\n");
}

static void what_was_rolled_back_exits_with_3(void **state)
{
    (void)state;
    start("rollback --wait blog");
    wait_until_asked();
    assert_asked("{\"verb\":\"rollback\",\"wait\":true,\"service\":\"blog\"}");
    answer_upgrade(3, "blog: ROLLED BACK: it exited");
    assert_int_equal(finish(), 3);
    assert_string_equal(out.text, "");
    assert_string_equal(err.text, "blog: ROLLED BACK: it exited\n");
}

static void a_restart_of_the_supervisor_does_not_end_the_wait(void **state)
{
    (void)state;
    add_event(7, "an old one");
    start("upgrade --wait");
    wait_until_asked();
    control_progress(waiting, json_pack("{s:i, s:s, s:s}", "id", 8, "service", "blog", "text", "progress"));
    wait_until_out("progress");
    add_event(8, "was told as progress");
    add_event(9, "generation 9 started");
    set_status("verifying", 5, 0);
    restart_supervisor();
    wait_until_out("generation 9 started");
    restart_supervisor();
    add_event(10, "generation 9 serves");
    set_status("steady", 6, 0);
    assert_int_equal(finish(), 0);
    assert_string_equal(
        out.text,
        "blog: progress\nbaton: the connection was lost; the rollout goes on, and so does the waiting\n"
        "blog: generation 9 started\n"
        "blog: generation 9 serves\n"
        "blog: upgraded 8 -> 9\n");
    assert_string_equal(err.text, "");
}

static void the_outcome_after_a_restart_is_the_exit_code(void **state)
{
    (void)state;
    start("reload --wait");
    wait_until_asked();
    set_status("steady", 6, 3);
    restart_supervisor();
    assert_int_equal(finish(), 3);
    assert_says(err, "blog: upgraded 8 -> 9\n");
}

static void a_request_that_a_restart_has_lost_is_told(void **state)
{
    (void)state;
    start("upgrade blog --wait");
    wait_until_asked();
    restart_supervisor();
    assert_int_equal(finish(), 1);
    assert_says(err, "nothing has begun");
}

static void a_baton_that_ends_ends_the_wait(void **state)
{
    (void)state;
    start("upgrade --wait");
    wait_until_asked();
    end_baton();
    assert_int_equal(finish(), 1);
    assert_says(err, "baton blog does not run");
}

static void an_interrupt_ends_the_wait_and_says_that_it_goes_on(void **state)
{
    (void)state;
    start("upgrade --wait");
    wait_until_asked();
    kill(child, SIGINT);
    assert_int_equal(finish(), 130);
    assert_says(err, "it goes on");
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void status_shows_or_prints_the_object(void **state)
{
    (void)state;
    assert_int_equal(baton("status"), 0);
    assert_says(out, "blog  serving");
    assert_int_equal(baton("status --json"), 0);
    json_t *printed = json_loads(out.text, 0, NULL);
    assert_true(json_equal(printed, status));
    json_decref(printed);
    assert_int_equal(baton("status one two"), 2);
}

static void a_question_waits_for_a_supervisor_that_is_restarted(void **state)
{
    int fd = fcntl(control_fd(control), F_DUPFD_CLOEXEC, 0);

    (void)state;
    control_close(control, false);
    control = NULL;
    start("status"); /* it connects to the socket that the keeper holds, and waits */
    open_control(fd);
    assert_int_equal(finish(), 0);
    assert_says(out, "blog  serving");
}

static void a_question_that_a_restart_has_lost_is_asked_again(void **state)
{
    (void)state;
    status_ignored = 1;
    start("status");
    while (status_asked == 0)
        ev_run(loop, EVRUN_ONCE);
    restart_supervisor();
    assert_int_equal(finish(), 0);
    assert_says(out, "blog  serving");
    assert_int_equal(status_asked, 2);
}

static void events_are_listed_or_printed(void **state)
{
    (void)state;
    add_event(1, "first");
    add_event(2, "second\nwith a line below");
    assert_int_equal(baton("events"), 0);
    assert_string_equal(out.text, "2025-11-25 12:00:00  blog  first\n"
                                  "2025-11-25 12:00:00  blog  second\n"
                                  "                           with a line below\n");
    assert_int_equal(baton("history --json"), 0);
    json_t *printed = json_loads(out.text, 0, NULL), *list = json_object_get(printed, "events");
    assert_int_equal(json_integer_value(json_object_get(printed, "version")), 1);
    assert_true(json_equal(list, events));
    json_decref(printed);
    assert_int_equal(baton("events --after 1 --limit 5"), 0);
    assert_string_equal(out.text, "2025-11-25 12:00:00  blog  second\n"
                                  "                           with a line below\n");
    assert_int_equal(baton("events --limit 0"), 2);
    assert_says(err, "\"0\" is not a number from 1 to 1000");
    assert_int_equal(baton("events --after=-1"), 2);
}

static void the_last_rollout_is_told_in_detail(void **state)
{
    (void)state;
    add_event(1, "only one");
    json_object_set_new(json_array_get(events, 0), "reason", json_string("exit status 1"));
    assert_int_equal(baton("history --last"), 0);
    assert_string_equal(out.text,
                        "blog: test, 2025-11-25 12:00:00 (event 1)\n  only one\n  reason: exit status 1\n");
}

static void following_misses_nothing_over_a_restart(void **state)
{
    (void)state;
    add_event(1, "one");
    start("events --follow");
    wait_until_out("one\n");
    while (followers == 0)
        ev_run(loop, EVRUN_ONCE);
    add_event(2, "two");
    wait_until_out("two\n");
    int fd = fcntl(control_fd(control), F_DUPFD_CLOEXEC, 0);
    control_close(control, false);
    control = NULL;
    add_event(3, "three");
    open_control(fd);
    wait_until_out("three\n");
    add_event(4, "four");
    wait_until_out("four\n");
    kill(child, SIGINT);
    assert_int_equal(finish(), 0);
    assert_string_equal(out.text, "2025-11-25 12:00:00  blog  one\n2025-11-25 12:00:00  blog  two\n"
                                  "2025-11-25 12:00:00  blog  three\n2025-11-25 12:00:00  blog  four\n");
    assert_string_equal(err.text, "");
}

static void following_ends_with_the_baton(void **state)
{
    (void)state;
    start("events --follow --json");
    while (followers == 0)
        ev_run(loop, EVRUN_ONCE);
    add_event(1, "one");
    wait_until_out("\n");
    end_baton();
    assert_int_equal(finish(), 0);
    assert_string_equal(
        out.text, "{\"id\":1,\"time\":1764072000,\"type\":\"test\",\"service\":\"blog\",\"text\":\"one\"}\n");
    assert_string_equal(err.text, "baton: baton blog has ended\n");
}

/* --- ending -------------------------------------------------------------------------------------------- */

static void stop_returns_when_the_baton_has_ended(void **state)
{
    (void)state;
    start("stop");
    wait_until_asked();
    assert_asked("{\"verb\":\"stop\",\"fast\":false}");
    control_progress(waiting, json_pack("{s:s, s:s}", "service", "blog", "text", "stopped"));
    answer_stop();
    wait_until_out("blog: stopped\n");
    ev_run(loop, EVRUN_NOWAIT);
    assert_false(out.ended);
    end_baton();
    assert_int_equal(finish(), 0);
    assert_string_equal(out.text, "blog: stopped\nbaton blog has stopped\n");
}

static void stop_takes_a_closed_channel_for_the_end(void **state)
{
    (void)state;
    start("stop --fast");
    wait_until_asked();
    assert_asked("{\"verb\":\"stop\",\"fast\":true}");
    end_baton();
    assert_int_equal(finish(), 0);
    assert_string_equal(out.text, "baton blog has stopped\n");
}

static void stop_goes_on_over_a_restart_and_is_not_said_twice(void **state)
{
    (void)state;
    start("stop");
    wait_until_asked();
    json_object_set_new(status, "stopping", json_true());
    json_decref(asked);
    asked = NULL;
    restart_supervisor();
    while (status_asked == 0)
        ev_run(loop, EVRUN_ONCE);
    end_baton();
    assert_int_equal(finish(), 0);
    assert_null(asked);
    assert_string_equal(out.text, "baton blog has stopped\n");
}

static void stop_is_said_again_when_a_restart_has_lost_it(void **state)
{
    (void)state;
    start("stop");
    wait_until_asked();
    restart_supervisor();
    wait_until_asked();
    answer_stop();
    end_baton();
    assert_int_equal(finish(), 0);
}

/* --- which one ------------------------------------------------------------------------------------------ */

static void without_a_baton_the_way_to_start_one_is_told(void **state)
{
    (void)state;
    end_baton(); /* its directory, lock file and all, is still there */
    assert_int_equal(baton("status"), 1);
    assert_string_equal(
        err.text,
        "baton: no running baton found; start one with: baton run FILE, or: baton run -- COMMAND\n");
    assert_int_equal(baton("status --name blog"), 1);
    assert_string_equal(err.text, "baton: no running baton is named blog, nor any other\n");
}

static void one_of_several_has_to_be_named(void **state)
{
    char other[96];
    int other_lock = -1;

    (void)state;
    snprintf(other, sizeof other, "%s/articles", base);
    assert_int_equal(mkdir(other, 0755), 0);
    take_lock(other, &other_lock);
    assert_int_equal(baton("status"), 2);
    assert_string_equal(err.text,
                        "baton: several batons are running: articles, blog. Choose one with --name\n");
    assert_int_equal(baton("status --name blog"), 0);
    assert_int_equal(baton("status --name=blgo"), 1);
    assert_string_equal(err.text, "baton: no running baton is named blgo; running: articles, blog\n");
    setenv("BATON_CONTROL", path, 1);
    assert_int_equal(baton("status"), 0);
    close(other_lock);
    unsetenv("BATON_CONTROL");
    assert_int_equal(baton("status"), 0);
    remove_instance(other);
}

static void a_control_socket_must_be_an_absolute_path(void **state)
{
    (void)state;
    setenv("BATON_CONTROL", "blog/control.sock", 1);
    assert_int_equal(baton("status"), 2);
    assert_says(err, "must be the absolute path");
    setenv("BATON_CONTROL", "/nowhere/blog/control.sock", 1);
    assert_int_equal(baton("status"), 1);
    assert_string_equal(err.text, "baton: baton blog does not run (/nowhere/blog/control.sock)\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(upgrade_says_what_begins_and_how_to_follow),
        TEST(what_concerns_no_service_is_said_by_baton),
        TEST(scale_takes_a_number_and_perhaps_a_service),
        TEST(upgrade_wait_tells_each_change_and_the_outcome),
        TEST(a_terminal_shows_a_living_line_below),
        TEST(what_was_rolled_back_exits_with_3),
        TEST(a_restart_of_the_supervisor_does_not_end_the_wait),
        TEST(the_outcome_after_a_restart_is_the_exit_code),
        TEST(a_request_that_a_restart_has_lost_is_told),
        TEST(a_baton_that_ends_ends_the_wait),
        TEST(an_interrupt_ends_the_wait_and_says_that_it_goes_on),
        TEST(status_shows_or_prints_the_object),
        TEST(a_question_waits_for_a_supervisor_that_is_restarted),
        TEST(a_question_that_a_restart_has_lost_is_asked_again),
        TEST(events_are_listed_or_printed),
        TEST(the_last_rollout_is_told_in_detail),
        TEST(following_misses_nothing_over_a_restart),
        TEST(following_ends_with_the_baton),
        TEST(stop_returns_when_the_baton_has_ended),
        TEST(stop_takes_a_closed_channel_for_the_end),
        TEST(stop_goes_on_over_a_restart_and_is_not_said_twice),
        TEST(stop_is_said_again_when_a_restart_has_lost_it),
        TEST(without_a_baton_the_way_to_start_one_is_told),
        TEST(one_of_several_has_to_be_named),
        TEST(a_control_socket_must_be_an_absolute_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
