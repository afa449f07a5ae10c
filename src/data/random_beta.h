/* Random numbers of the beta distribution. */
#ifndef RANDOM_BETA_H
#define RANDOM_BETA_H

#include <stdint.h>

/* A number of Beta(a, b), from 0 to 1: its density is proportional to x^(a-1) (1-x)^(b-1). a and b are above 0; where
 * they are tiny, the result is 0 or 1. Advances the stream (splitmix64.h). */
double random_beta(uint64_t *stream, double a, double b);

#endif
