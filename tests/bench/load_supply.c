#include "tests/bench/load_supply.h"

void load_supply_init(struct load_supply *supply, struct load_targets *targets, uint64_t requests)
{
    *supply = (struct load_supply){ .targets = targets, .left = requests };
}

static bool next_read_back(struct load_supply *supply, struct load_target **target, uint64_t *n)
{
    const struct load_target *post = &supply->targets->list[supply->target];

    while (supply->read == post->acknowledged_count) {
        supply->read = 0;
        post = &supply->targets->list[++supply->target];
    }
    *target = post->read_back;
    *n = post->acknowledged[supply->read++];
    return true;
}

bool load_supply_next(struct load_supply *supply, struct load_turn *turn, struct load_target **target,
                      uint64_t *n)
{
    struct load_targets *targets = supply->targets;

    if (supply->left == 0)
        return false;
    supply->left--;
    if (supply->reading_back)
        return next_read_back(supply, target, n);
    do {
        *target = &targets->list[turn->next];
        turn->next = (turn->next + 1) % targets->count;
    } while (turn->posts_only && !(*target)->body);
    *n = ++supply->n;
    return true;
}

bool load_supply_is_empty(const struct load_supply *supply)
{
    return supply->left == 0;
}

void load_supply_stop(struct load_supply *supply)
{
    supply->left = 0;
}

uint64_t load_supply_read_back(struct load_supply *supply)
{
    supply->reading_back = true;
    supply->left = 0;
    for (unsigned i = 0; i < supply->targets->count; i++)
        supply->left += supply->targets->list[i].acknowledged_count;
    return supply->left;
}

struct load_turn load_turn_of_posts(const struct load_targets *targets)
{
    struct load_turn turn = { .next = 0 };

    for (unsigned i = 0; i < targets->count; i++)
        turn.posts_only = turn.posts_only || targets->list[i].body;
    return turn;
}
