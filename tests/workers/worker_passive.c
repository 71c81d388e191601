/* A worker that knows LISTEN_FDS and NOTIFY_SOCKET as under systemd, and nothing of baton: SIGTERM makes it
 * finish its requests and exit. Beyond the options in worker.h:
 *
 *     --no-notify       does not say READY=1
 *     --notify TEXT     says this instead of READY=1
 *     --chroot DIR      changes its root before it says anything
 *     --as-child        says it from a child process that ends at once
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workers/worker.h"

enum { FIRST_FD = 3, TERM_DEADLINE_MS = 60000 };

static struct passive {
    struct worker worker;
    bool no_notify, as_child;
    const char *chroot, *notify;
} passive;

static int number_of(const char *variable)
{
    const char *text = getenv(variable);

    return text ? atoi(text) : 0;
}

static void listen_on_given(void)
{
    int count = number_of("LISTEN_PID") == getpid() ? number_of("LISTEN_FDS") : 0;

    for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
            err(2, "LISTEN_FDS: descriptor %d", fd);
        int error = http_server_listen(passive.worker.server, fd, false);
        if (error)
            errx(2, "LISTEN_FDS: descriptor %d: %s", fd, strerror(-error));
    }
    if (count == 0)
        warnx("no listener was given");
}

static void send_notification(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (!path || strlen(path) >= sizeof address.sun_path)
        errx(2, "NOTIFY_SOCKET is missing or too long");
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@')
        address.sun_path[0] = '\0';
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length) < 0)
        err(2, "cannot notify %s", path);
    close(fd);
}

static void on_ready(struct worker *worker)
{
    const char *text = passive.notify ? passive.notify : "READY=1";

    if (passive.chroot && (chroot(passive.chroot) || chdir("/")))
        err(2, "chroot %s", passive.chroot);
    if (!passive.no_notify && passive.as_child) {
        pid_t child = fork();
        if (child == 0) {
            send_notification(text);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    } else if (!passive.no_notify) {
        send_notification(text);
    }
    worker_was_ready(worker);
}

static void on_terminate(struct worker *worker)
{
    worker_drain(worker, TERM_DEADLINE_MS);
}

int main(int argc, char **argv)
{
    static const struct worker_option options[] = {
        { "no-notify", &passive.no_notify, NULL },
        { "as-child", &passive.as_child, NULL },
        { "notify", NULL, &passive.notify },
        { "chroot", NULL, &passive.chroot },
        { 0 },
    };

    worker_open(&passive.worker, argc, argv, options);
    listen_on_given();
    worker_start(&passive.worker, on_ready, on_terminate);
    ev_run(passive.worker.loop, 0);
    http_server_free(passive.worker.server);
    return 0;
}
