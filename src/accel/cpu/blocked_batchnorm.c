/* Batch normalisation and activation in the blocked layout (plan.h).
 *
 * Forward reads x twice and writes the output once, backward reads delta and x twice and writes delta once. Sums are
 * taken for every image and block on their own and added up in order, so that they do not depend on the number of
 * threads. The formulas are Darknet's, its two different epsilons included.
 */
#include "accel/cpu/plan.h"

#include "base/error.h"
#ifdef ONEDNN

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 16,  /* channels in a block */
    ROWS = 256, /* pixels added up in floats before they go to a double */
    WAYS = 4
}; /* sums that are kept apart, since an addition has to wait for the one before */

/* What one image and block adds to the statistics of its channels. */
typedef struct {
    double mean[MOST], squares[MOST]; /* squares: of the distances from this mean */
} moments;

typedef struct {
    double delta[MOST], product[MOST]; /* sums of delta, and of delta (x - mean) */
} gradients;

/* x is [spatial][block] */
INLINE void take_moments(const float *x, int spatial, moments *m, const int block)
{
    float shift[MOST], s[WAYS][MOST], q[WAYS][MOST];
    double sum[MOST] = {0}, squares[MOST] = {0};
    int start, i, j, k;
    for (j = 0; j < block; ++j) shift[j] = x[j]; /* near the mean, so that little cancels */
    for (start = 0; start < spatial; start += ROWS) {
        int end = start + ROWS < spatial ? start + ROWS : spatial;
        memset(s, 0, sizeof s);
        memset(q, 0, sizeof q);
        for (i = start; i + WAYS <= end; i += WAYS)
            for (k = 0; k < WAYS; ++k)
#pragma omp simd
                for (j = 0; j < block; ++j) {
                    float d = x[(i + k) * block + j] - shift[j];
                    s[k][j] += d;
                    q[k][j] += d * d;
                }
        for (; i < end; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                float d = x[i * block + j] - shift[j];
                s[0][j] += d;
                q[0][j] += d * d;
            }
        for (j = 0; j < block; ++j) {
            sum[j] += s[0][j] + s[1][j] + s[2][j] + s[3][j];
            squares[j] += q[0][j] + q[1][j] + q[2][j] + q[3][j];
        }
    }
    for (j = 0; j < block; ++j) {
        m->mean[j] = shift[j] + sum[j] / spatial;
        m->squares[j] = squares[j] - sum[j] * sum[j] / spatial;
    }
}

/* y = activation((x - mean) scale + bias) */
INLINE void normalize(const float *x, float *y, int spatial, const float *mean, const float *scale, const float *bias,
                      pieces activation, const int block)
{
    float m[MOST], a[MOST], b[MOST];
    int i, j;
    for (j = 0; j < block; ++j) m[j] = mean[j], a[j] = scale[j], b[j] = bias[j];
    if (activation.slope == 1) {
        for (i = 0; i < spatial; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) y[i * block + j] = (x[i * block + j] - m[j]) * a[j] + b[j];
    } else {
        for (i = 0; i < spatial; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                float value = (x[i * block + j] - m[j]) * a[j] + b[j];
                y[i * block + j] = activate_pieces(value, activation);
            }
    }
}

/* The gradient behind the activation: on which of its pieces it was is computed again from x, which is cheaper than to
 * read the output. */
#define BEHIND_ACTIVATION(at)                                                                                          \
    float from_mean = x[at] - m[j];                                                                                    \
    float g = delta[at] * slope_of_pieces(from_mean * a[j] + b[j], activation)

INLINE void take_gradients(const float *x, const float *delta, int spatial, const float *mean, const float *scale,
                           const float *bias, pieces activation, gradients *total, const int block)
{
    float m[MOST], a[MOST], b[MOST], s[WAYS][MOST], p[WAYS][MOST];
    int start, i, j, k;
    for (j = 0; j < block; ++j) m[j] = mean[j], a[j] = scale[j], b[j] = bias[j];
    memset(total, 0, sizeof *total);
    for (start = 0; start < spatial; start += ROWS) {
        int end = start + ROWS < spatial ? start + ROWS : spatial;
        memset(s, 0, sizeof s);
        memset(p, 0, sizeof p);
        for (i = start; i + WAYS <= end; i += WAYS)
            for (k = 0; k < WAYS; ++k)
#pragma omp simd
                for (j = 0; j < block; ++j) {
                    BEHIND_ACTIVATION((i + k) * block + j);
                    s[k][j] += g;
                    p[k][j] += g * from_mean;
                }
        for (; i < end; ++i)
#pragma omp simd
            for (j = 0; j < block; ++j) {
                BEHIND_ACTIVATION(i * block + j);
                s[0][j] += g;
                p[0][j] += g * from_mean;
            }
        for (j = 0; j < block; ++j) {
            total->delta[j] += s[0][j] + s[1][j] + s[2][j] + s[3][j];
            total->product[j] += p[0][j] + p[1][j] + p[2][j] + p[3][j];
        }
    }
}

/* delta = by_delta g + by_x (x - mean) + rest */
INLINE void put_gradients(const float *x, float *delta, int spatial, const float *mean, const float *scale,
                          const float *bias, pieces activation, const float *by_delta, const float *by_x,
                          const float *rest, const int block)
{
    float m[MOST], a[MOST], b[MOST], d[MOST], q[MOST], r[MOST];
    int i, j;
    for (j = 0; j < block; ++j) {
        m[j] = mean[j], a[j] = scale[j], b[j] = bias[j];
        d[j] = by_delta[j], q[j] = by_x[j], r[j] = rest[j];
    }
    for (i = 0; i < spatial; ++i)
#pragma omp simd
        for (j = 0; j < block; ++j) {
            BEHIND_ACTIVATION(i * block + j);
            delta[i * block + j] = d[j] * g + q[j] * from_mean + r[j];
        }
}

