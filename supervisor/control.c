#include "supervisor/control.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/control_line.h"
#include "supervisor/control_connection.h"
#include "supervisor/control_hangup.h"
#include "supervisor/control_socket.h"
#include "supervisor/jsonline.h"
#include "supervisor/log.h"
#include "supervisor/prose.h"

enum { ACCEPTS_PER_TURN = 16 };

/* How long nobody is accepted after the process ran out of descriptors or memory. */
static const double accept_pause_s = 0.5;

/* A client, and the request it has open. */
struct control_request {
    struct control *control;
    struct control_connection *connection;
    struct control_request *next, **link;
    struct control_peer peer;
    bool greeted; /* said its version */
    bool open;    /* a verb runs */
    bool follows;
    char *service; /* followed; NULL: all */
    void (*gone)(void *arg, struct control_request *request);
    void *gone_arg;
};

struct control {
    struct ev_loop *loop;
    const struct control_verb *verbs;
    void *arg;
    char *path;
    int fd;
    ev_io acceptable;
    ev_timer pause; /* runs only while accepting makes no sense */
    struct control_hangup hangup;
    struct control_request *clients;
    unsigned client_count;
};

static bool may_change(const struct control_peer *peer)
{
    return peer->uid == 0 || peer->uid == geteuid();
}

static void say(struct control_request *request, json_t *object)
{
    char *text = object ? json_dumps(object, JSONLINE_FLAGS) : NULL;

    if (text)
        control_connection_say(request->connection, text, strlen(text));
    else
        log_error("control peer_pid=%d: no memory for an answer", request->peer.pid);
    free(text);
}

/* A line {"key": object}. */
static void say_as(struct control_request *request, const char *key, json_t *object)
{
    json_t *line = json_pack("{s:O}", key, object);

    say(request, line);
    json_decref(line);
}

static void say_result(struct control_request *request, int result, json_t *object, const char *text)
{
    json_t *answer = json_object();

    json_object_set_new(answer, "result", json_integer(result));
    json_object_set_new(answer, "text", json_string(text));
    json_object_update_missing(answer, object);
    if (json_dumpb(answer, NULL, 0, JSONLINE_FLAGS) <= CONTROL_LINE_MAX_BYTES)
        say(request, answer);
    else
        say_result(request, 1, NULL, "the answer is longer than 1 MiB: ask for one service, or set a limit");
    json_decref(answer);
}

static void end_request(struct control_request *request)
{
    request->open = request->follows = false;
    request->gone = NULL;
    free(request->service);
    request->service = NULL;
}

void control_answer(struct control_request *request, int result, json_t *object, const char *text_format, ...)
{
    va_list arguments;

    assert(request->open);
    va_start(arguments, text_format);
    char *text = prose_format(text_format, arguments);
    va_end(arguments);
    end_request(request);
    say_result(request, result, object, text ? text : "");
    free(text);
    json_decref(object);
    control_connection_next(request->connection);
}

void control_progress(struct control_request *request, json_t *object)
{
    assert(request->open);
    say_as(request, "progress", object);
    json_decref(object);
}

void control_tell(struct control_request *request, json_t *event)
{
    assert(request->open);
    say_as(request, "event", event);
}

void control_follow(struct control_request *request, const char *service)
{
    assert(request->open);
    free(request->service);
    request->service = service ? strdup(service) : NULL;
    request->follows = !service || request->service;
}

void control_on_gone(struct control_request *request,
                     void (*gone)(void *arg, struct control_request *request), void *arg)
{
    request->gone = gone;
    request->gone_arg = arg;
}

const struct control_peer *control_peer(const struct control_request *request)
{
    return &request->peer;
}

static bool wants(const struct control_request *request, const char *service)
{
    return request->follows && (!request->service || (service && !strcmp(request->service, service)));
}

void control_event(struct control *control, json_t *event)
{
    const char *service = json_string_value(json_object_get(event, "service"));

    for (struct control_request *request = control->clients; request; request = request->next) {
        if (wants(request, service))
            say_as(request, "event", event);
    }
}

static const struct control_verb *find_verb(const struct control *control, const char *name)
{
    const struct control_verb *verb = control->verbs;

    while (verb->name && strcmp(verb->name, name))
        verb++;
    return verb->name ? verb : NULL;
}

static void answer_unknown_verb(struct control_request *request, const char *name)
{
    char known[512] = "";
    size_t used = 0;

    for (const struct control_verb *verb = request->control->verbs; verb->name && used < sizeof known; verb++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", verb->name);
    control_answer(request, 2, NULL, "unknown verb \"%s\"; there is: %s", name, known);
}

static void run(struct control_request *request, json_t *parameters)
{
    struct control *control = request->control;
    const char *name = json_string_value(json_object_get(parameters, "verb"));
    const struct control_verb *verb = name ? find_verb(control, name) : NULL;

    if (!name)
        control_answer(request, 2, NULL, "a request is an object with a \"verb\": {\"verb\":\"status\"}");
    else if (!verb)
        answer_unknown_verb(request, name);
    else if (!verb->reads_only && !may_change(&request->peer))
        control_answer(request, 1, NULL, "permission denied: only root or uid %u may %s", geteuid(), name);
    else
        verb->run(control->arg, request, parameters);
}

static void parse(struct control_request *request, const char *text, size_t bytes)
{
    json_error_t error;
    json_t *parameters = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);

    request->open = true;
    if (parameters)
        run(request, parameters);
    else
        control_answer(request, 2, NULL, "not JSON: %s", error.text);
    json_decref(parameters);
}

