/* Activations and BLAS level 1. They are bound by memory: a wide version and both cores are all there is to gain. */
#include "accel.h"

#ifdef ONEDNN

#include "vectorize.h"

#include <string.h>

VECTORIZED static void relu(float *x, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) x[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays NaN: a network that diverged must show it */
}

VECTORIZED static void leaky(float *x, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) x[i] = x[i] < 0 ? .1f * x[i] : x[i];
}

VECTORIZED static void relu_gradient(const float *x, float *delta, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) delta[i] = x[i] <= 0 ? 0 : delta[i];
}

VECTORIZED static void leaky_gradient(const float *x, float *delta, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) delta[i] = x[i] <= 0 ? .1f * delta[i] : delta[i];
}

VECTORIZED static void axpy(float alpha, const float *x, float *y, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) y[i] += alpha * x[i];
}

VECTORIZED static void fill(float value, float *x, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) x[i] = value;
}

/* Runs `statement` for the parts of 0..n, on all cores where n is large; `at` and `m` are a part's start and length. */
#define IN_PARTS(n, statement)                                                                                         \
    do {                                                                                                               \
        int part_, parts_ = (n) < PARALLEL_FROM ? 1 : 16;                                                              \
        _Pragma("omp parallel for schedule(static) if(parts_ > 1)") for (part_ = 0; part_ < parts_; ++part_)           \
        {                                                                                                              \
            size_t at = (size_t)(n)*part_ / parts_;                                                                    \
            size_t m = (size_t)(n) * (part_ + 1) / parts_ - at;                                                        \
            statement;                                                                                                 \
        }                                                                                                              \
    } while (0)

int accel_activate(float *x, int n, ACTIVATION a)
{
    if (a == LINEAR) return 1;
    if (a == RELU)
        IN_PARTS(n, relu(x + at, m));
    else if (a == LEAKY)
        IN_PARTS(n, leaky(x + at, m));
    else
        return 0;
    return 1;
}

int accel_gradient(const float *x, int n, ACTIVATION a, float *delta)
{
    if (a == LINEAR) return 1;
    if (a == RELU)
        IN_PARTS(n, relu_gradient(x + at, delta + at, m));
    else if (a == LEAKY)
        IN_PARTS(n, leaky_gradient(x + at, delta + at, m));
    else
        return 0;
    return 1;
}

int accel_fill(int n, float value, float *x)
{
    IN_PARTS(n, fill(value, x + at, m));
    return 1;
}

int accel_copy(int n, const float *x, float *y)
{
    /* memmove: Darknet's loop is defined for any overlap, and layers do copy onto themselves */
    if (n < PARALLEL_FROM || (x < y + n && y < x + n))
        memmove(y, x, n * sizeof(float));
    else
        IN_PARTS(n, memcpy(y + at, x + at, m * sizeof(float)));
    return 1;
}

int accel_axpy(int n, float alpha, const float *x, float *y)
{
    IN_PARTS(n, axpy(alpha, x + at, y + at, m));
    return 1;
}

#endif
