/* What the files of the generation share; nobody else includes this. */
#ifndef BATON_GENERATION_INTERNAL_H
#define BATON_GENERATION_INTERNAL_H

#include "supervisor/generation.h"

/* Told by the workers; for the plan. */
void generation_on_worker_ready(void *arg, struct worker *worker);
void generation_on_worker_serving(void *arg, struct worker *worker);
void generation_on_worker_failed(void *arg, struct worker *worker);
void generation_on_worker_gone(void *arg, struct worker *worker);
void generation_on_worker_notice(void *arg, struct worker *worker, const char *text);

/* Told by the lanes. */
void generation_on_quiesced(void *arg);

#endif
