/* Random orders that depend on a seed alone. */
#ifndef PERMUTATION_H
#define PERMUTATION_H

#include <stdint.h>

/* A whole number from 0 to n - 1, each with the same probability; n is at least 1. */
uint64_t random_below(uint64_t *stream, uint64_t n);

/* Puts the numbers 0..n-1 into order[n] and draws the first `drawn` of them without replacement (Fisher and Yates);
 * drawn = n gives a permutation. */
void random_order(uint64_t *stream, int *order, int n, int drawn);

#endif