static void refuse_and_finish(struct control_request *request, const char *why)
{
    say_result(request, 2, NULL, why);
    control_connection_finish(request->connection);
}

static void on_line(void *arg, char *text, size_t bytes, const char *why)
{
    struct control_request *request = arg;

    if (!text) {
        refuse_and_finish(request, why);
    } else if (request->greeted) {
        parse(request, text, bytes);
    } else if (!strcmp(text, CONTROL_LINE_VERSION)) {
        request->greeted = true;
        control_connection_next(request->connection);
    } else {
        refuse_and_finish(request,
                          "the first line must be \"" CONTROL_LINE_VERSION "\", the version spoken here");
    }
}

static void drop(struct control_request *request)
{
    void (*gone)(void *arg, struct control_request *request) = request->gone;

    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    request->control->client_count--;
    if (gone)
        gone(request->gone_arg, request);
    end_request(request);
    control_connection_close(request->connection);
    free(request);
}

static void on_end(void *arg)
{
    drop(arg);
}

static const struct control_connection_handlers handlers = { on_line, on_end };

/* Takes `fd`. 0 or -errno. */
static int add_client(struct control *control, int fd, const struct control_peer *peer)
{
    struct control_request *request = calloc(1, sizeof *request);
    int error = -ENOMEM;

    if (request)
        error = control_connection_open(control->loop, fd, &control->hangup, &handlers, request,
                                        &request->connection);
    else
        close(fd);
    if (error) {
        free(request);
        return error;
    }
    request->control = control;
    request->peer = *peer;
    request->next = control->clients;
    request->link = &control->clients;
    if (request->next)
        request->next->link = &request->next;
    control->clients = request;
    control->client_count++;
    control_connection_say(request->connection, CONTROL_LINE_VERSION, strlen(CONTROL_LINE_VERSION));
    return 0;
}

static void turn_away(int fd)
{
    static const char text[] = CONTROL_LINE_VERSION
        "\n{\"result\":4,\"text\":\"too many clients of the control socket; try again\"}\n";

    if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("control error=\"%s\": a client was turned away without a word", strerror(errno));
    close(fd);
}

/* 0, or -errno when no more can be accepted for now. */
static int accept_one(struct control *control)
{
    struct ucred credentials;
    socklen_t bytes = sizeof credentials;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) < 0) {
        close(fd);
        return 0;
    }
    struct control_peer peer = { credentials.uid, credentials.gid, credentials.pid };
    unsigned places = may_change(&peer) ? CONTROL_CLIENTS : CONTROL_CLIENTS - CONTROL_CLIENTS_KEPT;
    if (control->client_count < places)
        return add_client(control, fd, &peer);
    turn_away(fd);
    return 0;
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct control *control = io->data;
    int error = 0;

    (void)revents;
    for (int i = 0; i < ACCEPTS_PER_TURN && !error; i++)
        error = accept_one(control);
    if (!error || error == -EAGAIN)
        return;
    log_warn("control error=\"%s\": clients have to wait", strerror(-error));
    ev_io_stop(loop, &control->acceptable);
    ev_timer_set(&control->pause, accept_pause_s, 0);
    ev_timer_start(loop, &control->pause);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct control *control = timer->data;

    (void)revents;
    ev_io_start(loop, &control->acceptable);
}

int control_open(struct ev_loop *loop, const char *path, int fd, const struct control_verb *verbs, void *arg,
                 struct control **out, char **reason)
{
    struct control *control = calloc(1, sizeof *control);

    *reason = NULL;
    if (!control) {
        if (fd >= 0)
            close(fd);
        return -ENOMEM;
    }
    *control = (struct control){ .loop = loop, .verbs = verbs, .arg = arg, .fd = -1, .hangup.epoll = -1 };
    int error = control_socket_open(path, fd, &control->fd, reason);
    if (!error)
        error = control_hangup_open(&control->hangup, loop, control_connection_hung_up);
    if (!error && !(control->path = strdup(path)))
        error = -ENOMEM;
    ev_io_init(&control->acceptable, on_acceptable, control->fd, EV_READ);
    ev_timer_init(&control->pause, on_pause_over, accept_pause_s, 0);
    control->acceptable.data = control->pause.data = control;
    if (error) {
        control_close(control, false);
        return error;
    }
    ev_io_start(loop, &control->acceptable);
    *out = control;
    return 0;
}

int control_fd(const struct control *control)
{
    return control->fd;
}

void control_close(struct control *control, bool unlink_path)
{
    while (control->clients)
        drop(control->clients);
    control_hangup_close(&control->hangup);
    ev_io_stop(control->loop, &control->acceptable);
    ev_timer_stop(control->loop, &control->pause);
    if (unlink_path)
        unlink(control->path);
    if (control->fd >= 0)
        close(control->fd);
    free(control->path);
    free(control);
}
