#include "tests/workers/inspection.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void write_descriptors(FILE *out)
{
    char path[64], target[PATH_MAX];

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        fprintf(out, "fd %d %.*s\nflags %d %d\n", fd, (int)length, target, fd, fcntl(fd, F_GETFD));
    }
}

static void write_process(FILE *out)
{
    char directory[PATH_MAX], comm[17] = "";
    struct rlimit nofile;
    mode_t mask = umask(0);
    int signo = -1;

    fprintf(out, "pid %d\nsid %d\npgid %d\n", getpid(), getsid(0), getpgid(0));
    fprintf(out, "cwd %s\n", getcwd(directory, sizeof directory) ? directory : "?");
    fprintf(out, "umask %03o\n", mask);
    getrlimit(RLIMIT_NOFILE, &nofile);
    fprintf(out, "nofile %llu %llu\n", (unsigned long long)nofile.rlim_cur,
            (unsigned long long)nofile.rlim_max);
    prctl(PR_GET_PDEATHSIG, &signo);
    prctl(PR_GET_NAME, comm);
    fprintf(out, "pdeathsig %d\ncomm %s\n", signo, comm);
}

static void write_user(FILE *out)
{
    uid_t uids[3];
    gid_t gids[3], groups[64];
    int count = getgroups(64, groups);

    getresuid(&uids[0], &uids[1], &uids[2]);
    getresgid(&gids[0], &gids[1], &gids[2]);
    fprintf(out, "uid %u %u %u\ngid %u %u %u\ngroups", uids[0], uids[1], uids[2], gids[0], gids[1], gids[2]);
    for (int i = 0; i < count; i++)
        fprintf(out, " %u", groups[i]);
    fprintf(out, "\n");
}

static void write_signals(FILE *out)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];

    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "SigBlk:", 7) || !strncmp(line, "SigIgn:", 7))
            fputs(line, out);
    if (status)
        fclose(status);
}

void inspection_write(FILE *out, int argc, char *const argv[])
{
    write_descriptors(out);
    for (int i = 0; i < argc; i++)
        fprintf(out, "arg %d %s\n", i, argv[i]);
    for (char **variable = environ; *variable; variable++)
        fprintf(out, "env %s\n", *variable);
    write_process(out);
    write_user(out);
    write_signals(out);
}
