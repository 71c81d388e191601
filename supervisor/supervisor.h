/* The supervisor: what its parts share. supervisor.c starts, restores and runs the loop; verbs.c answers the
 * control socket; reload.c compares and applies configurations. */
#ifndef BATON_SUPERVISOR_H
#define BATON_SUPERVISOR_H

#include <ev.h>
#include <stdbool.h>
#include <time.h>

#include "supervisor/control.h"
#include "supervisor/process/snapshot.h"
#include "supervisor/state.h"
#include "supervisor/waiting.h"

struct supervisor {
    const char *name, *runtime_dir, *state_dir;
    const char *config_path; /* NULL: the one-line form */
    int option_count;        /* of the one-line form */
    char **options;

    struct runtime runtime;
    struct state state;
    struct snapshot snapshot;
    struct events *events;
    struct control *control;
    struct waiting_list waiting;
    struct vault_start start;
    bool safe_mode; /* started after several quick deaths: serve, change nothing */
    bool finished;  /* everything has ended */
    int exit_code;
    char status[512]; /* last STATUS= */

    ev_io vault_readable, vault_writable;
    ev_prepare prepare;
    double record_after; /* loop time; until then a record waits unless something waits for it */
    ev_timer record_timer;
    ev_idle more; /* runs while something waits for its turn: the loop does not sleep then */
    ev_check check;
    ev_timer calm; /* leaves the safe mode */
    timer_t dead_man;
};

/* Adds a service that does not run yet. NULL: no memory. */
struct service *supervisor_add_service(struct supervisor *supervisor, const char *name,
                                       const char *definition);
struct service *supervisor_find_service(struct supervisor *supervisor, const char *name);

/* End everything; drain_ms as in service_stop(). A second call hurries. */
void supervisor_stop(struct supervisor *supervisor, uint64_t drain_ms);

/* Why nothing may be changed now ("safe mode: …", "baton is being stopped"), or NULL. */
const char *supervisor_refusal(const struct supervisor *supervisor);

/* boot.c: everything between the first words with the keeper and the loop. `entries` is what the vault holds;
 * what is used gets fd -1. 0 or -errno. */
int supervisor_start(struct supervisor *supervisor, struct vault_entry *entries, size_t count);

/* boot.c: listening sockets from the vault that nobody wanted after all. */
void supervisor_drop_spares(struct supervisor *supervisor);

/* supervisor.c: everything that is needed before ev_run(). */
void supervisor_watch(struct supervisor *supervisor);

/* signals.c: carry out, record, acknowledge. */
void supervisor_on_signal(void *arg, int signo);

/* An event was recorded: log it, tell who waits and who follows. */
void supervisor_on_event(void *arg, json_t *event);

/* Write the whole state now. */
void supervisor_record(void *arg);

extern struct service_handlers supervisor_service_handlers;
extern const struct vault_handlers supervisor_vault_handlers;
extern const struct control_verb supervisor_verbs[]; /* verbs.c */

#endif
