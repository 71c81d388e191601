/* The smallest native worker: answers every connection with its generation, until it is to drain. */
#include <baton.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct baton *baton;
static int listener = -1, draining;

static void on_listeners(void *arg, const struct baton_listener *listeners, size_t count)
{
    (void)arg;
    if (count == 1 && listener == -1) {
        listener = listeners[0].fd;
        baton_serving(baton);
    }
}

static void on_drain(void *arg, uint32_t deadline_ms)
{
    (void)arg, (void)deadline_ms;
    draining = 1;
}

int main(void)
{
    const struct baton_handlers handlers = { .on_listeners = on_listeners, .on_drain = on_drain };

    if (baton_open(&baton, &handlers, NULL) != 0)
        return EXIT_FAILURE;
    baton_ready(baton);
    for (baton_dispatch(baton); !draining; baton_dispatch(baton)) {
        short events = POLLIN | (baton_wants_write(baton) ? POLLOUT : 0);
        struct pollfd polled[] = { { .fd = baton_fd(baton), .events = events },
                                   { .fd = listener, .events = POLLIN } };
        int client = poll(polled, 2, -1) > 0 && polled[1].revents ? accept(listener, NULL, NULL) : -1;

        if (client != -1) {
            dprintf(client, "generation %u\n", baton_generation(baton));
            close(client);
        }
    }
    baton_drained(baton);
    baton_close(baton);
    return EXIT_SUCCESS;
}
