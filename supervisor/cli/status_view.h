/* The "status" object of proto/PROTOCOL.md as people read it: one screen for a few services. */
#ifndef BATON_STATUS_VIEW_H
#define BATON_STATUS_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* `now`: unix time. `workers`: a line for each worker too. */
void status_view_print(const json_t *status, double now, bool workers, FILE *to);

#endif
