/* Activations and level 1 of the BLAS, with wide vector registers and all cores. They are limited by memory
 * bandwidth. */
#include "accel/cpu/accel_cpu.h"

#ifdef ONEDNN

#include "accel/cpu/piecewise_linear.h"
#include "base/vectorize.h"

#include <math.h>
#include <string.h>

VECTORIZED static void activate(float *x, size_t n, piecewise_linear f)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) x[i] = piecewise_linear_value(x[i], f);
}

VECTORIZED static void multiply_by_slope(const float *x, float *delta, size_t n, piecewise_linear f)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) delta[i] *= piecewise_linear_slope(x[i], f);
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

/* x / (1 + exp(-x)), and its gradient, for which x is the input of the activation. Not VECTORIZED: expf is a call. */
static void activate_swish(float *x, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) x[i] /= 1 + expf(-x[i]);
}

static void multiply_by_slope_of_swish(const float *x, float *delta, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) {
        const float sigmoid = 1 / (1 + expf(-x[i]));
        delta[i] *= sigmoid + x[i] * sigmoid * (1 - sigmoid);
    }
}

int accel_activate(float *x, int n, ACTIVATION a)
{
    if (a == LINEAR) return 1;
    if (a == SWISH) {
        IN_PARTS(n, activate_swish(x + at, m));
        return 1;
    }
    if (!is_piecewise_linear(a)) return 0;
    IN_PARTS(n, activate(x + at, m, piecewise_linear_of(a)));
    return 1;
}

int accel_gradient(const float *x, int n, ACTIVATION a, float *delta)
{
    if (a == LINEAR) return 1;
    if (a == SWISH) {
        IN_PARTS(n, multiply_by_slope_of_swish(x + at, delta + at, m));
        return 1;
    }
    if (!is_piecewise_linear(a)) return 0;
    IN_PARTS(n, multiply_by_slope(x + at, delta + at, m, piecewise_linear_of(a)));
    return 1;
}

int accel_fill(int n, float value, float *x)
{
    IN_PARTS(n, fill(value, x + at, m));
    return 1;
}

int accel_copy(int n, const float *x, float *y)
{
    /* memmove: some layers copy an array onto itself, which is allowed in Darknet's loop, but not in memcpy */
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
