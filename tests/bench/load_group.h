/* The clients of one mode and what makes them begin: the end of the request before (closed loop), or
 * the clock (open loop, LOAD_RATE). */
#ifndef BATON_LOAD_GROUP_H
#define BATON_LOAD_GROUP_H

#include "tests/bench/load_client.h"
#include "tests/bench/load_rate.h"
#include "tests/bench/load_supply.h"

struct load_group {
    struct load_env *env;
    struct load_supply *supply;
    struct load_plan plan;
    struct load_turn turn;
    unsigned mode; /* its number in the statistics */
    struct load_client *clients;

    struct load_rate rate; /* LOAD_RATE: */
    struct load_client **idle;
    unsigned idle_count;
    int timer_fd;
    ev_io timer;
    uint64_t unsent; /* due when the load ended, never sent */
};

/* Returns 0 or -errno. Zero the struct before; load_group_free() in each case. */
int load_group_init(struct load_group *group, struct load_env *env, struct load_supply *supply,
                    const struct load_plan *plan, unsigned mode);

/* Let every client begin. */
void load_group_start(struct load_group *group);

/* The supply was stopped: for LOAD_RATE, count what is not sent any more. Once. */
void load_group_stop(struct load_group *group);

void load_group_expire(struct load_group *group, uint64_t now_ns, bool force);
void load_group_hurry(struct load_group *group);
void load_group_free(struct load_group *group);

#endif
