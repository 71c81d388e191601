/* What the files of the service share; nobody else includes this. */
#ifndef BATON_SERVICE_INTERNAL_H
#define BATON_SERVICE_INTERNAL_H

#include "supervisor/service.h"

/* Raise an event, or (`gone`) tell that a generation has ended; service_run() works it off. */
void service_post(struct service *service, enum rollout_event event, struct generation *gone);

/* Why the running rollout is being reverted: a whole sentence without its full stop. */
void service_set_reason(struct service *service, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* service_actions.c: carry out what a step says (of enum rollout_action). */
void service_act(struct service *service, unsigned actions);
void service_start_generation(void *arg); /* of service->start */
void service_post_candidate_gone(struct service *service);
void service_start_remembered(struct service *service); /* if an upgrade was asked for meanwhile */
void service_tell_upgraded(struct service *service, struct generation *old); /* `old` has ended */
void service_on_overdue(struct ev_loop *loop, ev_timer *timer, int events);
void service_forget_previous(struct service *service);
void service_stop_timers(struct service *service);

/* "96 ms", "1.2 s": since then. */
void service_seconds(uint64_t since_ms, char text[32]);
double service_unix_time(void);

/* service.c: what generations tell. */
extern const struct generation_handlers service_generation_handlers;

#endif
