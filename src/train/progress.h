/* How fast a training is and how long it will take. Times are seconds of a clock that only runs forward. */
#ifndef PROGRESS_H
#define PROGRESS_H

#ifdef __cplusplus
extern "C" {
#endif

/* A mean of what came last: every value weighs `keep` times as much as the one after it. All 0 but for `keep` is the
 * empty one. */
typedef struct {
    double keep, sum, weight;
} smoothed_mean;

void smoothed_add(smoothed_mean *mean, double value);
/* 0 for the empty one. */
double smoothed_value(const smoothed_mean *mean);

/* "H:MM:SS", rounded to seconds; text holds at least 32 bytes. */
void format_duration(double seconds, char *text);

/* Seconds since some moment, by a clock that nobody sets. */
double steady_seconds(void);

#ifdef __cplusplus
}
#endif
#endif
