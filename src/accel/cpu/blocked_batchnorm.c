/* Batch normalisation in the blocked layout, with few passes over memory: forward reads x twice and writes the output
 * once; backward reads delta and x twice and writes delta once. Every block of every image is summed separately, and
 * these sums are added in a fixed order, so that the result does not depend on the number of threads. The formulas are
 * Darknet's, which avoid a division by 0 in two ways: forward adds 1e-6 to the standard deviation, backward 1e-5 to the
 * variance. */
#include "accel/cpu/blocked_batchnorm.h"

#ifdef ONEDNN

#include "accel/cpu/blocked_layout.h"
#include "accel/cpu/piecewise_linear.h"
#include "base/memory.h"
#include "base/vectorize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 256, /* so many pixels are summed in float, then added to a sum in double */
    /* Independent accumulators hide the latency of additions: each addition waits for the previous one into the same
     * sum. So the pixels alternate among this many sums, which are added at the end of the chunk. */
    ACCUMULATORS = 4
};

/* ---- One block of channels of one image. Arrays of pixels are [spatial][block]; block is 16 or 8 ------------------
 */

/* Per channel: the mean, and the sum of the squared differences from it. */
typedef struct {
    double mean[MAX_BLOCK], squares[MAX_BLOCK];
} moments;

/* Per channel: the sums of g and of g (x - mean), where g is the gradient of the activation's input. */
typedef struct {
    double gradient[MAX_BLOCK], product[MAX_BLOCK];
} gradient_sums;

/* Per channel. Forward: output = activation((x - mean) scale + bias). Backward: delta = gradient_factor g + x_factor (x
 * - mean) + constant. */
typedef struct {
    float mean[MAX_BLOCK], scale[MAX_BLOCK], bias[MAX_BLOCK];
    float gradient_factor[MAX_BLOCK], x_factor[MAX_BLOCK], constant[MAX_BLOCK];
} normalization;

INLINE void sum_moments(const float *x, int spatial, moments *result, const int block)
{
    float shift[MAX_BLOCK], sum[ACCUMULATORS][MAX_BLOCK], squares[ACCUMULATORS][MAX_BLOCK];
    double total[MAX_BLOCK] = {0}, total_squares[MAX_BLOCK] = {0};
    int start, i, j, k;
    /* Sum the differences from the first pixel: it is closer to the mean than 0, which loses fewer digits. */
    for (j = 0; j < block; ++j) shift[j] = x[j];
    for (start = 0; start < spatial; start += CHUNK) {
        int end = start + CHUNK < spatial ? start + CHUNK : spatial;
        memset(sum, 0, sizeof sum);
        memset(squares, 0, sizeof squares);
        for (i = start; i + ACCUMULATORS <= end; i += ACCUMULATORS)
            for (k = 0; k < ACCUMULATORS; ++k)
#pragma omp simd
                for (j = 0; j < block; ++j) {
                    float distance = x[(i + k) * block + j] - shift[j];
                    sum[k][j] += distance;
                    squares[k][j] += distance * distance;
                }
        for (; i < end; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                float distance = x[i * block + j] - shift[j];
                sum[0][j] += distance;
                squares[0][j] += distance * distance;
            }
        for (j = 0; j < block; ++j) {
            total[j] += sum[0][j] + sum[1][j] + sum[2][j] + sum[3][j];
            total_squares[j] += squares[0][j] + squares[1][j] + squares[2][j] + squares[3][j];
        }
    }
    for (j = 0; j < block; ++j) {
        result->mean[j] = shift[j] + total[j] / spatial;
        result->squares[j] = total_squares[j] - total[j] * total[j] / spatial;
    }
}

INLINE void normalize(const float *x, float *y, int spatial, const normalization *values, piecewise_linear activation,
                      const int block)
{
    const normalization v = *values; /* a local copy, which stores to y cannot change: it stays in registers */
    int i, j;
    if (activation.negative_slope == 1) {
        for (i = 0; i < spatial; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) y[i * block + j] = (x[i * block + j] - v.mean[j]) * v.scale[j] + v.bias[j];
    } else {
        for (i = 0; i < spatial; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                float value = (x[i * block + j] - v.mean[j]) * v.scale[j] + v.bias[j];
                y[i * block + j] = piecewise_linear_value(value, activation);
            }
    }
}

