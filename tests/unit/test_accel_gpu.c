/* Compares the CUDA functions of src/accel, and of [scale_channels], with loops in double precision over the same
 * inputs: results differ by a few roundings at most, and two runs on one device give the same bits.
 *
 * In a CPU build, and without a GPU, every test is reported as skipped.
 */
#include "accel/gpu/accel_gpu.h"
#include "activations.h"
#include "helpers/test_gpu.h"
#include "layers/scale_channels_layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GPU

/* ---- Arrays in both places -------------------------------------------------------------------------------------- */

/* -1..1 */
static float *random_floats(size_t n, uint64_t seed)
{
    float *x = floats(n);
    size_t i;
    for (i = 0; i < n; ++i) x[i] = (float)(2 * noise(&seed) - 1);
    return x;
}

static float *upload(const float *host, size_t n)
{
    void *device = 0;
    assert_cuda(cudaMalloc(&device, n * sizeof(float)));
    assert_cuda(cudaMemcpy(device, host, n * sizeof(float), cudaMemcpyHostToDevice));
    return (float *)device;
}

static void free_gpu(float *device)
{
    assert_cuda(cudaFree(device));
}

/* Copies an array to the host. The caller frees the copy. */
static float *download(const float *device, size_t n)
{
    float *host = floats(n);
    assert_cuda(cudaMemcpy(host, device, n * sizeof(float), cudaMemcpyDeviceToHost));
    return host;
}

/* Asserts that the array on the device is `before` + `sums`. The tolerance is relative to `sizes`, the sums of the
 * terms' absolute values. */
static void assert_sums(const char *what, const float *device, const float *before, const double *sums,
                        const double *sizes, size_t n)
{
    float *value = download(device, n);
    size_t i;
    for (i = 0; i < n; ++i) {
        double expected = (before ? before[i] : 0) + sums[i];
        if (!(fabs(value[i] - expected) <= 1e-6 * (sizes[i] + fabs(expected)) + 1e-7))
            fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, value[i], expected);
    }
    free(value);
}

static double *doubles(size_t n)
{
    return (double *)calloc(n, sizeof(double));
}

/* ---- Depthwise convolution -------------------------------------------------------------------------------------- */

/* Channel multipliers of 1 and more, strides that leave input pixels unused, filters larger than the rest of the
 * image. */
static const struct {
    int batch, c, h, w, multiplier, size, stride, pad;
} shapes[] = {
    {1, 2, 5, 5, 1, 3, 1, 1},    {3, 8, 14, 9, 1, 3, 2, 1}, {2, 4, 7, 7, 2, 3, 1, 0},
    {2, 3, 9, 8, 3, 5, 2, 2},    {2, 5, 6, 6, 1, 1, 1, 0},  {2, 4, 8, 8, 1, 2, 2, 0},
    {4, 32, 20, 21, 1, 3, 2, 1}, {2, 2, 2, 2, 1, 3, 1, 1},  {1, 3, 10, 7, 1, 7, 3, 3},
};

static layer depthwise_layer(size_t i)
{
    layer l;
    memset(&l, 0, sizeof l);
    l.type = CONVOLUTIONAL;
    l.batch = shapes[i].batch;
    l.groups = l.c = shapes[i].c;
    l.h = shapes[i].h;
    l.w = shapes[i].w;
    l.n = l.out_c = shapes[i].c * shapes[i].multiplier;
    l.size = shapes[i].size;
    l.stride = shapes[i].stride;
    l.pad = shapes[i].pad;
    l.out_h = (l.h + 2 * l.pad - l.size) / l.stride + 1;
    l.out_w = (l.w + 2 * l.pad - l.size) / l.stride + 1;
    l.inputs = l.c * l.h * l.w;
    l.outputs = l.n * l.out_h * l.out_w;
    l.nweights = l.n * l.size * l.size;
    return l;
}

