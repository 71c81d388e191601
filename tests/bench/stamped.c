/* stamped [--hold]: a native worker that tells when things happened to it. Every connection is answered with
 *
 *     GENERATION MAIN READY LISTENERS
 *
 * the generation and three times in nanoseconds of CLOCK_MONOTONIC: when main() began, just before READY was
 * said, when the listener had come. With --hold a drained worker goes on, accepting nothing, until a signal
 * ends it: an old generation that is still there. Not started by baton it prints MAIN and ends. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/baton.h"
#include "tests/bench/load_clock.h"

struct stamped {
    struct baton *baton;
    int listener; /* -1: none (any more) */
    bool hold, ended;
    uint64_t main_ns, ready_ns, listeners_ns;
};

static void on_listeners(void *arg, const struct baton_listener *listeners, size_t count)
{
    struct stamped *stamped = arg;

    if (count != 1 || stamped->listener >= 0)
        exit(EXIT_FAILURE);
    stamped->listeners_ns = load_now_ns();
    stamped->listener = listeners[0].fd;
    baton_serving(stamped->baton);
}

static void on_drain(void *arg, uint32_t deadline_ms)
{
    struct stamped *stamped = arg;

    (void)deadline_ms;
    if (stamped->listener >= 0)
        close(stamped->listener);
    stamped->listener = -1;
    stamped->ended = !stamped->hold;
}

/* Its baton is gone: this one is of no use to anybody. */
static void on_lost(void *arg, const char *reason)
{
    struct stamped *stamped = arg;

    (void)reason;
    stamped->ended = true;
}

static void answer(const struct stamped *stamped)
{
    char line[128];
    int client = accept4(stamped->listener, NULL, NULL, SOCK_CLOEXEC);

    if (client < 0)
        return; /* another generation was faster */
    int bytes = snprintf(line, sizeof line, "%" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                         baton_generation(stamped->baton), stamped->main_ns, stamped->ready_ns,
                         stamped->listeners_ns);
    send(client, line, (size_t)bytes, MSG_NOSIGNAL);
    close(client);
}

static int serve(struct stamped *stamped)
{
    stamped->ready_ns = load_now_ns();
    baton_ready(stamped->baton);
    for (baton_dispatch(stamped->baton); !stamped->ended; baton_dispatch(stamped->baton)) {
        short events = POLLIN | (baton_wants_write(stamped->baton) ? POLLOUT : 0);
        struct pollfd polled[] = { { .fd = baton_fd(stamped->baton), .events = events },
                                   { .fd = stamped->listener, .events = POLLIN } };

        if (poll(polled, 2, -1) > 0 && polled[1].revents)
            answer(stamped);
    }
    baton_drained(stamped->baton);
    baton_close(stamped->baton);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct baton_handlers handlers = { .on_listeners = on_listeners,
                                                    .on_drain = on_drain,
                                                    .on_lost = on_lost };
    struct stamped stamped = { .main_ns = load_now_ns(), .listener = -1 };

    stamped.hold = argc == 2 && !strcmp(argv[1], "--hold");
    int error = baton_open(&stamped.baton, &handlers, &stamped);
    if (error == -ENOENT) {
        printf("%" PRIu64 "\n", stamped.main_ns);
        return EXIT_SUCCESS;
    }
    return error ? EXIT_FAILURE : serve(&stamped);
}
