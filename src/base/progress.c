/* Progress lines, running means and durations. */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Part of every progress line; is_progress_line looks for it. */
#define RATE_AND_ETA "/s, ETA "

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
    /* a longer estimate comes from a rate close to 0 and means nothing */
    long long s = seconds > 0 && seconds < 3e11 ? (long long)(seconds + .5) : 0;
    snprintf(text, 32, "%lld:%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

double monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

void progress_begin(progress *p, const char *unit, size_t total, double total_work, double quiet_seconds)
{
    memset(p, 0, sizeof *p);
    p->unit = unit;
    p->total = total;
    p->work = total_work;
    p->quiet = quiet_seconds;
    p->start = p->shown = monotonic_seconds();
    p->is_terminal = isatty(STDERR_FILENO);
}

static int tenths(const progress *p, size_t done)
{
    return (int)(10. * done / p->total);
}

void progress_step(progress *p, double work)
{
    const double seconds_between_lines = .2;
    const double now = monotonic_seconds(), seconds = now - p->start;
    char left[32];
    ++p->done;
    p->work_done += work;
    if (seconds < p->quiet) return;
    if (p->is_terminal) {
        if (now - p->shown < seconds_between_lines && p->done < p->total) return;
    } else if (tenths(p, p->done) == tenths(p, p->done - 1)) {
        return;
    }
    p->shown = now;
    format_duration((p->work - p->work_done) * seconds / p->work_done, left);
    fprintf(stderr, "%s%zu/%zu %s, %.1f %s" RATE_AND_ETA "%s%s", p->is_terminal ? "\r" : "", p->done, p->total, p->unit,
            seconds > 0 ? p->done / seconds : 0, p->unit, left, p->is_terminal ? "   " : "\n");
    fflush(stderr);
    p->line_open = p->is_terminal;
}

void progress_end(progress *p)
{
    if (p->line_open) fputc('\n', stderr);
    p->line_open = 0;
}

int is_progress_line(const char *text)
{
    return strstr(text, RATE_AND_ETA) != 0;
}
