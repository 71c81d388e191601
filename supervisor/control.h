/* The control socket: who asks what, and who is told. Permission, requests and followers; what a verb does
 * is the supervisor's (a table of functions). The bytes are control_connection's, the socket is
 * control_socket's.
 *
 * Framing in proto/PROTOCOL.md: version line, then JSON lines. A request is one object:
 * {"verb": "upgrade", "service": "blog", "wait": true, …}. Answers: any number of {"event": {…}} or
 * {"progress": {…}} lines, then exactly one
 * {"result": EXIT_CODE, "text": "one sentence", …data…}. Unknown verbs and malformed requests get result 2
 * and a sentence. */
#ifndef BATON_CONTROL_H
#define BATON_CONTROL_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* Clients at a time; the last CONTROL_CLIENTS_KEPT places are for those who may change something, so that
 * readers cannot shut them out. */
enum { CONTROL_CLIENTS = 64, CONTROL_CLIENTS_KEPT = 8 };

struct control;
struct control_request; /* a client that waits for its answer */

struct control_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

/* One verb. It must answer (control_answer) now or later; until then the request stays open, or ends when
 * the client goes (the function set with control_on_gone is called then). `parameters` is the whole request,
 * borrowed for the call. */
struct control_verb {
    const char *name;
    bool reads_only; /* any uid that may connect; others: root or baton's own uid */
    void (*run)(void *arg, struct control_request *request, json_t *parameters);
};

/* Listen on `path` (0660, directory 0755 made if missing and checked for owner), or go on listening on `fd`
 * from the vault (-1: none; taken, also on failure). `verbs` ends with a name of NULL. Per client: one
 * request at a time, CONTROL_CONNECTION_* limits. 0, or -errno with a sentence in *reason (malloc'd, NULL
 * when out of memory): "another baton named blog is running (pid 412)". */
int control_open(struct ev_loop *loop, const char *path, int fd, const struct control_verb *verbs, void *arg,
                 struct control **out, char **reason);
int control_fd(const struct control *control); /* the listening socket, for the vault; stays ours */

const struct control_peer *control_peer(const struct control_request *request);

/* `object` (may be NULL) is taken. The request ends; its gone function is not called any more. */
void control_answer(struct control_request *request, int result, json_t *object, const char *text_format, ...)
    __attribute__((format(printf, 4, 5)));

/* A line before the answer: {"progress": object}; object is taken. */
void control_progress(struct control_request *request, json_t *object);

/* The client left (or was dropped) before the answer: forget the request. Called from the loop, never from
 * inside one of the functions here but control_close(). */
void control_on_gone(struct control_request *request,
                     void (*gone)(void *arg, struct control_request *request), void *arg);

/* Tell an event to all who follow (requests that called control_follow). Borrowed. */
void control_event(struct control *control, json_t *event);

/* A line before the answer: {"event": event}; borrowed. For what happened before control_follow(). */
void control_tell(struct control_request *request, json_t *event);

/* This request wants events of `service` (NULL: all) from now on as {"event": …} lines until it is answered
 * or leaves. */
void control_follow(struct control_request *request, const char *service);

/* Open requests end as gone. What was answered is written as far as the peers' buffers take it; nothing
 * waits. */
void control_close(struct control *control, bool unlink_path);

#endif
