/* Waiting for a rollout on the other side of the control socket, through a restart of the supervisor: the
 * rollout goes on without the connection, so the wait goes on too. */
#ifndef BATON_WAIT_H
#define BATON_WAIT_H

#include <jansson.h>

#include "supervisor/cli/client.h"

/* Send `request` (taken; it has "wait": true), tell the progress, print the outcome. `service` NULL: all.
 * Returns the exit code. An interrupt (SIGINT) ends the waiting, not the rollout: exit code 130. */
int wait_for_rollout(struct client *client, json_t *request, const char *service);

#endif
