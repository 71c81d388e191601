/* A conversation with a running baton: requests and answers as JSON over proto/control_client.h, errors as
 * sentences, the keeper outliving its supervisor. */
#ifndef BATON_CLIENT_H
#define BATON_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "proto/control_client.h"
#include "supervisor/cli/locate.h"

enum { CLIENT_ANSWER_MS = 10000, CLIENT_CONNECT_MS = 5000, CLIENT_RECONNECT_MS = 15000 };

/* Further outcomes of the functions that return 0 or -errno; CONTROL_CLIENT_CLOSED is 1. */
enum { CLIENT_ENDED = 2 /* the baton itself is gone */ };

struct client {
    struct location location;
    struct control_client *connection; /* NULL: lost */
};

/* Find the instance (locate()) and connect. CLI_OK and a client to be ended with client_close(), or the exit
 * code of what was told. */
int client_open(const char *name, struct client *client);

/* Connect again to the same instance, while a restarted supervisor comes up. 0; CLIENT_ENDED; -errno. */
int client_reconnect(struct client *client);

/* The connection is of no use any more. */
void client_disconnect(struct client *client);

/* Send a request (taken). 0; CONTROL_CLIENT_CLOSED; -errno. */
int client_send(struct client *client, json_t *request);

/* Receive the next line as an object (new; *line is NULL but with 0). `timeout_ms` -1: no limit. 0;
 * CONTROL_CLIENT_CLOSED; -ETIMEDOUT (the connection stays usable); -EPROTO: not an object; -errno. */
int client_receive(struct client *client, int timeout_ms, json_t **line);

/* Send (taken), then wait for the final answer at most CLIENT_ANSWER_MS; other lines are skipped. As
 * client_receive(). */
int client_ask(struct client *client, json_t *request, json_t **answer);

/* client_ask() for verbs that only read: asked again once when the supervisor is restarted meanwhile.
 * CLI_OK and an answer whose result is 0 (new), or the exit code of what was told. */
int client_read(struct client *client, json_t *request, json_t **answer);

/* Tell what an outcome of the functions above means. Returns CLI_FAILURE. */
int client_tell(const struct client *client, int outcome);

/* Print an answer's text: on stdout when its result is 0, else on stderr. Returns the result. */
int client_print(const json_t *answer);

void client_close(struct client *client);

#endif
