/* What the files of the worker share; nobody else includes this. */
#ifndef BATON_WORKER_INTERNAL_H
#define BATON_WORKER_INTERNAL_H

#include "supervisor/process/worker.h"

/* worker.c */
struct runtime *worker_runtime(const struct worker *worker);
/* Why it failed, one sentence without the subject. */
void worker_set_reason(struct worker *worker, const char *format, ...) __attribute__((format(printf, 2, 3)));
void worker_arm(struct worker *worker, uint64_t ms); /* CONFIG_INFINITE_MS: no timer */
void worker_disarm(struct worker *worker);           /* timer and checks */

/* worker_process.c */
bool worker_listens_at_exec(
    const struct worker *worker); /* listeners come as LISTEN_FDS, not over the channel */
/* The vault id of one of its entries: 'c', 'n', 'q' or 'p', see worker.h. */
void worker_entry_id(const struct worker *worker, char kind, char id[VAULT_ID_BYTES]);
/* Fill worker->environment. `fds` has room for the listeners and two more; they and *count are what goes to
 * 3, 4, …. */
void worker_set_environment(struct worker *worker, int *fds, size_t *count);
void worker_open_gate(struct worker *worker);
void worker_go(void *arg); /* of worker->go */
void worker_on_gate(struct ev_loop *loop, ev_io *io, int events);
void worker_describe_exit(struct worker *worker, int status);
/* A supervisor before us died between its clone and its go (that is what `status` says): nothing ran yet, so
 * it is started again, without a failure. False: it is an exit like any other. */
bool worker_start_again(struct worker *worker, int status);
void worker_close_process(struct worker *worker); /* everything of it is given up, in the vault too */

/* worker_talk.c */
extern const struct native_handlers worker_native_handlers;
void worker_send_signal(struct worker *worker, int signo, bool group);
void worker_tell_drain(struct worker *worker, uint64_t ms); /* over the channel, or by the stop signal */
void worker_give_listeners(struct worker *worker);
void worker_on_lost_timer(struct ev_loop *loop, ev_timer *timer, int events);
void worker_on_notify(struct ev_loop *loop, ev_io *io, int events);
void worker_watch_notify(struct worker *worker);

/* worker_check.c */
void worker_begin_readiness(struct worker *worker); /* it was executed: `ready` is asked */
void worker_describe_timeout(struct worker *worker);

#endif
