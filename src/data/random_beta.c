#include "data/random_beta.h"

#include "base/splitmix64.h"

#include <math.h>

/* Uniform in 0..1, never 0 or 1. */
static double uniform(uint64_t *stream)
{
    return ((double)(splitmix64_next(stream) >> 11) + .5) / 9007199254740992.; /* 2^53 */
}

/* Normal with mean 0 and variance 1 (Box and Muller 1958). */
static double normal(uint64_t *stream)
{
    const double pi = 3.14159265358979323846, radius = sqrt(-2 * log(uniform(stream)));
    return radius * cos(2 * pi * uniform(stream));
}

/* The logarithm of a number of Gamma(a, 1): Marsaglia and Tsang, "A simple method for generating gamma variables"
 * (ACM TOMS 2000), which needs a >= 1. For a smaller one, G(a) = G(a + 1) U^(1/a). It is the logarithm because that
 * power is 0 as a double where a is small. */
static double log_gamma(uint64_t *stream, double a)
{
    const double d = (a < 1 ? a + 1 : a) - 1. / 3, c = 1 / sqrt(9 * d);
    double x, v;
    do {
        do {
            x = normal(stream);
            v = 1 + c * x;
        } while (v <= 0);
        v = v * v * v;
    } while (log(uniform(stream)) >= x * x / 2 + d * (1 - v + log(v)));
    return log(d * v) + (a < 1 ? log(uniform(stream)) / a : 0);
}

double random_beta(uint64_t *stream, double a, double b)
{
    const double x = log_gamma(stream, a), y = log_gamma(stream, b);
    return 1 / (1 + exp(y - x)); /* e^x / (e^x + e^y) */
}
