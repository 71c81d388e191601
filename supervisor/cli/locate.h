/* Which running baton is meant: --name, or $BATON_CONTROL, or the only one of this user. */
#ifndef BATON_LOCATE_H
#define BATON_LOCATE_H

#include <stdbool.h>
#include <sys/types.h>

struct location {
    char *directory; /* runtime directory */
    char *socket;    /* path of the control socket */
    char *name;      /* of the instance: last part of the directory */
};

/* Find it. `name` NULL: not given. CLI_OK and `location` to be ended by location_free(), or the exit code of
 * what was told: none, several, no such name. Instances that have ended but left their directory are not
 * seen. */
int locate(const char *name, struct location *location);

/* The pid of the baton that is there; 0: it has ended. */
pid_t locate_running(const struct location *location);

void location_free(struct location *location);

#endif
