#include "tests/bench/load_connection.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "tests/bench/load_clock.h"
#include "tests/bench/load_socket.h"

enum { SLOW_BUFFER_BYTES = 4096, LOOPBACK_SOURCES = 64 };

void load_connection_init(struct load_connection *connection, struct load_env *env,
                          void (*on_event)(struct ev_loop *loop, ev_io *io, int events), void *data)
{
    *connection = (struct load_connection){ .env = env, .fd = -1 };
    ev_io_init(&connection->io, on_event, -1, 0);
    connection->io.data = data;
}

/* Every source address has its own 28,000 ports: a server that closes first, as it is asked to, keeps
 * each port in TIME_WAIT for a minute, and so do we where we close first. */
static void choose_source(const struct load_env *env, const struct load_server *server,
                          struct load_socket_wish *wish)
{
    bool loopback = env->options->sources == 0 && load_server_is_loopback(server);
    uint32_t first = loopback ? INADDR_LOOPBACK : ntohl(env->options->source.s_addr);
    unsigned count = loopback ? LOOPBACK_SOURCES : env->options->sources;

    wish->has_source = count > 0;
    if (count > 0)
        wish->source.s_addr = htonl(first + (uint32_t)(env->stats->connections % count));
}

int load_connection_open(struct load_connection *connection, const struct load_server *server,
                         const struct load_plan *plan)
{
    struct load_socket_wish wish = {
        .receive_bytes = plan->mode == LOAD_SLOW_RESPONSE ? SLOW_BUFFER_BYTES : 0,
        .no_delay = plan->mode == LOAD_SLOW_UPLOAD,
    };

    choose_source(connection->env, server, &wish);
    connection->env->stats->connections++;
    connection->connected = false;
    int fd = load_socket_open(server, &wish);
    if (fd < 0)
        return fd;
    connection->fd = fd;
    connection->answered = 0;
    connection->opened_ns = load_now_ns();
    connection->server = *server;
    ev_io_set(&connection->io, fd, 0);
    return 0;
}

void load_connection_watch(struct load_connection *connection, int events)
{
    bool active = ev_is_active(&connection->io);

    if (active && (connection->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(connection->env->loop, &connection->io);
    if (active)
        ev_io_modify(&connection->io, events);
    else
        ev_io_set(&connection->io, connection->fd, events);
    if (events)
        ev_io_start(connection->env->loop, &connection->io);
}

bool load_connection_suits(const struct load_connection *connection, const struct load_plan *plan,
                           const struct load_server *server)
{
    uint64_t age_ns = load_now_ns() - connection->opened_ns;

    if (connection->fd < 0 || !load_server_equal(&connection->server, server))
        return false;
    if (plan->requests && connection->answered >= plan->requests)
        return false;
    return !plan->seconds || age_ns < (uint64_t)plan->seconds * LOAD_NS_PER_S;
}

void load_connection_close(struct load_connection *connection)
{
    if (connection->fd < 0)
        return;
    ev_io_stop(connection->env->loop, &connection->io);
    close(connection->fd);
    connection->fd = -1;
}