VECTORIZED static void take_moments_of(const float *x, int spatial, moments *m, int block)
{
    if (block == 16)
        take_moments(x, spatial, m, 16);
    else
        take_moments(x, spatial, m, 8);
}

VECTORIZED static void normalize_block(const float *x, float *y, int spatial, const float *mean, const float *scale,
                                       const float *bias, pieces activation, int block)
{
    if (block == 16)
        normalize(x, y, spatial, mean, scale, bias, activation, 16);
    else
        normalize(x, y, spatial, mean, scale, bias, activation, 8);
}

VECTORIZED static void take_gradients_of(const float *x, const float *delta, int spatial, const float *mean,
                                         const float *scale, const float *bias, pieces activation, gradients *total,
                                         int block)
{
    if (block == 16)
        take_gradients(x, delta, spatial, mean, scale, bias, activation, total, 16);
    else
        take_gradients(x, delta, spatial, mean, scale, bias, activation, total, 8);
}

VECTORIZED static void put_gradients_of(const float *x, float *delta, int spatial, const float *mean,
                                        const float *scale, const float *bias, pieces activation, const float *by_delta,
                                        const float *by_x, const float *rest, int block)
{
    if (block == 16)
        put_gradients(x, delta, spatial, mean, scale, bias, activation, by_delta, by_x, rest, 16);
    else
        put_gradients(x, delta, spatial, mean, scale, bias, activation, by_delta, by_x, rest, 8);
}

/* Values per channel, padded with zeros to whole blocks: mean, factor, bias, and three of the backward pass. */
typedef struct {
    float *mean, *scale, *bias, *by_delta, *by_x, *rest;
    void *sums; /* moments or gradients of every image and block */
} channel_values;

static int blocks_of(layer l)
{
    return (l.out_c + accel_block() - 1) / accel_block();
}

static channel_values make_channel_values(layer l, size_t sums)
{
    size_t channels = (size_t)blocks_of(l) * accel_block();
    channel_values v;
    char *bytes = (char *)calloc(1, 6 * channels * sizeof(float) + (size_t)l.batch * blocks_of(l) * sums);
    if (!bytes) die("out of memory in batch normalisation");
    v.sums = bytes;
    v.mean = (float *)(bytes + (size_t)l.batch * blocks_of(l) * sums);
    v.scale = v.mean + channels;
    v.bias = v.scale + channels;
    v.by_delta = v.bias + channels;
    v.by_x = v.by_delta + channels;
    v.rest = v.by_x + channels;
    return v;
}

static void put_scale(layer l, channel_values v, int f)
{
    v.mean[f] = l.mean[f];
    v.scale[f] = l.scales[f] / (sqrtf(l.variance[f]) + .000001f);
    v.bias[f] = l.biases[f];
}

void forward_blocked_batchnorm(layer l)
{
    int block = accel_block(), blocks = blocks_of(l), spatial = l.out_w * l.out_h, tasks = l.batch * blocks, i, f;
    size_t step = (size_t)spatial * block; /* tasks lie one after another */
    double n = (double)l.batch * spatial;
    const pieces activation = pieces_of(l.activation);
    channel_values v = make_channel_values(l, sizeof(moments));
    moments *sums = (moments *)v.sums;
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i) take_moments_of(l.x + i * step, spatial, &sums[i], block);
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
        put_scale(l, v, f);
    }
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i) {
        int c = i % blocks * block;
        normalize_block(l.x + i * step, l.output + i * step, spatial, v.mean + c, v.scale + c, v.bias + c, activation,
                        block);
    }
    free(v.sums);
}

void backward_blocked_batchnorm(layer l)
{
    int block = accel_block(), blocks = blocks_of(l), spatial = l.out_w * l.out_h, tasks = l.batch * blocks, i, f;
    size_t step = (size_t)spatial * block;
    double n = (double)l.batch * spatial;
    const pieces activation = pieces_of(l.activation);
    channel_values v = make_channel_values(l, sizeof(gradients));
    gradients *sums = (gradients *)v.sums;
    for (f = 0; f < l.out_c; ++f) put_scale(l, v, f);
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i) {
        int c = i % blocks * block;
        take_gradients_of(l.x + i * step, l.delta + i * step, spatial, v.mean + c, v.scale + c, v.bias + c, activation,
                          &sums[i], block);
    }
    for (f = 0; f < l.out_c; ++f) {
        double delta = 0, product = 0, variance = l.variance[f] + .00001f, inverse = 1 / sqrt(variance);
        for (i = 0; i < l.batch; ++i) {
            delta += sums[i * blocks + f / block].delta[f % block];
            product += sums[i * blocks + f / block].product[f % block];
        }
        l.bias_updates[f] += (float)delta;
        l.scale_updates[f] += (float)(product / (sqrt((double)l.variance[f]) + .000001));
        v.by_delta[f] = (float)(l.scales[f] * inverse);
        v.by_x[f] = (float)(-l.scales[f] * product * inverse / variance / n);
        v.rest[f] = (float)(-l.scales[f] * delta * inverse / n);
    }
#pragma omp parallel for schedule(static)
    for (i = 0; i < tasks; ++i) {
        int c = i % blocks * block;
        put_gradients_of(l.x + i * step, l.delta + i * step, spatial, v.mean + c, v.scale + c, v.bias + c, activation,
                         v.by_delta + c, v.by_x + c, v.rest + c, block);
    }
    free(v.sums);
}

#endif
