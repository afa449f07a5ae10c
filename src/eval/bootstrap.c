#include "eval/bootstrap.h"

#include "base/splitmix64.h"

#include <stdlib.h>
#include <string.h>

void bootstrap_draw(uint64_t *stream, int count, int *times)
{
    int i;
    memset(times, 0, count * sizeof *times);
    for (i = 0; i < count; ++i) ++times[(splitmix64_next(stream) >> 32) * (uint64_t)count >> 32];
}

static int by_value(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

/* Of sorted values: linear between the two that the quantile falls between. */
static double quantile(const double *sorted, int count, double q)
{
    const double place = q * (count - 1);
    const int below = (int)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

void bootstrap_interval(double *samples, int count, double level, paired_difference *result)
{
    qsort(samples, count, sizeof *samples, by_value);
    result->low = quantile(samples, count, (1 - level) / 2);
    result->high = quantile(samples, count, (1 + level) / 2);
}
