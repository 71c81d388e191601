/* The result of a run, for people or for programs; and whether it was good. */
#ifndef BATON_LOAD_REPORT_H
#define BATON_LOAD_REPORT_H

#include <stdio.h>

#include "tests/bench/load_run.h"

void load_report_text(const struct load_run *run, FILE *out);

/* The fields are explained at the top of load.c. */
void load_report_json(const struct load_run *run, FILE *out);

/* No request failed, all that was acknowledged was read back, and there was no race where races are failures.
 */
bool load_report_is_good(const struct load_run *run);

#endif
