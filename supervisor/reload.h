/* Re-read the configuration and roll out what changed: planned as a whole, refused as a whole, or applied. */
#ifndef BATON_RELOAD_H
#define BATON_RELOAD_H

#include "supervisor/supervisor.h"

/* Outcome by service goes to `waiting` (NULL: nobody waits): rollouts that begin are added, the rest as
 * results. SERVICE_OK: *text (malloc'd, the caller's) says what changed. SERVICE_USAGE: the files are wrong,
 * SERVICE_REFUSED: a changed service is in a rollout; then nothing was changed and *text has the lines. An
 * event tells the same. */
enum service_result reload_run(struct supervisor *supervisor, const char *asked_by, struct waiting *waiting,
                               bool wait, char **text);

#endif
