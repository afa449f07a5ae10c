/* Activations and BLAS level 1. They are bound by memory: a wide version and both cores are all there is to gain. */
#include "accel/cpu/accel_cpu.h"

#ifdef ONEDNN

#include "accel/cpu/plan.h"

#include <string.h>

VECTORIZED static void activate_all(float *x, size_t n, pieces activation)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) x[i] = activate_pieces(x[i], activation);
}

VECTORIZED static void gradient_of_all(const float *x, float *delta, size_t n, pieces activation)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) delta[i] *= slope_of_pieces(x[i], activation);
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

int accel_activate(float *x, int n, ACTIVATION a)
{
    if (a == LINEAR) return 1;
    if (!has_pieces(a)) return 0;
    IN_PARTS(n, activate_all(x + at, m, pieces_of(a)));
    return 1;
}

int accel_gradient(const float *x, int n, ACTIVATION a, float *delta)
{
    if (a == LINEAR) return 1;
    if (!has_pieces(a)) return 0;
    IN_PARTS(n, gradient_of_all(x + at, delta + at, m, pieces_of(a)));
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

/* One pass for Darknet's three: decay, step, momentum. */
VECTORIZED static void sgd(float *weights, float *updates, float decay, float rate, float momentum, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        float update = updates[i] + decay * weights[i];
        weights[i] += rate * update;
        updates[i] = momentum * update;
    }
}

void update_by_sgd(layer l, update_args a)
{
    float rate = a.learning_rate * l.learning_rate_scale / a.batch;
    int n = l.type == CONNECTED ? l.inputs * l.outputs : l.nweights, biases = l.type == CONNECTED ? l.outputs : l.n;
    sgd(l.biases, l.bias_updates, 0, rate, a.momentum, biases);
    if (l.type == CONNECTED ? l.batch_normalize : l.scales != 0)
        sgd(l.scales, l.scale_updates, 0, rate, a.momentum, biases);
    IN_PARTS(n, sgd(l.weights + at, l.weight_updates + at, -a.decay * a.batch, rate, a.momentum, m));
}

#endif
