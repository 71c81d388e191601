/* A running baton by its name: its runtime directory (control socket, lock) and its state directory.
 *
 * Runtime: BASE/NAME, where BASE is $BATON_RUNTIME_DIR; or /run/baton for root; or $XDG_RUNTIME_DIR/baton;
 * or, without one, /tmp/baton-UID. Its control socket is BASE/NAME/control.sock. */
#ifndef BATON_INSTANCE_H
#define BATON_INSTANCE_H

#include <stdbool.h>
#include <sys/types.h>

/* Where running instances may be, NULL-terminated, the place of new ones first; strings and list are
 * malloc'd. NULL: out of memory. */
char **instance_bases(void);

/* The pid of the baton that holds the lock of the runtime directory `directory`; 0: none runs, it is stale.
 */
pid_t instance_running(const char *directory);

/* The functions below return 0, or -errno with a sentence in *reason (malloc'd). */

/* Make the runtime directory of `name`; each directory below the base must be ours alone, never a link.
 * *directory is malloc'd. */
int instance_make_runtime(const char *name, char **directory, char **reason);

/* Make BASE/NAME, where BASE is `configured`; or /var/lib/baton for root; or $XDG_STATE_HOME/baton; or
 * ~/.local/state/baton. *directory is malloc'd. */
int instance_make_state(const char *name, const char *configured, char **directory, char **reason);

/* Remember in the runtime directory where the state is, and find it again (malloc'd; -ENOENT: never
 * remembered). */
int instance_remember_state(const char *runtime, const char *state, char **reason);
int instance_recall_state(const char *runtime, char **state, char **reason);

/* Be the only baton of this runtime directory: *lock is a descriptor that survives exec, and the lock lasts
 * as long as any copy of it. -EBUSY: another one runs. */
int instance_lock(const char *directory, const char *name, int *lock, char **reason);

#endif
