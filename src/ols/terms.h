/* Parts of the methods' equations that the CPU and CUDA twins share: the terms of one probability, and random draws.
 * Internal to src/ols. */
#ifndef OLS_TERMS_H
#define OLS_TERMS_H

#include "base/splitmix64.h"
#include "ols/ols.h"

#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/* OLS_REVERSE and OLS_POWER depend on log p[y] alone. Returns the term, and sets *slope to its negative derivative by
 * log p[y]; so -d/dlogit[k] is *slope * ([k == y] - p[k]). */
HOST_DEVICE static inline float ols_label_term(const ols_target_spec *spec, float log_p, float *slope)
{
    const int is_power = spec->term == OLS_POWER;
    const float exponent = is_power ? spec->exponent : 1;
    const float power = exponent == 0 ? 1 : expf(exponent * log_p); /* log_p may be -infinity: 0 times it is NaN */
    *slope = spec->term_weight * power;
    if (!is_power) return spec->term_weight * (1 - power);
    if (exponent == 0) return -spec->term_weight * log_p;
    return spec->term_weight * -expm1f(exponent * log_p) / exponent;
}

/* Multiples of it, mixed, are as good as random. */
#define OLS_GOLDEN_RATIO 0x9e3779b97f4a7c15ull

/* A whole number below n, each as likely, from 64 random bits. */
HOST_DEVICE static inline uint64_t ols_below(uint64_t bits, uint64_t n)
{
    return (bits >> 32) * n >> 32;
}

/* Each number has a stream of its own. Without the mixing, that of `number` + 1 would begin with the second draw of
 * `number`, and the two classes of a mixture would not be drawn independently. */
HOST_DEVICE static inline int ols_class_drawn(const ols_target_spec *spec, int classes, int label, uint64_t number)
{
    uint64_t stream = splitmix64_mix(spec->draws + number * OLS_GOLDEN_RATIO);
    const float chance = (float)(splitmix64_next(&stream) >> 40) / (1 << 24);
    return chance < spec->disturb ? (int)ols_below(splitmix64_next(&stream), (uint64_t)classes) : label;
}

/* Whether the prediction of a correct sample of class y takes the place of the one that A holds. It is the `correct`-th
 * since the last of so many updates; so each of them stays with the same probability (reservoir sampling). */
HOST_DEVICE static inline int ols_takes_over(uint64_t seed, int64_t updates, int y, int64_t correct)
{
    const uint64_t key = splitmix64_mix(seed + (uint64_t)updates * OLS_GOLDEN_RATIO) + (uint64_t)y;
    return !ols_below(splitmix64_mix(splitmix64_mix(key) + (uint64_t)correct), (uint64_t)correct);
}

#ifdef __cplusplus
}
#endif
#endif
