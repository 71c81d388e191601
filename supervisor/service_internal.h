/* What the files of the service share; nobody else includes this. */
#ifndef BATON_SERVICE_INTERNAL_H
#define BATON_SERVICE_INTERNAL_H

#include "supervisor/service.h"

/* Raise an event, or (`gone`) tell that a generation has ended; service_run() works it off. */
void service_post(struct service *service, enum rollout_event event, struct generation *gone);

/* Why the running rollout is being reverted: a whole sentence without its full stop. */
void service_set_reason(struct service *service, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void service_stop_timers(struct service *service);

#endif
