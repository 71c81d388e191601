/* What the signals to the main PID mean; the keeper hands them on and repeats what was not recorded. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"

static void scale_all(struct supervisor *supervisor, int by)
{
    char text[SERVICE_TEXT_BYTES];

    for (struct service *s = supervisor->state.services; s; s = s->next) {
        int workers = (int)s->workers + by;
        if (workers < 1 || workers > GENERATION_WORKERS_MAX)
            snprintf(text, sizeof text, "refused: a number of workers is from 1 to %d",
                     GENERATION_WORKERS_MAX);
        else if (service_scale(s, (unsigned)workers, text) == SERVICE_OK)
            continue;
        events_record(supervisor->events, "notice", s->name, 0, NULL, "%s", text);
    }
}

static void reload_by_signal(struct supervisor *supervisor)
{
    char *text = NULL;
    const char *why = supervisor_refusal(supervisor);

    if (why)
        events_record(supervisor->events, "notice", NULL, 0, NULL,
                      "the reload asked for by SIGHUP was refused: %s", why);
    else
        reload_run(supervisor, "signal HUP", NULL, false, &text);
    free(text);
}

static void upgrade_all(struct supervisor *supervisor)
{
    const char *why = supervisor_refusal(supervisor);

    if (why)
        events_record(supervisor->events, "notice", NULL, 0, NULL,
                      "the upgrade asked for by SIGUSR2 was refused: %s", why);
    for (struct service *s = supervisor->state.services; s && !why; s = s->next)
        service_upgrade_soon(s, "signal USR2");
}

static void drain_by_signal(struct supervisor *supervisor)
{
    if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO))
        return; /* the window was resized */
    for (struct service *s = supervisor->state.services; s; s = s->next)
        service_drain(s);
}

void supervisor_on_signal(void *arg, int signo)
{
    struct supervisor *supervisor = arg;

    switch (signo) {
    case SIGUSR2:
        upgrade_all(supervisor);
        break;
    case SIGHUP:
        reload_by_signal(supervisor);
        break;
    case SIGUSR1:
        if (log_reopen() != 0)
            log_warn("log=unopened effect=\"the old file is kept\"");
        break;
    case SIGWINCH:
        drain_by_signal(supervisor);
        break;
    case SIGTTIN:
    case SIGTTOU:
        scale_all(supervisor, signo == SIGTTIN ? 1 : -1);
        break;
    case SIGQUIT:
        supervisor_stop(supervisor, CONFIG_INFINITE_MS);
        break;
    default: /* TERM, INT */
        supervisor_stop(supervisor, 0);
    }
    supervisor_record(supervisor);
    vault_signal_done(supervisor->runtime.vault, signo);
}
