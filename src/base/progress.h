/* How far long work is: items done, items a second, and the time left (ETA), on stderr. On a terminal one line that is
 * written over; elsewhere a line for every tenth.
 *
 *     progress p;
 *     progress_begin(&p, "images", count, count, 0);
 *     for (...) { ...; progress_step(&p, 1); }
 *     progress_end(&p);
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stddef.h>

typedef struct {
    const char *unit;       /* of the items: "images" */
    size_t done, total;     /* items */
    double work_done, work; /* where items differ in what they cost: the time left is that of the work left */
    double quiet;           /* seconds in the beginning without a word */
    double start, shown;    /* monotonic_seconds() */
    int is_terminal;
    int line_open; /* the terminal's line has no end yet */
} progress;

/* Work that is over within `quiet_seconds` says nothing. `unit` must stay. */
void progress_begin(progress *p, const char *unit, size_t total, double total_work, double quiet_seconds);

/* One more item is done, which was `work` of total_work. */
void progress_step(progress *p, double work);

/* Ends the terminal's line. Call it before any other output, an error message too. */
void progress_end(progress *p);

/* Whether a line of another program's output is one that progress_step wrote. */
int is_progress_line(const char *text);

/* ---- Its parts --------------------------------------------------------------------------------------------------- */

/* An exponentially weighted mean: every value weighs `keep` times as much as the one after it. Starts as {keep}. */
typedef struct {
    double keep, sum, weight;
} smoothed_mean;

void smoothed_add(smoothed_mean *mean, double value);
/* 0 before the first value. */
double smoothed_value(const smoothed_mean *mean);

/* "H:MM:SS", rounded to seconds; text holds at least 32 bytes. */
void format_duration(double seconds, char *text);

/* Seconds since some moment, by a clock that nobody sets and that never goes back. */
double monotonic_seconds(void);

#endif