/* Calls term(context, output, input, weight) for every product in the convolution. */
static void for_every_product(layer l, void (*term)(double **, size_t, size_t, size_t), double **context)
{
    int b, f, y, x, i, j;
    for (b = 0; b < l.batch; ++b)
        for (f = 0; f < l.n; ++f)
            for (y = 0; y < l.out_h; ++y)
                for (x = 0; x < l.out_w; ++x)
                    for (i = 0; i < l.size; ++i)
                        for (j = 0; j < l.size; ++j) {
                            int row = y * l.stride - l.pad + i, column = x * l.stride - l.pad + j;
                            if (row < 0 || row >= l.h || column < 0 || column >= l.w) continue;
                            term(context, (((size_t)b * l.n + f) * l.out_h + y) * l.out_w + x,
                                 (((size_t)b * l.c + f / (l.n / l.c)) * l.h + row) * l.w + column,
                                 ((size_t)f * l.size + i) * l.size + j);
                        }
}

enum { X, WEIGHTS, DELTA, SUM, SIZE }; /* the arrays in the context of a term */

static void forward_term(double **c, size_t output, size_t input, size_t weight)
{
    c[SUM][output] += c[X][input] * c[WEIGHTS][weight];
    c[SIZE][output] += fabs(c[X][input] * c[WEIGHTS][weight]);
}

static void input_term(double **c, size_t output, size_t input, size_t weight)
{
    c[SUM][input] += c[DELTA][output] * c[WEIGHTS][weight];
    c[SIZE][input] += fabs(c[DELTA][output] * c[WEIGHTS][weight]);
}

static void weights_term(double **c, size_t output, size_t input, size_t weight)
{
    c[SUM][weight] += c[DELTA][output] * c[X][input];
    c[SIZE][weight] += fabs(c[DELTA][output] * c[X][input]);
}

static void assert_products(const char *what, const float *device, const float *before, layer l, const float *x,
                            const float *weights, const float *delta, size_t n,
                            void (*term)(double **, size_t, size_t, size_t))
{
    const float *in[3];
    size_t sizes[3], a, i;
    double *context[5];
    in[X] = x, in[WEIGHTS] = weights, in[DELTA] = delta;
    sizes[X] = (size_t)l.batch * l.inputs, sizes[WEIGHTS] = l.nweights, sizes[DELTA] = (size_t)l.batch * l.outputs;
    for (a = 0; a < 3; ++a) {
        context[a] = doubles(sizes[a]);
        for (i = 0; i < sizes[a]; ++i) context[a][i] = in[a][i];
    }
    context[SUM] = doubles(n), context[SIZE] = doubles(n);
    for_every_product(l, term, context);
    assert_sums(what, device, before, context[SUM], context[SIZE], n);
    for (a = 0; a < 5; ++a) free(context[a]);
}

static void a_depthwise_convolution_has_its_output_and_its_gradients(void **test)
{
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(shapes); ++i) {
        layer l = depthwise_layer(i);
        size_t inputs = (size_t)l.batch * l.inputs, outputs = (size_t)l.batch * l.outputs;
        float *x = random_floats(inputs, 1), *weights = random_floats(l.nweights, 2);
        float *delta = random_floats(outputs, 3), *before = random_floats(inputs, 4);
        float *updates = random_floats(l.nweights, 5);
        network net;
        memset(&net, 0, sizeof net);
        net.input_gpu = upload(x, inputs);
        l.weights_gpu = upload(weights, l.nweights);
        l.output_gpu = upload(delta, outputs); /* not 0, to check that it is overwritten */
        l.delta_gpu = upload(delta, outputs);
        l.weight_updates_gpu = upload(updates, l.nweights);

        assert_int_equal(accel_forward_convolution_gpu(l, net), 1);
        assert_products("output", l.output_gpu, 0, l, x, weights, delta, outputs, forward_term);
        assert_int_equal(accel_backward_convolution_gpu(l, net), 1); /* as in the first layer: no gradient of the
                                                                      * input */
        assert_products("weight updates", l.weight_updates_gpu, updates, l, x, weights, delta, l.nweights,
                        weights_term);
        net.delta_gpu = upload(before, inputs);
        assert_int_equal(accel_backward_convolution_gpu(l, net), 1);
        assert_products("input delta", net.delta_gpu, before, l, x, weights, delta, inputs, input_term);

        free_gpu(net.input_gpu), free_gpu(net.delta_gpu);
        free_gpu(l.weights_gpu), free_gpu(l.output_gpu), free_gpu(l.delta_gpu);
        free_gpu(l.weight_updates_gpu);
        free(x), free(weights), free(delta), free(before), free(updates);
    }
}

