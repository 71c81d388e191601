/* Where the programs are that tests start: in the build tree, found from the test itself. */
#ifndef BATON_TESTS_PROGRAM_H
#define BATON_TESTS_PROGRAM_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The absolute path of `name` ("tests/workers/inspect"), malloc'd. */
static inline char *program_path(const char *name)
{
    char self[PATH_MAX], *path;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    for (int slashes = 0; length > 0 && slashes < 3; length--) /* build/tests/unit/test_x */
        slashes += self[length - 1] == '/';
    if (length <= 0 || asprintf(&path, "%.*s/%s", (int)length, self, name) < 0)
        abort();
    return path;
}

#endif
