/* minisup NAME: a supervisor that does what a test tells it, to test the keeper.
 *
 * It connects to the abstract SEQPACKET socket NAME and says how it was started and what the vault holds;
 * then it obeys commands, one per packet, and reports what the keeper says, one fact per packet. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/process/spawn.h"
#include "supervisor/process/vault_client.h"

enum { WORKERS_MAX = 8192 };

struct worker {
    char id[VAULT_ID_BYTES];
    struct spawn spawn;
    int wanted; /* exit status that is expected, of `reuse` */
    int exited;
};

static int test = -1; /* the channel to the test */
static struct vault *vault;
static struct worker workers[WORKERS_MAX];
static size_t worker_count;
static int flooding, clearing;
static unsigned reused_right, reused_wrong;

static void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void report(const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (send(test, line, (size_t)length, MSG_NOSIGNAL) < 0)
        _exit(70);
}

static void require(int result, const char *what)
{
    if (result < 0) {
        report("failed %s: %s", what, strerror(-result));
        _exit(71);
    }
}

static struct worker *find(const char *id)
{
    for (size_t i = 0; i < worker_count; i++)
        if (!strcmp(workers[i].id, id))
            return &workers[i];
    return NULL;
}

static struct worker *add(const char *id, struct spawn spawn)
{
    struct worker *worker = &workers[worker_count++];

    if (worker_count == WORKERS_MAX)
        _exit(72);
    *worker = (struct worker){ .spawn = spawn, .wanted = -1 };
    snprintf(worker->id, sizeof worker->id, "%s", id);
    return worker;
}

static void forget(struct worker *worker)
{
    require(vault_drop(vault, worker->id), "drop");
    close(worker->spawn.pidfd);
    if (worker->spawn.gate >= 0)
        close(worker->spawn.gate);
    memmove(worker, worker + 1, (size_t)(&workers[--worker_count] - worker) * sizeof *worker);
    if (clearing && worker_count == 0)
        report("clear");
}

static void on_stored(void *arg, const char *id)
{
    struct worker *worker = find(id);

    (void)arg;
    if (worker && worker->spawn.gate >= 0)
        spawn_go(&worker->spawn);
    if (!flooding && (!worker || worker->wanted < 0))
        report("stored %s", id);
}

static void on_refused(void *arg, const char *id, int error)
{
    (void)arg;
    report("refused %s %d", id, error);
}

static void on_exit_of(void *arg, const char *id, pid_t pid, int status)
{
    struct worker *worker = find(id);

    (void)arg;
    if (!worker)
        return;
    if (worker->wanted >= 0) {
        *(worker->wanted << 8 == status && pid == worker->spawn.pid ? &reused_right : &reused_wrong) += 1;
        forget(worker);
        return;
    }
    worker->exited = 1;
    if (clearing)
        forget(worker);
    else if (!flooding)
        report("exit %s %d %d", id, pid, status);
}

static void on_signal(void *arg, int signo)
{
    (void)arg;
    report("signal %d", signo);
}

static void on_closed(void *arg)
{
    (void)arg;
    _exit(73);
}

static void start_worker(const char *id, const char *command)
{
    const char *const argv[] = { "sh", "-c", command, NULL }, *const envp[] = { NULL };
    struct spawn_request request = {
        .executable = -1,
        .path = "/bin/sh",
        .argv = (char *const *)argv,
        .envp = (char *const *)envp,
        .umask = 022,
        .stdout_fd = -1,
        .stderr_fd = -1,
    };
    struct spawn spawn;

    require(spawn_start(&request, &spawn), "spawn");
    add(id, spawn);
    require(vault_store(vault, id, spawn.pid, spawn.pidfd), "store");
    if (!flooding)
        report("spawned %s %d", id, spawn.pid);
}

static void store(const char *id)
{
    int fd = memfd_create(id, MFD_CLOEXEC);

    require(vault_store(vault, id, 0, fd), "store");
    close(fd);
}

static void store_many(unsigned count)
{
    char id[VAULT_ID_BYTES];

    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof id, "many.%u", i);
        store(id);
        if (i % 64 == 0)
            vault_dispatch(vault);
    }
}

/* Children that all have pid 77, one after the other; each exit has to arrive at its own record. */
static void reuse_pid(unsigned count)
{
    pid_t wanted_pid = 77;

    for (unsigned i = 0; i < count;) {
        int pidfd = -1, status = (int)(i * 7 + 1) & 0xff;
        struct clone_args arguments = { .flags = CLONE_PARENT | CLONE_PIDFD,
                                        .pidfd = (uintptr_t)&pidfd,
                                        .set_tid = (uintptr_t)&wanted_pid,
                                        .set_tid_size = 1 };
        long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
        char id[VAULT_ID_BYTES];

        if (pid == 0)
            _exit(status);
        if (pid < 0 && errno != EEXIST) {
            report("impossible %d", errno);
            return;
        }
        if (pid < 0)
            continue; /* the keeper has not reaped the one before */
        snprintf(id, sizeof id, "reused.%u", i++);
        add(id, (struct spawn){ .pid = (pid_t)pid, .pidfd = pidfd, .gate = -1 })->wanted = status;
        require(vault_store(vault, id, (pid_t)pid, pidfd), "store");
        if (i % 10 == 0) /* not after each: several records of that pid are under way at once */
            vault_dispatch(vault);
    }
    while (reused_right + reused_wrong < count) {
        struct pollfd ready = { .fd = vault_fd(vault), .events = POLLIN };

        poll(&ready, 1, -1);
        vault_dispatch(vault);
    }
    report("reused %u %u", reused_right, reused_wrong);
}