static void the_gradient_by_the_weights_has_the_same_bits_twice(void **test)
{
    layer l = depthwise_layer(6);
    size_t inputs = (size_t)l.batch * l.inputs, outputs = (size_t)l.batch * l.outputs;
    float *x = random_floats(inputs, 1), *delta = random_floats(outputs, 3), *none = floats(l.nweights), *sums[2];
    network net;
    int i;
    (void)test;
    memset(&net, 0, sizeof net);
    net.input_gpu = upload(x, inputs);
    l.delta_gpu = upload(delta, outputs);
    for (i = 0; i < 2; ++i) {
        l.weight_updates_gpu = upload(none, l.nweights);
        assert_int_equal(accel_backward_convolution_gpu(l, net), 1);
        sums[i] = download(l.weight_updates_gpu, l.nweights);
        free_gpu(l.weight_updates_gpu);
    }
    assert_memory_equal(sums[0], sums[1], l.nweights * sizeof(float));
    free_gpu(net.input_gpu), free_gpu(l.delta_gpu);
    free(x), free(delta), free(none), free(sums[0]), free(sums[1]);
}

static void convolutions_that_are_not_depthwise_are_left_to_darknet(void **test)
{
    layer plain = depthwise_layer(0), grouped = depthwise_layer(1), binary = depthwise_layer(0);
    layer one_channel = depthwise_layer(0);
    network net;
    (void)test;
    memset(&net, 0, sizeof net);
    plain.groups = 1;
    grouped.groups = 4;
    binary.binary = 1;
    one_channel.groups = one_channel.c = 1;
    assert_int_equal(accel_forward_convolution_gpu(plain, net), 0);
    assert_int_equal(accel_backward_convolution_gpu(plain, net), 0);
    assert_int_equal(accel_forward_convolution_gpu(grouped, net), 0);
    assert_int_equal(accel_forward_convolution_gpu(binary, net), 0);
    assert_int_equal(accel_forward_convolution_gpu(one_channel, net), 0);
}

/* ---- Batch normalisation ---------------------------------------------------------------------------------------- */

enum { BATCH = 3, CHANNELS = 5 };

/* One position (as in a connected layer), fewer positions than threads, and more. */
static const int spatials[] = {1, 49, 300};

/* A layer with all its arrays on the device; the host arrays keep the initial values. `type` is CONVOLUTIONAL,
 * normalised in place, or BATCHNORM, whose input is net->input_gpu. */
