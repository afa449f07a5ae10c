/* Paired bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13): how far the difference of
 * two evaluations of the same images may be chance. Many times, as many images as there are are drawn with replacement,
 * and the difference is taken on them; the interval holds the middle part of these differences. The difference is
 * significant where the interval leaves out 0. */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#include <stdint.h>

typedef struct {
    double difference; /* of a number of evaluation a less that of b */
    double low, high;  /* of the interval */
} paired_difference;

/* Draws `count` of the images 0..count-1; times[count] says how often each was drawn. The draws are the same for a
 * stream (base/splitmix64.h): number s of it picks image (s >> 32) * count >> 32. */
void bootstrap_draw(uint64_t *stream, int count, int *times);

/* Sets low and high to the ends of the middle `level` (.95) of the samples, quantiles interpolated between neighbours.
 * Sorts the samples; `count` is at least 1. */
void bootstrap_interval(double *samples, int count, double level, paired_difference *result);

#endif
