#include "progress.h"

#include <stdio.h>
#include <time.h>

void smoothed_add(smoothed_mean *mean, double value)
{
    mean->sum = mean->keep * mean->sum + value;
    mean->weight = mean->keep * mean->weight + 1;
}

double smoothed_value(const smoothed_mean *mean)
{
    return mean->weight > 0 ? mean->sum / mean->weight : 0;
}

void format_duration(double seconds, char *text)
{
    /* more than ten thousand years is a division by next to nothing */
    long long s = seconds > 0 && seconds < 3e11 ? (long long)(seconds + .5) : 0;
    snprintf(text, 32, "%lld:%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

double steady_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}