static layer normalized_layer(LAYER_TYPE type, int spatial, network *net)
{
    layer l;
    size_t n = (size_t)BATCH * CHANNELS * spatial, i;
    memset(&l, 0, sizeof l);
    memset(net, 0, sizeof *net);
    l.type = type;
    l.batch = BATCH;
    l.out_c = l.c = CHANNELS;
    l.out_h = 1;
    l.out_w = spatial;
    l.outputs = l.inputs = CHANNELS * spatial;
    l.x = random_floats(n, 1);
    for (i = 0; i < n; ++i) l.x[i] = l.x[i] * 2 + i / spatial % CHANNELS;
    l.x_norm = random_floats(n, 9);
    l.delta = random_floats(n, 2);
    l.scales = random_floats(CHANNELS, 3), l.biases = random_floats(CHANNELS, 4);
    l.scale_updates = random_floats(CHANNELS, 5), l.bias_updates = random_floats(CHANNELS, 6);
    l.rolling_mean = random_floats(CHANNELS, 7), l.rolling_variance = random_floats(CHANNELS, 8);
    for (i = 0; i < CHANNELS; ++i) l.rolling_variance[i] = fabsf(l.rolling_variance[i]) + .1f;
    l.output_gpu = upload(type == BATCHNORM ? l.delta : l.x, n);
    net->input_gpu = upload(type == BATCHNORM ? l.x : l.delta, n);
    l.x_gpu = upload(l.delta, n), l.x_norm_gpu = upload(l.x_norm, n);
    l.delta_gpu = upload(l.delta, n), net->delta_gpu = upload(l.x, n);
    l.scales_gpu = upload(l.scales, CHANNELS), l.biases_gpu = upload(l.biases, CHANNELS);
    l.scale_updates_gpu = upload(l.scale_updates, CHANNELS), l.bias_updates_gpu = upload(l.bias_updates, CHANNELS);
    l.rolling_mean_gpu = upload(l.rolling_mean, CHANNELS);
    l.rolling_variance_gpu = upload(l.rolling_variance, CHANNELS);
    l.mean_gpu = upload(l.scales, CHANNELS), l.variance_gpu = upload(l.scales, CHANNELS);
    l.mean_delta_gpu = upload(l.scales, CHANNELS), l.variance_delta_gpu = upload(l.scales, CHANNELS);
    return l;
}

static void free_normalized_layer(layer l, network net)
{
    float *device[] = {l.output_gpu,        l.x_gpu,
                       l.x_norm_gpu,        l.delta_gpu,
                       l.scales_gpu,        l.biases_gpu,
                       l.scale_updates_gpu, l.bias_updates_gpu,
                       l.rolling_mean_gpu,  l.rolling_variance_gpu,
                       l.mean_gpu,          l.variance_gpu,
                       l.mean_delta_gpu,    l.variance_delta_gpu,
                       net.input_gpu,       net.delta_gpu};
    float *host[] = {l.x,
                     l.x_norm,
                     l.delta,
                     l.scales,
                     l.biases,
                     l.scale_updates,
                     l.bias_updates,
                     l.rolling_mean,
                     l.rolling_variance};
    size_t i;
    for (i = 0; i < COUNT(device); ++i) free_gpu(device[i]);
    for (i = 0; i < COUNT(host); ++i) free(host[i]);
}

static void assert_values(const char *what, const float *device, const double *expected, size_t n, double tolerance)
{
    float *value = download(device, n);
    size_t i;
    for (i = 0; i < n; ++i)
        if (!(fabs(value[i] - expected[i]) <= tolerance))
            fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, value[i], expected[i]);
    free(value);
}

