/* Who has left without being read from: a peer that half-closed still wants its answer, one that closed does
 * not, and libev cannot watch for the second alone. An epoll of our own can (EPOLLHUP is always reported),
 * and costs nothing while nobody leaves. */
#ifndef BATON_CONTROL_HANGUP_H
#define BATON_CONTROL_HANGUP_H

#include <ev.h>

/* `who` is what was given to control_hangup_watch(); it is no longer watched. */
typedef void control_hangup_fn(void *who);

struct control_hangup {
    struct ev_loop *loop;
    int epoll; /* owned; -1: closed */
    ev_io io;
    control_hangup_fn *on_hangup;
};

int control_hangup_open(struct control_hangup *hangup, struct ev_loop *loop, control_hangup_fn *on_hangup);

/* Until the peer of `fd` has closed, or control_hangup_forget(). 0 or -errno. */
int control_hangup_watch(struct control_hangup *hangup, int fd, void *who);
void control_hangup_forget(struct control_hangup *hangup, int fd); /* not watched: fine */

void control_hangup_close(struct control_hangup *hangup);

#endif
