#include "supervisor/control_hangup.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* One at a time: the callback may forget others that are ready as well. */
static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct control_hangup *hangup = io->data;
    struct epoll_event event;

    (void)loop, (void)revents;
    if (epoll_wait(hangup->epoll, &event, 1, 0) == 1)
        hangup->on_hangup(event.data.ptr);
}

int control_hangup_open(struct control_hangup *hangup, struct ev_loop *loop, control_hangup_fn *on_hangup)
{
    hangup->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (hangup->epoll < 0)
        return -errno;
    hangup->loop = loop;
    hangup->on_hangup = on_hangup;
    ev_io_init(&hangup->io, on_readable, hangup->epoll, EV_READ);
    hangup->io.data = hangup;
    ev_io_start(loop, &hangup->io);
    return 0;
}

int control_hangup_watch(struct control_hangup *hangup, int fd, void *who)
{
    struct epoll_event event = { .events = EPOLLONESHOT, .data.ptr = who };

    return epoll_ctl(hangup->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void control_hangup_forget(struct control_hangup *hangup, int fd)
{
    epoll_ctl(hangup->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void control_hangup_close(struct control_hangup *hangup)
{
    if (hangup->epoll < 0)
        return;
    ev_io_stop(hangup->loop, &hangup->io);
    close(hangup->epoll);
    hangup->epoll = -1;
}