/* Compares both passes with Darknet's formulas. */
static void assert_batchnorm(LAYER_TYPE type, int spatial, int train)
{
    network net;
    layer l = normalized_layer(type, spatial, &net);
    size_t n = (size_t)BATCH * l.outputs, elements = (size_t)BATCH * spatial, i;
    double *output = doubles(n), *norm = doubles(n), *delta = doubles(n);
    double mean[CHANNELS] = {0}, variance[CHANNELS] = {0}, rolling_mean[CHANNELS], rolling_variance[CHANNELS];
    double bias[CHANNELS], scale[CHANNELS], mean_delta[CHANNELS] = {0}, variance_delta[CHANNELS] = {0};
    int f;
#define FOR_ALL for (i = 0; i < n && ((f = (int)(i / spatial % CHANNELS)), 1); ++i)
    FOR_ALL mean[f] += l.x[i] / (double)elements;
    FOR_ALL variance[f] += pow(l.x[i] - mean[f], 2) / (elements - 1.);
    for (f = 0; f < CHANNELS; ++f) {
        rolling_mean[f] = .99 * l.rolling_mean[f] + .01 * mean[f];
        rolling_variance[f] = .99 * l.rolling_variance[f] + .01 * variance[f];
        if (!train) {
            mean[f] = rolling_mean[f] = l.rolling_mean[f];
            variance[f] = rolling_variance[f] = l.rolling_variance[f];
        }
        bias[f] = l.bias_updates[f];
        scale[f] = l.scale_updates[f];
    }
    FOR_ALL
    {
        norm[i] = (l.x[i] - mean[f]) / sqrt(variance[f] + .00001);
        output[i] = norm[i] * l.scales[f] + l.biases[f];
    }
    FOR_ALL
    {
        bias[f] += l.delta[i];
        scale[f] += l.delta[i] * norm[i];
        mean_delta[f] -= l.delta[i] * l.scales[f] / sqrt(variance[f] + .00001);
        variance_delta[f] -= .5 * l.delta[i] * l.scales[f] * (l.x[i] - mean[f]) * pow(variance[f] + .00001, -1.5);
    }
    FOR_ALL delta[i] = l.delta[i] * l.scales[f] / sqrt(variance[f] + .00001) +
                       variance_delta[f] * 2 * (l.x[i] - mean[f]) / elements + mean_delta[f] / elements;
#undef FOR_ALL
    net.train = train;
    assert_int_equal(accel_forward_batchnorm_gpu(l, net), 1);
    if (train) {
        assert_values("mean", l.mean_gpu, mean, CHANNELS, 1e-5);
        assert_values("variance", l.variance_gpu, variance, CHANNELS, 1e-5);
    }
    assert_values("rolling mean", l.rolling_mean_gpu, rolling_mean, CHANNELS, 1e-6);
    assert_values("rolling variance", l.rolling_variance_gpu, rolling_variance, CHANNELS, 1e-6);
    assert_values("x_norm", l.x_norm_gpu, norm, n, 1e-4);
    assert_values("output", l.output_gpu, output, n, 1e-4);
    assert_int_equal(accel_backward_batchnorm_gpu(l, net), 1);
    assert_values("bias updates", l.bias_updates_gpu, bias, CHANNELS, 1e-4);
    assert_values("scale updates", l.scale_updates_gpu, scale, CHANNELS, 1e-3);
    assert_values("delta", l.delta_gpu, delta, n, 1e-4);
    if (type == BATCHNORM) assert_values("input delta", net.delta_gpu, delta, n, 1e-4);
    free(output), free(norm), free(delta);
    free_normalized_layer(l, net);
}

static void inference_normalizes_by_the_rolling_averages(void **test)
{
    size_t s;
    (void)test;
    for (s = 0; s < COUNT(spatials); ++s) {
        assert_batchnorm(CONVOLUTIONAL, spatials[s], 0);
        assert_batchnorm(BATCHNORM, spatials[s], 0);
    }
}

#ifdef CUDNN

static void training_normalizes_by_the_batch(void **test)
{
    network net;
    layer l = normalized_layer(CONVOLUTIONAL, 49, &net);
    (void)test;
    net.train = 1;
    assert_int_equal(accel_forward_batchnorm_gpu(l, net), 0); /* cuDNN does it */
    assert_int_equal(accel_backward_batchnorm_gpu(l, net), 0);
    free_normalized_layer(l, net);
}

#else

static void training_normalizes_by_the_batch(void **test)
{
    size_t s;
    (void)test;
    for (s = 0; s < COUNT(spatials); ++s) {
        assert_batchnorm(CONVOLUTIONAL, spatials[s], 1);
        assert_batchnorm(BATCHNORM, spatials[s], 1);
    }
}

#endif

/* ---- Shortcut --------------------------------------------------------------------------------------------------- */

