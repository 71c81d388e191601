/* Whatever a client of the control socket sends: what it hears is the version and then JSON objects, each
 * request is answered or forgotten, and the server goes on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/control.h"
#include "tests/fuzz/fuzz.h"

enum { TURNS_MAX = 1000000 };

static struct ev_loop *loop;
static struct control *control;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct control_request *waiting;
static bool followed;

static void on_gone(void *arg, struct control_request *request)
{
    (void)arg;
    if (waiting == request)
        waiting = NULL;
}

static void run_echo(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg;
    control_progress(request, json_incref(parameters));
    control_answer(request, 0, json_incref(parameters), "echo");
}

static void run_wait(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg, (void)parameters;
    control_on_gone(request, on_gone, NULL);
    waiting = request;
}

static void run_follow(void *arg, struct control_request *request, json_t *parameters)
{
    (void)arg;
    control_follow(request, json_string_value(json_object_get(parameters, "service")));
    followed = true;
}

static const struct control_verb verbs[] = {
    { "echo", true, run_echo },
    { "wait", false, run_wait },
    { "follow", true, run_follow },
    { NULL, false, NULL },
};

static void end(void)
{
    control_close(control, true);
    *strrchr(address.sun_path, '/') = '\0';
    rmdir(address.sun_path);
    ev_loop_destroy(loop);
}

static void begin(void)
{
    char directory[] = "/tmp/baton-fuzz.XXXXXX", *reason;

    loop = ev_loop_new(EVFLAG_AUTO);
    if (!mkdtemp(directory))
        abort();
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", directory);
    if (control_open(loop, address.sun_path, -1, verbs, NULL, &control, &reason) != 0)
        abort();
    atexit(end);
}

/* What the server says, line by line as it arrives. */
struct hearing {
    char line[1 << 18];
    size_t used;
    unsigned lines;
};

static void check_line(struct hearing *hearing)
{
    json_t *object;

    if (hearing->lines++ == 0) {
        if (hearing->used != 7 || memcmp(hearing->line, "baton 1", 7) != 0)
            abort();
        return;
    }
    object = json_loadb(hearing->line, hearing->used, 0, NULL);
    if (!json_is_object(object))
        abort();
    json_decref(object);
}

/* Returns whether the server may say more. */
static bool hear(struct hearing *hearing, int fd)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            check_line(hearing);
            hearing->used = 0;
        } else {
            if (hearing->used == sizeof hearing->line)
                abort();
            hearing->line[hearing->used++] = bytes[i];
        }
    }
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void tell_and_answer(void)
{
    json_t *event = json_pack("{s:s}", "service", "blog");

    if (followed)
        control_event(control, event);
    json_decref(event);
    if (waiting)
        control_answer(waiting, 0, NULL, "late");
    waiting = NULL;
}

static void converse(int fd, const uint8_t *bytes, size_t size)
{
    static struct hearing hearing;
    bool open = true;

    hearing.used = hearing.lines = 0;
    for (unsigned turn = 0; open; turn++) {
        ssize_t n = size ? send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

        if (n < 0 && errno != EAGAIN)
            size = 0; /* it closed: hear why */
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
        if (size == 0)
            shutdown(fd, SHUT_WR);
        ev_run(loop, EVRUN_NOWAIT);
        tell_and_answer();
        open = hear(&hearing, fd) && !(followed && size == 0);
        if (turn > TURNS_MAX)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!loop)
        begin();
    followed = false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    converse(fd, bytes, size);
    close(fd);
    for (int i = 0; i < 4; i++) /* until it is seen to have left */
        ev_run(loop, EVRUN_NOWAIT);
    return 0;
}
