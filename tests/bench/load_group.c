#include "tests/bench/load_group.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/load_clock.h"

enum { MIN_TICK_NS = 50000 }; /* at high rates several requests begin per wake-up */

static bool begin_next(struct load_group *group, struct load_client *client, uint64_t begun_ns)
{
    struct load_target *target;
    uint64_t n;

    if (!load_supply_next(group->supply, &group->turn, &target, &n))
        return false;
    load_client_request(client, target, n, begun_ns);
    return true;
}

/* Closed loop. */
static void on_free(struct load_client *client)
{
    begin_next(client->owner, client, load_now_ns());
}

/* Set the timer to the next request; 0 when every client is busy: the first one that is free sets it again.
 */
static void arm(struct load_group *group, uint64_t at_ns)
{
    struct itimerspec at = { .it_value = { (time_t)(at_ns / LOAD_NS_PER_S), (long)(at_ns % LOAD_NS_PER_S) } };
    timerfd_settime(group->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static uint64_t next_tick_ns(const struct load_group *group, uint64_t now_ns)
{
    uint64_t due_ns = load_rate_due_ns(&group->rate, group->rate.started);

    return due_ns < now_ns + MIN_TICK_NS ? now_ns + MIN_TICK_NS : due_ns;
}

/* Begin what is due. The client that was used last comes first: its connection is open. */
static void begin_due(struct load_group *group)
{
    uint64_t now_ns = load_now_ns();

    while (load_rate_backlog(&group->rate, now_ns) > 0 && !load_supply_is_empty(group->supply)) {
        if (group->idle_count == 0) {
            load_rate_wait(&group->rate, now_ns, group->supply->left);
            arm(group, 0);
            return;
        }
        struct load_client *client = group->idle[--group->idle_count];
        begin_next(group, client, load_rate_begin(&group->rate, now_ns));
    }
    if (load_supply_is_empty(group->supply))
        ev_io_stop(group->env->loop, &group->timer);
    else
        arm(group, next_tick_ns(group, now_ns));
}

static void on_free_at_rate(struct load_client *client)
{
    struct load_group *group = client->owner;

    group->idle[group->idle_count++] = client;
    if (group->rate.started < group->rate.waited_for)
        begin_due(group);
}

static void on_timer(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    begin_due(io->data);
}

static int init_rate(struct load_group *group)
{
    group->idle = load_grow(NULL, group->plan.connections, sizeof *group->idle);
    group->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (group->timer_fd < 0)
        return -errno;
    ev_io_init(&group->timer, on_timer, group->timer_fd, EV_READ);
    group->timer.data = group;
    return 0;
}

int load_group_init(struct load_group *group, struct load_env *env, struct load_supply *supply,
                    const struct load_plan *plan, unsigned mode)
{
    bool rate = plan->mode == LOAD_RATE;

    *group = (struct load_group){ .env = env, .supply = supply, .plan = *plan, .mode = mode, .timer_fd = -1 };
    if (plan->mode == LOAD_SLOW_UPLOAD)
        group->turn = load_turn_of_posts(supply->targets);
    group->clients = load_grow(NULL, plan->connections, sizeof *group->clients);
    for (unsigned i = 0; i < plan->connections; i++)
        load_client_init(&group->clients[i], env, &group->plan, mode, rate ? on_free_at_rate : on_free,
                         group);
    return rate ? init_rate(group) : 0;
}

void load_group_start(struct load_group *group)
{
    uint64_t now_ns = load_now_ns();

    if (group->plan.mode != LOAD_RATE) {
        for (unsigned i = 0; i < group->plan.connections; i++)
            begin_next(group, &group->clients[i], now_ns);
        return;
    }
    for (unsigned i = group->plan.connections; i-- > 0;)
        group->idle[group->idle_count++] = &group->clients[i];
    load_rate_init(&group->rate, group->plan.rate, now_ns);
    ev_io_start(group->env->loop, &group->timer);
    begin_due(group);
}

void load_group_stop(struct load_group *group)
{
    if (group->plan.mode != LOAD_RATE)
        return;
    ev_io_stop(group->env->loop, &group->timer);
    if (group->idle_count == 0) /* else what is due now would be begun at the next tick */
        group->unsent = load_rate_backlog(&group->rate, load_now_ns());
}

void load_group_expire(struct load_group *group, uint64_t now_ns, bool force)
{
    for (unsigned i = 0; i < group->plan.connections; i++)
        load_client_expire(&group->clients[i], now_ns, force);
}

void load_group_hurry(struct load_group *group)
{
    for (unsigned i = 0; i < group->plan.connections; i++)
        load_client_hurry(&group->clients[i]);
}

void load_group_free(struct load_group *group)
{
    for (unsigned i = 0; group->clients && i < group->plan.connections; i++)
        load_client_free(&group->clients[i]);
    if (group->timer_fd >= 0) {
        ev_io_stop(group->env->loop, &group->timer);
        close(group->timer_fd);
    }
    free(group->idle);
    free(group->clients);
}
