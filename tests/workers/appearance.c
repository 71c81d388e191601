#include "tests/workers/appearance.h"

#include <err.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static void on_change(struct ev_loop *loop, ev_io *io, int events)
{
    struct appearance *appearance = io->data;
    char changes[4096];

    (void)events;
    while (read(io->fd, changes, sizeof changes) > 0)
        ;
    if (access(appearance->path, F_OK))
        return;
    ev_io_stop(loop, io);
    close(io->fd);
    appearance->on_appeared(appearance->arg);
}

void appearance_await(struct appearance *appearance, struct ev_loop *loop, const char *path,
                      void (*on_appeared)(void *arg), void *arg)
{
    char *directory = strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (!slash)
        errx(2, "%s: the path must be absolute", path);
    *slash = '\0';
    if (fd < 0 || inotify_add_watch(fd, directory, IN_CREATE | IN_MOVED_TO) < 0)
        err(2, "cannot watch %s", directory);
    free(directory);
    *appearance = (struct appearance){ .path = path, .on_appeared = on_appeared, .arg = arg };
    ev_io_init(&appearance->io, on_change, fd, EV_READ);
    appearance->io.data = appearance;
    ev_io_start(loop, &appearance->io);
    ev_feed_event(loop, &appearance->io, EV_READ); /* it may be there already */
}