static void a_shortcut_adds_and_its_gradient_reaches_both_inputs(void **test)
{
    enum { N = 2 * 700 };
    float *input = random_floats(N, 1), *from = random_floats(N, 2), *delta = random_floats(N, 3);
    float *input_delta = random_floats(N, 4), *from_delta = random_floats(N, 5);
    double output[N], to_input[N], to_from[N], to_both[N];
    layer l, layers[1];
    network net;
    int i;
    (void)test;
    memset(&l, 0, sizeof l), memset(layers, 0, sizeof layers), memset(&net, 0, sizeof net);
    l.batch = 2;
    l.w = l.out_w = 10, l.h = l.out_h = 7, l.c = l.out_c = 10;
    l.outputs = 700;
    l.alpha = .5f, l.beta = 2;
    for (i = 0; i < N; ++i) {
        output[i] = .5 * input[i] + 2. * from[i];
        to_input[i] = input_delta[i] + .5 * delta[i];
        to_from[i] = from_delta[i] + 2. * delta[i];
        to_both[i] = to_input[i] + 2.5 * delta[i];
    }
    net.layers = layers;
    net.input_gpu = upload(input, N), net.delta_gpu = upload(input_delta, N);
    layers[0].output_gpu = upload(from, N), layers[0].delta_gpu = upload(from_delta, N);
    l.output_gpu = upload(delta, N), l.delta_gpu = upload(delta, N);
    assert_int_equal(accel_forward_shortcut_gpu(l, net), 1);
    assert_values("output", l.output_gpu, output, N, 1e-6);
    assert_int_equal(accel_backward_shortcut_gpu(l, net), 1);
    assert_values("input delta", net.delta_gpu, to_input, N, 1e-6);
    assert_values("other delta", layers[0].delta_gpu, to_from, N, 1e-6);
    free_gpu(layers[0].delta_gpu);
    layers[0].delta_gpu = net.delta_gpu; /* from=-1 */
    assert_int_equal(accel_backward_shortcut_gpu(l, net), 1);
    assert_values("delta of both", net.delta_gpu, to_both, N, 1e-6);
    l.w = 5, l.h = 3;
    assert_int_equal(accel_forward_shortcut_gpu(l, net), 0);
    assert_int_equal(accel_backward_shortcut_gpu(l, net), 0);
    free_gpu(net.input_gpu), free_gpu(net.delta_gpu);
    free_gpu(layers[0].output_gpu);
    free_gpu(l.output_gpu), free_gpu(l.delta_gpu);
    free(input), free(from), free(delta), free(input_delta), free(from_delta);
}

static void relu6_and_its_gradient_are_those_of_the_cpu(void **test)
{
    enum { N = 1000 };
    float *x = random_floats(N, 1), *delta = random_floats(N, 2), *x_gpu, *delta_gpu;
    double output[N], gradients[N];
    int i;
    (void)test;
    for (i = 0; i < N; ++i) x[i] *= 12;
    x[0] = 6, x[1] = 0, x[2] = nextafterf(6, 0);
    x_gpu = upload(x, N), delta_gpu = upload(delta, N);
    for (i = 0; i < N; ++i) {
        output[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i];
        gradients[i] = output[i] > 0 && output[i] < 6 ? delta[i] : 0;
    }
    activate_array_gpu(x_gpu, N, RELU6);
    assert_values("output", x_gpu, output, N, 1e-6);
    gradient_array_gpu(x_gpu, N, RELU6, delta_gpu);
    assert_values("delta", delta_gpu, gradients, N, 1e-6);
    free_gpu(x_gpu), free_gpu(delta_gpu);
    free(x), free(delta);
}

/* Its gradient is that at the input, x. */
static void swish_and_its_gradient_are_those_of_the_equation(void **test)
{
    enum { N = 1000 };
    float *x = random_floats(N, 1), *delta = random_floats(N, 2), *x_gpu, *input_gpu, *delta_gpu;
    double output[N], gradients[N];
    int i;
    (void)test;
    for (i = 0; i < N; ++i) x[i] *= 12;
    x[0] = -200, x[1] = 0, x[2] = 200;
    x_gpu = upload(x, N), input_gpu = upload(x, N), delta_gpu = upload(delta, N);
    for (i = 0; i < N; ++i) {
        const double sigmoid = 1 / (1 + exp(-x[i]));
        output[i] = x[i] * sigmoid;
        gradients[i] = delta[i] * (sigmoid + x[i] * sigmoid * (1 - sigmoid));
    }
    activate_array_gpu(x_gpu, N, SWISH);
    assert_values("output", x_gpu, output, N, 1e-5);
    gradient_array_gpu(input_gpu, N, SWISH, delta_gpu);
    assert_values("delta", delta_gpu, gradients, N, 1e-5);
    free_gpu(x_gpu), free_gpu(input_gpu), free_gpu(delta_gpu);
    free(x), free(delta);
}

