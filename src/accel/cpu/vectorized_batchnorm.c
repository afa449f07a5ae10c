/* Batch normalisation in Darknet's layout, nchw: three passes over a channel forward and two backward, instead of nine
 * and seven in Darknet's own code; the channels are divided among the cores. The formulas are Darknet's, which avoid a
 * division by 0 in two ways: forward adds 1e-6 to the standard deviation, backward 1e-5 to the variance. */
#include "accel/cpu/accel_cpu.h"

#ifdef ONEDNN

#include "base/vectorize.h"

#include <math.h>

/* Sums over one channel: in float within an image, where rounding is small, in double over the images. */
VECTORIZED static double channel_sum(const float *x, int batch, size_t step, int spatial)
{
    double total = 0;
    int b, i;
    for (b = 0; b < batch; ++b) {
        const float *at = x + b * step;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (i = 0; i < spatial; ++i) sum += at[i];
        total += sum;
    }
    return total;
}

VECTORIZED static double channel_square_sum(const float *x, float mean, int batch, size_t step, int spatial)
{
    double total = 0;
    int b, i;
    for (b = 0; b < batch; ++b) {
        const float *at = x + b * step;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (i = 0; i < spatial; ++i) sum += (at[i] - mean) * (at[i] - mean);
        total += sum;
    }
    return total;
}

VECTORIZED static void channel_normalize(float *x, float *x_norm, float mean, float inverse, float scale, float bias,
                                         int batch, size_t step, int spatial)
{
    int b, i;
    for (b = 0; b < batch; ++b) {
        float *at = x + b * step, *norm = x_norm + b * step;
#pragma omp simd
        for (i = 0; i < spatial; ++i) {
            float value = (at[i] - mean) * inverse;
            norm[i] = value;
            at[i] = value * scale + bias;
        }
    }
}

VECTORIZED static void channel_delta_sums(const float *delta, const float *x_norm, int batch, size_t step, int spatial,
                                          double *sum, double *product)
{
    double total = 0, total_product = 0;
    int b, i;
    for (b = 0; b < batch; ++b) {
        const float *d = delta + b * step, *x = x_norm + b * step;
        float s = 0, p = 0;
#pragma omp simd reduction(+ : s, p)
        for (i = 0; i < spatial; ++i) {
            s += d[i];
            p += d[i] * x[i];
        }
        total += s;
        total_product += p;
    }
    *sum = total;
    *product = total_product;
}

/* delta = p delta + q x_norm + r */
VECTORIZED static void channel_delta(float *delta, const float *x_norm, float p, float q, float r, int batch,
                                     size_t step, int spatial)
{
    int b, i;
    for (b = 0; b < batch; ++b) {
        float *d = delta + b * step;
        const float *x = x_norm + b * step;
#pragma omp simd
        for (i = 0; i < spatial; ++i) d[i] = p * d[i] + q * x[i] + r;
    }
}

/* Not supported: [batchnorm] layers, which have no x_norm on the CPU, and inference, which uses the rolling
 * averages. */
static int declined(layer l, network net)
{
    return !net.train || l.type != CONVOLUTIONAL || !l.x_norm;
}

int accel_forward_batchnorm(layer l, network net)
{
    int f, spatial = l.out_h * l.out_w;
    size_t step = (size_t)l.out_c * spatial;
    double n = (double)l.batch * spatial;
    if (declined(l, net)) return 0;
#pragma omp parallel for schedule(static)
    for (f = 0; f < l.out_c; ++f) {
        float *x = l.output + (size_t)f * spatial;
        float mean = (float)(channel_sum(x, l.batch, step, spatial) / n);
        float variance = (float)(channel_square_sum(x, mean, l.batch, step, spatial) / (n - 1));
        l.mean[f] = mean;
        l.variance[f] = variance;
        l.rolling_mean[f] = .99f * l.rolling_mean[f] + .01f * mean;
        l.rolling_variance[f] = .99f * l.rolling_variance[f] + .01f * variance;
        channel_normalize(x, l.x_norm + (size_t)f * spatial, mean, 1 / (sqrtf(variance) + .000001f), l.scales[f],
                          l.biases[f], l.batch, step, spatial);
    }
    return 1;
}

int accel_backward_batchnorm(layer l, network net)
{
    int f, spatial = l.out_h * l.out_w;
    size_t step = (size_t)l.out_c * spatial;
    double n = (double)l.batch * spatial;
    if (declined(l, net)) return 0;
#pragma omp parallel for schedule(static)
    for (f = 0; f < l.out_c; ++f) {
        float *delta = l.delta + (size_t)f * spatial;
        const float *x_norm = l.x_norm + (size_t)f * spatial;
        double sum, product, mean_delta, variance_delta, deviation, variance = l.variance[f] + .00001f;
        double inverse = 1 / sqrt(variance);
        channel_delta_sums(delta, x_norm, l.batch, step, spatial, &sum, &product);
        l.bias_updates[f] += (float)sum;
        l.scale_updates[f] += (float)product;
        /* Darknet's formulas use x - mean, which is x_norm times this */
        deviation = sqrt((double)l.variance[f]) + .000001;
        mean_delta = -l.scales[f] * sum * inverse;
        variance_delta = -.5 * l.scales[f] * product * deviation * inverse / variance;
        channel_delta(delta, x_norm, (float)(l.scales[f] * inverse), (float)(2 * variance_delta * deviation / n),
                      (float)(mean_delta / n), l.batch, step, spatial);
    }
    return 1;
}

#endif