/* Computes g, the gradient of the activation's input, from delta, that of its output. The activation's input is
 * computed again, which is faster than reading its output from memory. */
INLINE float gradient_before_activation(float delta, float x_minus_mean, float scale, float bias,
                                        piecewise_linear activation)
{
    return delta * piecewise_linear_slope(x_minus_mean * scale + bias, activation);
}

INLINE void sum_gradients(const float *x, const float *delta, int spatial, const normalization *values,
                          piecewise_linear activation, gradient_sums *total, const int block)
{
    const normalization v = *values;
    float sum[ACCUMULATORS][MAX_BLOCK], product[ACCUMULATORS][MAX_BLOCK];
    int start, i, j, k;
    memset(total, 0, sizeof *total);
    for (start = 0; start < spatial; start += CHUNK) {
        int end = start + CHUNK < spatial ? start + CHUNK : spatial;
        memset(sum, 0, sizeof sum);
        memset(product, 0, sizeof product);
        for (i = start; i + ACCUMULATORS <= end; i += ACCUMULATORS)
            for (k = 0; k < ACCUMULATORS; ++k)
#pragma omp simd
                for (j = 0; j < block; ++j) {
                    float distance = x[(i + k) * block + j] - v.mean[j];
                    float g = gradient_before_activation(delta[(i + k) * block + j], distance, v.scale[j], v.bias[j],
                                                         activation);
                    sum[k][j] += g;
                    product[k][j] += g * distance;
                }
        for (; i < end; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                float distance = x[i * block + j] - v.mean[j];
                float g = gradient_before_activation(delta[i * block + j], distance, v.scale[j], v.bias[j], activation);
                sum[0][j] += g;
                product[0][j] += g * distance;
            }
        for (j = 0; j < block; ++j) {
            total->gradient[j] += sum[0][j] + sum[1][j] + sum[2][j] + sum[3][j];
            total->product[j] += product[0][j] + product[1][j] + product[2][j] + product[3][j];
        }
    }
}

INLINE void put_gradients(const float *x, float *delta, int spatial, const normalization *values,
                          piecewise_linear activation, const int block)
{
    const normalization v = *values;
    int i, j;
    for (i = 0; i < spatial; ++i)
#pragma omp simd
        for (j = 0; j < block; ++j) {
            float distance = x[i * block + j] - v.mean[j];
            float g = gradient_before_activation(delta[i * block + j], distance, v.scale[j], v.bias[j], activation);
            delta[i * block + j] = v.gradient_factor[j] * g + v.x_factor[j] * distance + v.constant[j];
        }
}

/* The four loops, each compiled for both block sizes as constants. */

VECTORIZED static void sum_block_moments(const float *x, int spatial, moments *result, int block)
{
    if (block == 16)
        sum_moments(x, spatial, result, 16);
    else
        sum_moments(x, spatial, result, 8);
}

VECTORIZED static void normalize_block(const float *x, float *y, int spatial, const normalization *values,
                                       piecewise_linear activation, int block)
{
    if (block == 16)
        normalize(x, y, spatial, values, activation, 16);
    else
        normalize(x, y, spatial, values, activation, 8);
}

VECTORIZED static void sum_block_gradients(const float *x, const float *delta, int spatial, const normalization *values,
                                           piecewise_linear activation, gradient_sums *total, int block)
{
    if (block == 16)
        sum_gradients(x, delta, spatial, values, activation, total, 16);
    else
        sum_gradients(x, delta, spatial, values, activation, total, 8);
}

VECTORIZED static void put_block_gradients(const float *x, float *delta, int spatial, const normalization *values,
                                           piecewise_linear activation, int block)
{
    if (block == 16)
        put_gradients(x, delta, spatial, values, activation, 16);
    else
        put_gradients(x, delta, spatial, values, activation, 8);
}

