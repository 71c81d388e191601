#include "tests/e2e/rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/program.h"
#include "tests/unit/unit.h"

enum { LINE_BYTES = 2048 };

static int listen_as(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path + 1, name, strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Away from the targets first: a source may have the number of another's target. */
static void place_fds(const struct rig_options *options)
{
    int high[64];
    char number[16];

    if (options->fd_count == 0)
        return;
    for (size_t i = 0; i < options->fd_count; i++)
        high[i] = fcntl(options->fds[i], F_DUPFD_CLOEXEC, 200);
    for (size_t i = 0; i < options->fd_count; i++)
        dup2(high[i], 3 + (int)i);
    snprintf(number, sizeof number, "%d", getpid());
    setenv("LISTEN_PID", number, 1);
    snprintf(number, sizeof number, "%zu", options->fd_count);
    setenv("LISTEN_FDS", number, 1);
}

static _Noreturn void become_keeper(const struct rig *rig, const struct rig_options *options,
                                    char *const argv[])
{
    struct rlimit limit = { options->nofile_soft, options->nofile_hard };

    for (size_t i = 0; options->environment && options->environment[i]; i++)
        putenv((char *)options->environment[i]);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that runs out of time leaves no keeper */
    dup2(rig->words, STDERR_FILENO);
    place_fds(options);
    if (options->nofile_hard && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(81);
    execv(argv[0], argv);
    _exit(80);
}

bool rig_launch(struct rig *rig, const struct rig_options *options)
{
    static unsigned number;
    char *keeper = program_path("baton-keeper"), *minisup = program_path("tests/workers/minisup");
    unsigned long flags = SIGCHLD | (options->pid_namespace ? CLONE_NEWPID : 0);

    *rig = (struct rig){ .talk = -1, .words = memfd_create("words", MFD_CLOEXEC) };
    snprintf(rig->name, sizeof rig->name, "baton-test-%d-%u", getpid(), number++);
    char *argv[] = { keeper, (char *)"--", minisup, rig->name, NULL };
    if (options->supervisor)
        argv[2] = (char *)options->supervisor;
    rig->listener = listen_as(rig->name);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    rig->keeper = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (rig->keeper == 0)
        become_keeper(rig, options, argv);
    free(keeper);
    free(minisup);
    if (rig->keeper < 0) {
        close(rig->listener);
        close(rig->words);
    }
    return rig->keeper > 0;
}

static char *receive(struct rig *rig)
{
    char line[LINE_BYTES];
    ssize_t size = recv(rig->talk, line, sizeof line - 1, 0);

    if (size <= 0)
        fail_msg("the supervisor is gone");
    line[size] = '\0';
    if (!strncmp(line, "failed ", 7))
        fail_msg("the supervisor %s", line);
    return strdup(line);
}

static void keep(struct rig *rig, char *line)
{
    rig->bag = realloc(rig->bag, (rig->bagged + 1) * sizeof *rig->bag);
    assert_non_null(rig->bag);
    rig->bag[rig->bagged++] = line;
}

static void empty(struct rig *rig)
{
    while (rig->bagged > 0)
        free(rig->bag[--rig->bagged]);
    free(rig->bag);
    rig->bag = NULL;
}

static void hang_up(struct rig *rig)
{
    if (rig->talk >= 0)
        close(rig->talk);
    rig->talk = -1;
}

void rig_accept(struct rig *rig)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    int next = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);

    assert_true(next >= 0);
    hang_up(rig); /* not before: the old one would end of that */
    empty(rig);
    rig->talk = next;
    assert_int_equal(getsockopt(rig->talk, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
    rig->supervisor = peer.pid;
    assert_int_equal(sscanf(rig_await(rig, "start "), "start %u %d %d %d %lu %lu", &rig->restarts,
                            &rig->restarted, &rig->safe_mode, &rig->previous_status, &rig->nofile_soft,
                            &rig->nofile_hard),
                     6);
    assert_int_equal(sscanf(rig_await(rig, "entries "), "entries %u", &rig->entries), 1);
}

void rig_start(struct rig *rig, const struct rig_options *options)
{
    static const struct rig_options plain;

    assert_true(rig_launch(rig, options ? options : &plain));
    rig_accept(rig);
}

void rig_tell(struct rig *rig, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_int_equal(send(rig->talk, line, (size_t)length, MSG_NOSIGNAL), length);
}

void rig_do(struct rig *rig, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    rig_tell(rig, "%s", line);
    line[strcspn(line, " ")] = '\0';
    rig_await(rig, "ok %s", line);
}

const char *rig_await(struct rig *rig, const char *format, ...)
{
    static char found[LINE_BYTES];
    char start[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(start, sizeof start, format, arguments);
    va_end(arguments);
    for (size_t i = 0;; i++) {
        if (i == rig->bagged)
            keep(rig, receive(rig));
        if (strncmp(rig->bag[i], start, strlen(start)) != 0)
            continue;
        snprintf(found, sizeof found, "%s", rig->bag[i]);
        free(rig->bag[i]);
        rig->bagged--;
        memmove(&rig->bag[i], &rig->bag[i + 1], (rig->bagged - i) * sizeof *rig->bag);
        return found;
    }
}

const char *rig_entry(struct rig *rig, const char *id)
{
    char start[64];

    snprintf(start, sizeof start, "entry %s ", id);
    for (size_t i = 0; i < rig->bagged; i++)
        if (!strncmp(rig->bag[i], start, strlen(start)))
            return rig->bag[i] + strlen(start);
    return NULL;
}

void rig_replace(struct rig *rig, int signo)
{
    assert_int_equal(kill(rig->supervisor, signo), 0);
    rig_accept(rig);
}

int rig_wait(struct rig *rig)
{
    int status;

    assert_int_equal(waitpid(rig->keeper, &status, 0), rig->keeper);
    return status;
}

void rig_free(struct rig *rig)
{
    hang_up(rig);
    empty(rig);
    close(rig->listener);
    close(rig->words);
    assert_int_equal(waitpid(-1, NULL, 0), -1); /* whoever lost the keeper is our child: nobody is left */
    assert_int_equal(errno, ECHILD);
}

void rig_stop(struct rig *rig)
{
    rig_do(rig, "finish 0");
    rig_tell(rig, "exit 0");
    assert_int_equal(rig_wait(rig), 0);
    rig_free(rig);
}

bool rig_said(const struct rig *rig, const char *words)
{
    char text[64 * 1024];
    ssize_t size = pread(rig->words, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return strstr(text, words) != NULL;
}

bool rig_process(pid_t pid, pid_t *parent, char *state)
{
    char path[64], text[1024];
    const char *end;
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d", state, parent) == 2;
}

size_t rig_children(pid_t parent, pid_t *children, size_t max)
{
    DIR *directory = opendir("/proc");
    size_t count = 0;
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL && count < max) {
        pid_t pid = (pid_t)atoi(entry->d_name), its_parent;
        char state;

        if (pid > 0 && rig_process(pid, &its_parent, &state) && its_parent == parent && state != 'Z')
            children[count++] = pid;
    }
    closedir(directory);
    return count;
}
