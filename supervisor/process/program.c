#include "supervisor/process/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"
#include "supervisor/process/elf.h"
#include "supervisor/process/script.h"

/* Whether somebody taught the kernel other formats (qemu, wine, Java). */
static bool has_other_formats(void)
{
    DIR *directory = opendir("/proc/sys/fs/binfmt_misc");
    struct dirent *entry;
    bool found = false;

    if (!directory)
        return false;
    while (!found && (entry = readdir(directory)))
        found =
            entry->d_name[0] != '.' && strcmp(entry->d_name, "register") && strcmp(entry->d_name, "status");
    closedir(directory);
    return found;
}

static int check_interpreter(const char *interpreter, const char *path, const char *directory, char **reason)
{
    size_t length = strlen(interpreter);
    int at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = 0;

    if (at < 0)
        return sentence(reason, -errno, "working directory %s: %s", directory, strerror(errno));
    if (faccessat(at, interpreter, X_OK, AT_EACCESS))
        error = -errno;
    close(at);
    if (error == 0)
        return 0;
    if (interpreter[length - 1] == '\r')
        return sentence(reason, error,
                        "%s: its first line ends in a carriage return (a DOS line end): remove it", path);
    return sentence(reason, error, "%s: its interpreter %s: %s", path, interpreter, strerror(-error));
}

static int check_elf(const struct elf *elf, const char *path, char **reason)
{
    char text[24];

    if (!elf_runs_here(elf->machine) && !has_other_formats())
        return sentence(reason, -ENOEXEC, "%s is a program for another architecture (%s)", path,
                        elf_machine_name(elf->machine, text));
    if (elf->interpreter && elf_runs_here(elf->machine) && access(elf->interpreter, F_OK))
        return sentence(reason, -errno, "%s needs the dynamic loader %s: %s", path, elf->interpreter,
                        strerror(errno));
    return 0;
}

static int inspect_binary(int fd, const char *path, struct program *out, char **reason)
{
    struct elf elf;
    int kind = elf_read(fd, &elf);

    if (kind == ELF_OTHER && has_other_formats())
        return 0;
    if (kind == ELF_OTHER)
        return sentence(reason, -ENOEXEC, "%s is neither a program nor a script (a script begins with #!)",
                        path);
    if (kind < 0)
        return sentence(reason, kind, "%s: %s", path,
                        kind == -ENOEXEC ? "a damaged ELF file" : strerror(-kind));
    int error = check_elf(&elf, path, reason);
    if (error == 0) {
        out->build_id = elf.build_id;
        elf.build_id = NULL;
    }
    elf_clear(&elf);
    return error;
}

static int inspect(int fd, const char *path, const char *directory, struct program *out, char **reason)
{
    int kind = script_read(fd, &out->interpreter);

    if (kind == SCRIPT_OTHER)
        return inspect_binary(fd, path, out, reason);
    if (kind == -ENOEXEC)
        return sentence(reason, kind, "%s: its first line names no interpreter", path);
    if (kind)
        return sentence(reason, kind, "%s: %s", path, strerror(-kind));
    out->script = true;
    return check_interpreter(out->interpreter, path, directory, reason);
}

int program_inspect(int fd, const char *path, const char *directory, struct program *out, char **reason)
{
    struct program program = { 0 };
    char self[32];

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int readable = open(self, O_RDONLY | O_CLOEXEC);
    if (readable < 0 && errno != EACCES)
        return sentence(reason, -errno, "%s: %s", path, strerror(errno));
    int error = readable < 0 ? 0 : inspect(readable, path, directory, &program, reason);
    if (readable >= 0)
        close(readable);
    if (error) {
        free(program.interpreter);
        free(program.build_id);
        return error;
    }
    *out = program;
    return 0;
}
