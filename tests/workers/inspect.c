/* Writes what it was started with to stdout, one fact per line, and exits with the status in $EXIT:
 *
 *     fd 3 socket:[81213]        every open descriptor
 *     flags 3 1                  F_GETFD of it
 *     arg 0 inspect
 *     env LISTEN_PID=812
 *     pid 812, sid, pgid, cwd, umask, uid and gid (real, effective, saved), groups, nofile, pdeathsig, comm
 *     SigBlk:, SigIgn:           lines of /proc/self/status
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void write_descriptors(void)
{
    char path[64], target[PATH_MAX];

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        printf("fd %d %.*s\nflags %d %d\n", fd, (int)length, target, fd, fcntl(fd, F_GETFD));
    }
}

static void write_process(void)
{
    char directory[PATH_MAX], comm[17] = "";
    struct rlimit nofile;
    mode_t mask = umask(0);
    int signo = -1;

    printf("pid %d\nsid %d\npgid %d\n", getpid(), getsid(0), getpgid(0));
    printf("cwd %s\n", getcwd(directory, sizeof directory) ? directory : "?");
    printf("umask %03o\n", mask);
    getrlimit(RLIMIT_NOFILE, &nofile);
    printf("nofile %llu %llu\n", (unsigned long long)nofile.rlim_cur, (unsigned long long)nofile.rlim_max);
    prctl(PR_GET_PDEATHSIG, &signo);
    prctl(PR_GET_NAME, comm);
    printf("pdeathsig %d\ncomm %s\n", signo, comm);
}

static void write_user(void)
{
    uid_t uids[3];
    gid_t gids[3], groups[64];
    int count = getgroups(64, groups);

    getresuid(&uids[0], &uids[1], &uids[2]);
    getresgid(&gids[0], &gids[1], &gids[2]);
    printf("uid %u %u %u\ngid %u %u %u\ngroups", uids[0], uids[1], uids[2], gids[0], gids[1], gids[2]);
    for (int i = 0; i < count; i++)
        printf(" %u", groups[i]);
    printf("\n");
}

static void write_signals(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];

    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "SigBlk:", 7) || !strncmp(line, "SigIgn:", 7))
            fputs(line, stdout);
    if (status)
        fclose(status);
}

int main(int argc, char *argv[])
{
    const char *status = getenv("EXIT");

    write_descriptors();
    for (int i = 0; i < argc; i++)
        printf("arg %d %s\n", i, argv[i]);
    for (char **variable = environ; *variable; variable++)
        printf("env %s\n", *variable);
    write_process();
    write_user();
    write_signals();
    fflush(stdout);
    return status ? atoi(status) : 0;
}
