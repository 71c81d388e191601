/* Writes what it was started with (see inspection.h) to stdout and exits with the status in $EXIT. */
#include <stdlib.h>

#include "tests/workers/inspection.h"

int main(int argc, char *argv[])
{
    const char *status = getenv("EXIT");

    inspection_write(stdout, argc, argv);
    fflush(stdout);
    return status ? atoi(status) : 0;
}
