/* What the keeper makes of the process it is started in. */
#ifndef BATON_SETUP_H
#define BATON_SETUP_H

#include <sys/resource.h>

/* Leave open what is ours: 0, 1 and 2 (opened on /dev/null when they are not), everything below `first`, and
 * the lock that `baton run` took, which lasts as long as its descriptor (BATON_LOCK names it) is open here.
 * What was inherited by accident is closed. */
void setup_descriptors(int first);

/* Raise the soft RLIMIT_NOFILE to the hard one. `before` is what workers get back. */
void setup_limit(struct rlimit *before);

/* Everything but STOP, KILL and the job control of a shell comes through the descriptor that is returned, or
 * stays blocked: nothing but a fault of our own can end the keeper. -errno. */
int setup_signals(void);

#endif
