#include "data/permutation.h"

#include "base/splitmix64.h"

uint64_t random_below(uint64_t *stream, uint64_t n)
{
    /* The numbers from `fair` on would make the first 2^64 mod n results more probable than the others. */
    const uint64_t fair = UINT64_MAX - UINT64_MAX % n;
    uint64_t value;
    do value = splitmix64_next(stream);
    while (value >= fair);
    return value % n;
}

void random_order(uint64_t *stream, int *order, int n, int drawn)
{
    int i;
    for (i = 0; i < n; ++i) order[i] = i;
    for (i = 0; i < drawn; ++i) {
        const int from = i + (int)random_below(stream, (uint64_t)(n - i));
        const int swap = order[i];
        order[i] = order[from];
        order[from] = swap;
    }
}
