/* Prints the progress of long work on stderr: items done, items per second and the time left (ETA). On a terminal one
 * line is overwritten; elsewhere a line is printed after every tenth of the items.
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
    const char *unit;       /* name of the items: "images" */
    size_t done, total;     /* items */
    double work_done, work; /* cost of the items done and of all items, in any unit; the ETA is computed from it */
    double quiet;           /* nothing is printed in the first `quiet` seconds */
    double start, shown;    /* monotonic_seconds() at the beginning and at the last line */
    int is_terminal;
    int line_open; /* the line on the terminal has not been ended */
} progress;

/* Begins `total` items that cost total_work together. Work that takes less than quiet_seconds prints nothing. `unit` is
 * not copied. */
void progress_begin(progress *p, const char *unit, size_t total, double total_work, double quiet_seconds);

/* Counts one finished item that cost `work`. */
void progress_step(progress *p, double work);

/* Ends the line on the terminal. Call it before any other output, also before an error message. */
void progress_end(progress *p);

/* Whether `text`, a line from another process, was printed by progress_step. */
int is_progress_line(const char *text);

/* ---- Means and times --------------------------------------------------------------------------------------------- */

/* An exponentially weighted mean: each value weighs `keep` times as much as the next one. Initialize as {keep}. */
typedef struct {
    double keep, sum, weight;
} smoothed_mean;

void smoothed_add(smoothed_mean *mean, double value);
/* The mean; 0 before the first value. */
double smoothed_value(const smoothed_mean *mean);

/* Writes "H:MM:SS", rounded to seconds. `text` has room for at least 32 bytes. */
void format_duration(double seconds, char *text);

/* Seconds since an arbitrary moment. The clock never goes back and ignores changes of the time of day. */
double monotonic_seconds(void);

#endif
