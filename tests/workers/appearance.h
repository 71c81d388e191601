/* Waiting for a file to appear: how a test tells a worker "now". */
#ifndef BATON_TESTS_APPEARANCE_H
#define BATON_TESTS_APPEARANCE_H

#include <ev.h>

struct appearance {
    ev_io io; /* an inotify descriptor on the file's directory */
    const char *path;
    void (*on_appeared)(void *arg);
    void *arg;
};

/* Call `on_appeared` from the loop once `path` exists, also if it does already. `path` must outlive it. Ends
 * the program when the directory cannot be watched. */
void appearance_await(struct appearance *appearance, struct ev_loop *loop, const char *path,
                      void (*on_appeared)(void *arg), void *arg);

#endif