/* 3 images of 5 channels with 300 pixels, more than a block has threads: one scale a channel, then one a pixel. */
static void scaled_channels_and_both_gradients_are_those_of_the_equation(void **test)
{
    enum { BATCH = 3, CHANNELS = 5, SPATIAL = 300, N = BATCH * CHANNELS * SPATIAL };
    static double output[N], x_gradient[N], scale_gradient[BATCH * SPATIAL];
    int wh, i;
    (void)test;
    for (wh = 0; wh < 2; ++wh) {
        const int scales = BATCH * (wh ? SPATIAL : CHANNELS);
        float *x = random_floats(N, 1), *s = random_floats(scales, 2), *delta = random_floats(N, 3);
        float *x_delta = random_floats(N, 4), *s_delta = random_floats(scales, 5);
        float *x_gpu = upload(x, N), *s_gpu = upload(s, scales), *delta_gpu = upload(delta, N), *out_gpu = upload(x, N);
        float *x_delta_gpu = upload(x_delta, N), *s_delta_gpu = upload(s_delta, scales);
        for (i = 0; i < scales; ++i) scale_gradient[i] = s_delta[i];
        for (i = 0; i < N; ++i) {
            const int k = wh ? i / SPATIAL / CHANNELS * SPATIAL + i % SPATIAL : i / SPATIAL;
            output[i] = (double)x[i] * s[k];
            x_gradient[i] = x_delta[i] + (double)delta[i] * s[k];
            scale_gradient[k] += (double)delta[i] * x[i];
        }
        scale_channels_gpu(x_gpu, s_gpu, BATCH, CHANNELS, SPATIAL, wh, out_gpu);
        scale_channels_gradient_gpu(delta_gpu, x_gpu, s_gpu, BATCH, CHANNELS, SPATIAL, wh, x_delta_gpu, s_delta_gpu);
        assert_values("output", out_gpu, output, N, 1e-6);
        assert_values("gradient of what is scaled", x_delta_gpu, x_gradient, N, 1e-6);
        assert_values("gradient of the scales", s_delta_gpu, scale_gradient, scales, 1e-5);
        free_gpu(x_gpu), free_gpu(s_gpu), free_gpu(delta_gpu), free_gpu(out_gpu);
        free_gpu(x_delta_gpu), free_gpu(s_delta_gpu);
        free(x), free(s), free(delta), free(x_delta), free(s_delta);
    }
}

#define TEST(name) cmocka_unit_test(name)

#endif

int main(void)
{
    struct CMUnitTest tests[] = {
        GPU_TEST(a_depthwise_convolution_has_its_output_and_its_gradients),
        GPU_TEST(the_gradient_by_the_weights_has_the_same_bits_twice),
        GPU_TEST(convolutions_that_are_not_depthwise_are_left_to_darknet),
        GPU_TEST(inference_normalizes_by_the_rolling_averages),
        GPU_TEST(training_normalizes_by_the_batch),
        GPU_TEST(a_shortcut_adds_and_its_gradient_reaches_both_inputs),
        GPU_TEST(relu6_and_its_gradient_are_those_of_the_cpu),
        GPU_TEST(swish_and_its_gradient_are_those_of_the_equation),
        GPU_TEST(scaled_channels_and_both_gradients_are_those_of_the_equation),
    };
    skip_without_gpu(tests, COUNT(tests));
    return cmocka_run_group_tests_name("accel_gpu", tests, 0, 0) != 0;
}
