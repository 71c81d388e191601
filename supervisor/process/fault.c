#include "supervisor/process/fault.h"

#ifdef BATON_FAULTS

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are left in the file; 0 without one. */
static off_t bytes_left(const char *path)
{
    struct stat status;

    return path && stat(path, &status) == 0 ? status.st_size : 0;
}

/* Whether the variable names `point`; *n is the time at which it counts. */
static bool is_wanted(const char *point, unsigned long *n)
{
    const char *wanted = getenv("BATON_FAULT");
    size_t length = wanted ? strcspn(wanted, ":") : 0;

    if (length == 0 || strlen(point) != length || strncmp(point, wanted, length) != 0)
        return false;
    *n = wanted[length] ? strtoul(wanted + length + 1, NULL, 10) : 1;
    return true;
}

void fault_point(const char *point)
{
    static unsigned long passed;
    const char *how = getenv("BATON_FAULT_HOW"), *file = getenv("BATON_FAULT_FILE");
    unsigned long n;
    off_t left = bytes_left(file);

    if (left == 0 || !is_wanted(point, &n) || ++passed != n || truncate(file, left - 1) != 0)
        return;
    if (how && !strcmp(how, "hang")) {
        for (;;)
            pause();
    }
    raise(how && !strcmp(how, "stop") ? SIGSTOP : SIGKILL);
}

#else

extern int fault_points_are_not_compiled_in; /* ISO C wants something in every file */

#endif
