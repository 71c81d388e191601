/* What kind of program a file is, and whether this machine can run it. */
#ifndef BATON_PROGRAM_H
#define BATON_PROGRAM_H

#include <stdbool.h>

struct program {
    bool script;       /* begins with "#!" */
    char *interpreter; /* of a script */
    char *build_id;    /* of a binary: hex; NULL: none */
};

/* Look into the file behind `fd` (O_PATH will do), which people know as `path`; a script's interpreter may be
 * relative to `directory`. What the kernel alone can know (binfmt_misc handlers, a file we may execute but
 * not read) passes. 0 and `out` whose strings are the caller's; or -errno with a sentence in *reason
 * (malloc'd): the interpreter or the dynamic loader is missing, another machine's program, damaged, neither
 * program nor script. */
int program_inspect(int fd, const char *path, const char *directory, struct program *out, char **reason);

#endif
