/* Clients that wait for rollouts to end (upgrade --wait, reload --wait, …). */
#ifndef BATON_WAITING_H
#define BATON_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/control.h"
#include "supervisor/service.h"

struct waiting; /* one client */

struct waiting_list {
    struct waiting *first;
};

/* Begin: the request is answered when everything that is added has ended. NULL: no memory (answered so). */
struct waiting *waiting_begin(struct waiting_list *list, struct control_request *request);

/* Wait for the outcome of the rollout of `service` to `generation` or a later one. `going_back`: a roll-back
 * is what this client wants, so it counts as success. */
void waiting_add(struct waiting *waiting, const struct service *service, uint32_t generation,
                 bool going_back);

/* Something that has ended already (or what was waited for was refused): its part of the answer. */
void waiting_add_result(struct waiting *waiting, const char *service, uint32_t generation,
                        enum service_result result, const char *text);

/* All is added: answers at once when nothing is to be waited for. `text` is said when there is nothing at
 * all. */
void waiting_commit(struct waiting *waiting, const char *text);

/* Nothing was begun: the answer is this, and only this. */
void waiting_refuse(struct waiting *waiting, enum service_result result, const char *text);

/* A rollout has ended; an event happened (told as progress). */
void waiting_outcome(struct waiting_list *list, const struct service *service, uint32_t generation,
                     enum service_result result, const char *text);
void waiting_event(struct waiting_list *list, json_t *event);

/* A service will not have an outcome any more: its waiters get `result` and `text`. */
void waiting_service_ends(struct waiting_list *list, const struct service *service,
                          enum service_result result, const char *text);

#endif
