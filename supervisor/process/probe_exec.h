/* One try of an exec: check. */
#ifndef BATON_PROBE_EXEC_H
#define BATON_PROBE_EXEC_H

#include "supervisor/process/probe.h"

struct probe_exec;

/* Start the command; `answered` is called once from the loop, when it has ended, unless probe_exec_stop()
 * comes first, which must follow in any case. stdout goes to /dev/null, stderr to ours; what the command
 * leaves running in its process group is killed with it. 0; or -errno with a sentence in *reason (malloc'd).
 */
int probe_exec_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered,
                     void *arg, struct probe_exec **out, char **reason);
void probe_exec_stop(struct probe_exec *exec);

#endif
