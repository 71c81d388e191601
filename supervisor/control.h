/* The control socket: who asks what, and who is told. Transport, framing, permission and waiting clients;
 * what a verb does is the supervisor's (a table of functions).
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

struct control;
struct control_request; /* a client that waits for its answer */

struct control_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

/* One verb. It must answer (control_answer) now or later; until then the request stays open, or is dropped
 * when the client goes (on_gone, if set with control_on_gone). */
struct control_verb {
    const char *name;
    bool reads_only; /* any uid that may connect; others: root or baton's own uid */
    void (*run)(void *arg, struct control_request *request, json_t *parameters);
};

/* Listen on `path` (0660, directory 0755 made if missing and checked for owner), or take `fd` from the vault
 * (-1: none). At most 64 clients; per client: 1 request at a time, 64 KiB request, 10 s to send it, 4 MiB of
 * unsent answers (then dropped). 0, or -errno with a sentence in *reason (malloc'd): "another baton named
 * blog is running (pid 412)". */
int control_open(struct ev_loop *loop, const char *path, int fd, const struct control_verb *verbs, void *arg,
                 struct control **out, char **reason);
int control_fd(const struct control *control); /* the listening socket, for the vault */

const struct control_peer *control_peer(const struct control_request *request);
/* `object` is taken. The request ends. */
void control_answer(struct control_request *request, int result, json_t *object, const char *text_format, ...)
    __attribute__((format(printf, 4, 5)));
/* A line before the answer: {"progress": object}; object is taken. */
void control_progress(struct control_request *request, json_t *object);
/* The client left (or was dropped) before the answer: forget it. */
void control_on_gone(struct control_request *request,
                     void (*gone)(void *arg, struct control_request *request), void *arg);
/* Tell an event to all who follow (requests that called control_follow). Borrowed. */
void control_event(struct control *control, json_t *event);
/* This request wants events of `service` (NULL: all) from now on as {"event": …} lines until it leaves. */
void control_follow(struct control_request *request, const char *service);

void control_close(struct control *control, bool unlink_path); /* answers that can still be written are */

#endif
