#include "supervisor/process/fault.h"

#ifdef BATON_FAULTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fault_point(const char *point)
{
    static unsigned long passed;
    const char *wanted = getenv("BATON_FAULT"), *once = getenv("BATON_FAULT_ONCE");
    size_t length = wanted ? strcspn(wanted, ":") : 0;

    if (!once || strlen(point) != length || strncmp(point, wanted, length) != 0)
        return;
    unsigned long n = wanted[length] ? strtoul(wanted + length + 1, NULL, 10) : 1;
    if (++passed == n && unlink(once) == 0)
        raise(SIGKILL);
}

#else

extern int fault_points_are_not_compiled_in; /* ISO C wants something in every file */

#endif