/* ---- A layer ----------------------------------------------------------------------------------------------------- */

/* Forward values for each block of channels; 0 for the padding channels of the last block. The caller frees the
 * result. */
static normalization *normalizations_of(layer l)
{
    int block = channels_per_block(), f;
    normalization *values = (normalization *)xcalloc(blocks_of_channels(l.out_c), sizeof *values);
    for (f = 0; f < l.out_c; ++f) {
        normalization *v = &values[f / block];
        v->mean[f % block] = l.mean[f];
        v->scale[f % block] = l.scales[f] / (sqrtf(l.variance[f]) + .000001f);
        v->bias[f % block] = l.biases[f];
    }
    return values;
}

/* A task is one block of channels of one image. All tasks are contiguous in memory, each with task_floats floats. */

void forward_blocked_batchnorm(layer l)
{
    int block = channels_per_block(), blocks = blocks_of_channels(l.out_c), spatial = l.out_w * l.out_h;
    int tasks = l.batch * blocks, i, f;
    size_t task_floats = (size_t)spatial * block;
    double n = (double)l.batch * spatial;
    const piecewise_linear activation = piecewise_linear_of(l.activation);
    moments *sums = (moments *)xcalloc(tasks, sizeof *sums);
    normalization *values;
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i) sum_block_moments(l.x + i * task_floats, spatial, &sums[i], block);
    for (f = 0; f < l.out_c; ++f) {
        double mean = 0, squares = 0;
        for (i = 0; i < l.batch; ++i) mean += sums[i * blocks + f / block].mean[f % block];
        mean /= l.batch;
        for (i = 0; i < l.batch; ++i) {
            const moments *m = &sums[i * blocks + f / block];
            double distance = m->mean[f % block] - mean;
            squares += m->squares[f % block] + spatial * distance * distance;
        }
        l.mean[f] = (float)mean;
        l.variance[f] = (float)((squares < 0 ? 0 : squares) / (n - 1));
        l.rolling_mean[f] = .99f * l.rolling_mean[f] + .01f * l.mean[f];
        l.rolling_variance[f] = .99f * l.rolling_variance[f] + .01f * l.variance[f];
    }
    values = normalizations_of(l);
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i)
        normalize_block(l.x + i * task_floats, l.output + i * task_floats, spatial, &values[i % blocks], activation,
                        block);
    free(sums);
    free(values);
}

void backward_blocked_batchnorm(layer l)
{
    int block = channels_per_block(), blocks = blocks_of_channels(l.out_c), spatial = l.out_w * l.out_h;
    int tasks = l.batch * blocks, i, f;
    size_t task_floats = (size_t)spatial * block;
    double n = (double)l.batch * spatial;
    const piecewise_linear activation = piecewise_linear_of(l.activation);
    gradient_sums *sums = (gradient_sums *)xcalloc(tasks, sizeof *sums);
    normalization *values = normalizations_of(l);
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i)
        sum_block_gradients(l.x + i * task_floats, l.delta + i * task_floats, spatial, &values[i % blocks], activation,
                            &sums[i], block);
    for (f = 0; f < l.out_c; ++f) {
        double gradient = 0, product = 0, variance = l.variance[f] + .00001f, inverse = 1 / sqrt(variance);
        normalization *v = &values[f / block];
        for (i = 0; i < l.batch; ++i) {
            gradient += sums[i * blocks + f / block].gradient[f % block];
            product += sums[i * blocks + f / block].product[f % block];
        }
        l.bias_updates[f] += (float)gradient;
        l.scale_updates[f] += (float)(product / (sqrt((double)l.variance[f]) + .000001));
        v->gradient_factor[f % block] = (float)(l.scales[f] * inverse);
        v->x_factor[f % block] = (float)(-l.scales[f] * product * inverse / variance / n);
        v->constant[f % block] = (float)(-l.scales[f] * gradient * inverse / n);
    }
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i)
        put_block_gradients(l.x + i * task_floats, l.delta + i * task_floats, spatial, &values[i % blocks], activation,
                            block);
    free(sums);
    free(values);
}

#endif