static void kill_all(void)
{
    if (worker_count == 0)
        report("clear");
    clearing = 1;
    for (size_t i = worker_count; i-- > 0;)
        if (workers[i].exited)
            forget(&workers[i]);
        else
            spawn_signal(&workers[i].spawn, SIGKILL, true);
}

static void drop(const char *id)
{
    struct worker *worker = find(id);

    if (worker)
        forget(worker);
    else
        require(vault_drop(vault, id), "drop");
}

static void obey(char *line)
{
    char *command = strsep(&line, " "), *first = strsep(&line, " ");
    int number = first ? atoi(first) : 0;

    if (!strcmp(command, "hello"))
        require(vault_hello(vault), command);
    else if (!strcmp(command, "store"))
        store(first);
    else if (!strcmp(command, "many"))
        store_many((unsigned)number);
    else if (!strcmp(command, "fake")) /* a pid with what is no pidfd */
        require(vault_store(vault, first, getpid(), STDERR_FILENO), command);
    else if (!strcmp(command, "drop"))
        drop(first);
    else if (!strcmp(command, "spawn"))
        start_worker(first, line);
    else if (!strcmp(command, "kill"))
        require(spawn_signal(&find(first)->spawn, atoi(line), false), command);
    else if (!strcmp(command, "done"))
        require(vault_signal_done(vault, number), command);
    else if (!strcmp(command, "notify"))
        require(vault_notify(vault, first), command);
    else if (!strcmp(command, "finish"))
        require(vault_finish(vault, number), command);
    else if (!strcmp(command, "reuse"))
        reuse_pid((unsigned)number);
    else if (!strcmp(command, "flood"))
        flooding = 1;
    else if (!strcmp(command, "clear"))
        kill_all();
    else if (!strcmp(command, "garbage"))
        send(vault_fd(vault), "garbage", 7, 0);
    else if (!strcmp(command, "exit"))
        _exit(number);
    else if (!strcmp(command, "raise"))
        raise(number);
    else if (!strcmp(command, "die-storing")) { /* the last words are a STORE */
        store(first);
        raise(SIGKILL);
    } else
        _exit(74);
    report("ok %s", command);
}

static void connect_test(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(name);

    test = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path + 1, name, length);
    if (connect(test, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)))
        _exit(75);
}

static void report_entry(const struct vault_entry *entry)
{
    char path[64], target[256];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/self/fd/%d", entry->fd);
    length = readlink(path, target, sizeof target);
    report("entry %s %d %d %d %.*s", entry->id, entry->pid, entry->exited, entry->status, (int)length,
           target);
    if (entry->pid > 0)
        add(entry->id, (struct spawn){ .pid = entry->pid, .pidfd = entry->fd, .gate = -1 })->exited =
            entry->exited;
}

static void connect_keeper(void)
{
    static const struct vault_handlers handlers = { .on_stored = on_stored,
                                                    .on_refused = on_refused,
                                                    .on_exit = on_exit_of,
                                                    .on_signal = on_signal,
                                                    .on_closed = on_closed };
    struct vault_entry *entries;
    struct vault_start start;
    size_t count;
    int fd = vault_inherited();

    require(fd, "inherit");
    require(vault_open(fd, &handlers, NULL, &vault, &entries, &count, &start), "open");
    report("start %u %d %d %d %lu %lu", start.restarts, start.restarted, start.safe_mode,
           start.previous_status, start.nofile_soft, start.nofile_hard);
    for (size_t i = 0; i < count; i++)
        report_entry(&entries[i]);
    free(entries);
    report("entries %zu", count);
}

static void flood_one(void)
{
    static unsigned number;
    char id[VAULT_ID_BYTES];

    snprintf(id, sizeof id, "f%d.%u", getpid(), number++);
    start_worker(id, "exec sleep 200");
    if (number == 1)
        report("flooding");
}

int main(int argc, char *argv[])
{
    char line[2048];

    if (argc != 2)
        return 2;
    connect_test(argv[1]);
    connect_keeper();
    for (;;) {
        struct pollfd fds[] = { { .fd = test, .events = POLLIN },
                                { .fd = vault_fd(vault), .events = POLLIN } };

        if (vault_wants_write(vault))
            fds[1].events |= POLLOUT;
        poll(fds, 2, flooding ? 0 : -1);
        vault_dispatch(vault);
        if (flooding)
            flood_one();
        if (!fds[0].revents)
            continue;
        ssize_t size = recv(test, line, sizeof line - 1, 0);
        if (size <= 0)
            return 76;
        line[size] = '\0';
        obey(line);
    }
}
