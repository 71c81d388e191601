#include "supervisor/process/script.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 256 }; /* BINPRM_BUF_SIZE: what the kernel looks at */

int script_read(int fd, char **interpreter)
{
    char line[LINE_BYTES + 1];
    ssize_t got = pread(fd, line, LINE_BYTES, 0);

    if (got < 0)
        return -errno;
    if (got < 2 || memcmp(line, "#!", 2))
        return SCRIPT_OTHER;
    line[got] = '\0';
    char *path = line + 2 + strspn(line + 2, " \t");
    size_t bytes = strcspn(path, " \t\n");
    if (bytes == 0 || path + bytes == line + LINE_BYTES)
        return -ENOEXEC;
    *interpreter = strndup(path, bytes);
    return *interpreter ? 0 : -ENOMEM;
}
