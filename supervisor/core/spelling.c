#include "supervisor/core/spelling.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 63 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t spelling_distance(const char *a, const char *b)
{
    size_t cost[LONGEST + 1][LONGEST + 1];
    size_t rows = strlen(a), columns = strlen(b);

    if (rows > LONGEST || columns > LONGEST)
        return SIZE_MAX;
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            size_t change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            cost[i][j] = smaller(change, smaller(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = smaller(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[rows][columns];
}

bool spelling_offer(struct spelling *spelling, const char *text, const char *candidate)
{
    size_t distance = spelling_distance(text, candidate);

    /* Two thirds must agree, or it is another word. */
    if (distance > 3 || distance * 3 > strlen(candidate) ||
        (spelling->best && distance >= spelling->distance))
        return false;
    spelling->best = candidate;
    spelling->distance = distance;
    return true;
}
