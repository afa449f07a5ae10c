/* Compares the layers that take most of the time of a training with their definitions, computed in double: convolutions
 * (forward, backward weights, backward data), batch normalisation, activations, level 1 of the BLAS, matrix products.
 *
 * Everything is called as Darknet calls it. So the tests check src/accel in a build with ONEDNN=1, and otherwise
 * Darknet's own loops.
 */
#include "accel/cpu/accel_cpu.h"
#include "helpers/leaks_of_darknet.h"

#include <darknet.h>

#include "activations.h"
#include "batchnorm_layer.h"
#include "blas.h"
#include "convolutional_layer.h"
#include "gemm.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad;
} shape;

/* A layer with all inputs, and the expected results. */
typedef struct {
    shape s;
    layer l;
    network net;
    size_t inputs, outputs, weights; /* floats */
    float *start;                    /* [inputs]: net.delta before the pass, as from another branch */
    double *output, *by_weights, *by_input;
} sample;

#ifdef ONEDNN
enum { ACCELERATED = 1 };
#else
enum { ACCELERATED = 0 };
#endif

static float uniform(void)
{
    static uint32_t random = 1;
    random = random * 1664525u + 1013904223u;
    return (float)(random >> 8) / 16777216.f - .5f;
}

static void randomize(float *x, size_t n)
{
    while (n--) *x++ = uniform();
}

/* ---- The textbook ------------------------------------------------------------------------------------------------ */

/* The definition of a convolution. Weights are n x c/groups x size x size; filter f reads the channels of its group.
 * Every product is used three times: for the output, the gradient of the weights and that of the input. */
static void convolve(sample *p)
{
    const shape *s = &p->s;
    const layer *l = &p->l;
    int channels = s->c / s->groups, b, f, c, y, x, i, j;
    for (b = 0; b < s->batch; ++b)
        for (f = 0; f < s->n; ++f)
            for (y = 0; y < l->out_h; ++y)
                for (x = 0; x < l->out_w; ++x) {
                    size_t out = (((size_t)b * s->n + f) * l->out_h + y) * l->out_w + x;
                    for (c = 0; c < channels; ++c)
                        for (i = 0; i < s->size; ++i)
                            for (j = 0; j < s->size; ++j) {
                                int row = y * s->stride + i - s->pad, column = x * s->stride + j - s->pad;
                                int channel = f / (s->n / s->groups) * channels + c;
                                size_t in = (((size_t)b * s->c + channel) * s->h + row) * s->w + column;
                                size_t weight = (((size_t)f * channels + c) * s->size + i) * s->size + j;
                                if (row < 0 || row >= s->h || column < 0 || column >= s->w) continue;
                                p->output[out] += (double)p->net.input[in] * l->weights[weight];
                                p->by_weights[weight] += (double)l->delta[out] * p->net.input[in];
                                p->by_input[in] += (double)l->delta[out] * l->weights[weight];
                            }
                }
}

/* ---- One shape --------------------------------------------------------------------------------------------------- */

/* Creates a layer without the line that Darknet prints about it. */
static layer quiet_layer(int batch, int h, int w, int c, int n, int groups, int size, int stride, int pad,
                         int normalize)
{
    int before = dup(2), nothing = open("/dev/null", O_WRONLY);
    layer l;
    fflush(stderr);
    dup2(nothing, 2);
    l = make_convolutional_layer(batch, h, w, c, n, groups, size, stride, pad, LINEAR, normalize, 0, 0, 0);
    dup2(before, 2);
    close(before);
    close(nothing);
    return l;
}

static sample *new_sample(shape s)
{
    sample *p = (sample *)calloc(1, sizeof *p);
    size_t i;
    p->s = s;
    p->l = quiet_layer(s.batch, s.h, s.w, s.c, s.n, s.groups, s.size, s.stride, s.pad, 0);

    p->inputs = (size_t)s.batch * p->l.inputs;
    p->outputs = (size_t)s.batch * p->l.outputs;
    p->weights = (size_t)p->l.nweights;
    p->net.gpu_index = -1;
    p->net.input = (float *)malloc(p->inputs * sizeof(float));
    p->net.delta = (float *)malloc(p->inputs * sizeof(float));
    p->net.workspace = (float *)malloc(p->l.workspace_size);
    p->start = (float *)malloc(p->inputs * sizeof(float));
    p->output = (double *)calloc(p->outputs, sizeof(double));
    p->by_weights = (double *)calloc(p->weights, sizeof(double));
    p->by_input = (double *)calloc(p->inputs, sizeof(double));
    randomize(p->net.input, p->inputs);
    randomize(p->l.weights, p->weights);
    randomize(p->l.biases, s.n);
    randomize(p->l.delta, p->outputs);
    /* both gradients are accumulated, so the arrays must not start at 0 */
    randomize(p->l.weight_updates, p->weights);
    randomize(p->start, p->inputs);
    memcpy(p->net.delta, p->start, p->inputs * sizeof(float));
    for (i = 0; i < p->outputs; ++i) p->output[i] = p->l.biases[i / (p->l.out_h * p->l.out_w) % s.n];
    for (i = 0; i < p->weights; ++i) p->by_weights[i] = p->l.weight_updates[i];
    for (i = 0; i < p->inputs; ++i) p->by_input[i] = p->start[i];
    convolve(p);
    return p;
}

static void free_sample(sample *p)
{
    free_layer(p->l);
    free(p->net.input);
    free(p->net.delta);
    free(p->net.workspace);
    free(p->start);
    free(p->output);
    free(p->by_weights);
    free(p->by_input);
    free(p);
}

/* Tolerance relative to the largest value, because a sum of terms that cancel has a large relative error. */
static void assert_near(const sample *p, const char *what, const float *got, const double *expected, size_t n)
{
    const shape *s = &p->s;
    double largest = 0;
    size_t i;
    for (i = 0; i < n; ++i)
        if (fabs(expected[i]) > largest) largest = fabs(expected[i]);
    for (i = 0; i < n; ++i)
        if (!(fabs(got[i] - expected[i]) <= 1e-5 * largest))
            fail_msg("batch %d, %dx%dx%d, %d filters of %dx%d, %d groups, stride %d, pad %d: %s[%d] is %.9g, not %.9g",
                     s->batch, s->h, s->w, s->c, s->n, s->size, s->size, s->groups, s->stride, s->pad, what, (int)i,
                     got[i], expected[i]);
}

static void assert_convolves(shape s)
{
    sample *p = new_sample(s);
    int step;
    if (ACCELERATED) { /* otherwise a missing fast path would not be noticed */
        assert_int_equal(accel_forward_convolution(p->l, p->net), 1);
        memset(p->l.output, 0, p->outputs * sizeof(float));
    }
    forward_convolutional_layer(p->l, p->net);
    assert_near(p, "output", p->l.output, p->output, p->outputs);
    backward_convolutional_layer(p->l, p->net);
    assert_near(p, "gradient by weights", p->l.weight_updates, p->by_weights, p->weights);
    assert_near(p, "gradient by input", p->net.delta, p->by_input, p->inputs);
    for (step = 0; step < 2; ++step) { /* twice: the first run must not change its operands */
        forward_convolutional_layer(p->l, p->net);
        assert_near(p, "second output", p->l.output, p->output, p->outputs);
    }
    free_sample(p);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static const struct {
    int size, pad;
} kernels[] = {{1, 0}, {1, 1}, {3, 0}, {3, 1}, {3, 2}, {5, 0}, {5, 2}, {5, 4}};
enum { KERNELS = sizeof kernels / sizeof kernels[0], CHANNELS = 6, FILTERS = 12 };

/* All kernel sizes, paddings and strides, with images whose size is no multiple of the stride or of 8. */
static void assert_all(int groups, int filters)
{
    int i, stride, number = 0;
    for (i = 0; i < KERNELS; ++i)
        for (stride = 1; stride <= 2; ++stride, ++number) {
            shape s = {1 + number % 5, CHANNELS,        7 + number % 3, 9 - number % 4, filters,
                       groups,         kernels[i].size, stride,         kernels[i].pad};
            assert_convolves(s);
        }
}

static void plain_convolutions_are_those_of_the_textbook(void **state)
{
    (void)state;
    assert_all(1, FILTERS);
    assert_all(1, 5);
}

static void grouped_convolutions_are_those_of_the_textbook(void **state)
{
    (void)state;
    assert_all(2, FILTERS);
    assert_all(3, FILTERS);
}

static void depthwise_convolutions_are_those_of_the_textbook(void **state)
{
    (void)state;
    assert_all(CHANNELS, CHANNELS);
    assert_all(CHANNELS, 2 * CHANNELS); /* two filters per channel */
}

static void every_batch_from_1_to_5_is_right(void **state)
{
    int batch;
    (void)state;
    for (batch = 1; batch <= 5; ++batch) {
        shape plain = {batch, 3, 11, 8, 16, 1, 3, 2, 1}, depthwise = {batch, 16, 5, 7, 16, 16, 3, 1, 1},
              pointwise = {batch, 16, 5, 7, 24, 1, 1, 1, 0};
        assert_convolves(plain);
        assert_convolves(depthwise);
        assert_convolves(pointwise);
    }
}

/* Layers of one shape share cached oneDNN primitives, also if other shapes were used in between. */
static void a_shape_that_comes_back_is_right_again(void **state)
{
    shape one = {2, 8, 9, 9, 16, 1, 3, 1, 1}, other = {3, 8, 13, 13, 16, 1, 3, 1, 1};
    int i;
    (void)state;
    for (i = 0; i < 3; ++i) {
        assert_convolves(one);
        assert_convolves(other);
    }
}

static void a_picture_smaller_than_the_kernel_is_right(void **state)
{
    shape one = {2, 4, 1, 1, 3, 1, 3, 1, 1}, flat = {2, 4, 1, 7, 3, 1, 5, 2, 2}, last = {1, 320, 2, 2, 64, 1, 1, 1, 0};
    (void)state;
    assert_convolves(one);
    assert_convolves(flat);
    assert_convolves(last);
}

/* The first layer of a network needs no gradient of its input. */
static void without_a_delta_before_it_only_the_weights_get_a_gradient(void **state)
{
    shape s = {3, 3, 9, 9, 8, 1, 3, 2, 1};
    sample *p = new_sample(s);
    float *delta = p->net.delta;
    (void)state;
    forward_convolutional_layer(p->l, p->net);
    p->net.delta = 0;
    backward_convolutional_layer(p->l, p->net);
    p->net.delta = delta;
    assert_near(p, "gradient by weights", p->l.weight_updates, p->by_weights, p->weights);
    assert_memory_equal(p->net.delta, p->start, p->inputs * sizeof(float));
    free_sample(p);
}

static void two_backward_passes_add_up(void **state)
{
    shape s = {2, 6, 7, 5, 8, 2, 3, 1, 1};
    sample *p = new_sample(s);
    size_t i;
    int step;
    (void)state;
    forward_convolutional_layer(p->l, p->net);
    for (step = 0; step < 2; ++step) backward_convolutional_layer(p->l, p->net);
    /* after one pass it is start + gradient; the second pass adds the gradient again */
    for (i = 0; i < p->inputs; ++i) p->by_input[i] = 2 * p->by_input[i] - p->start[i];
    assert_near(p, "gradient by input", p->net.delta, p->by_input, p->inputs);
    free_sample(p);
}

/* ---- Batch normalisation ----------------------------------------------------------------------------------------- */

static void assert_close_to(const char *what, const float *got, const double *expected, size_t n, double tolerance)
{
    double largest = 0;
    size_t i;
    for (i = 0; i < n; ++i)
        if (fabs(expected[i]) > largest) largest = fabs(expected[i]);
    for (i = 0; i < n; ++i)
        if (!(fabs(got[i] - expected[i]) <= tolerance * largest))
            fail_msg("%s[%d] of %d is %.9g, not %.9g", what, (int)i, (int)n, got[i], expected[i]);
}

/* Batch normalisation of one channel with Darknet's formulas: the variance is divided by n - 1, forward adds 1e-6 to
 * the standard deviation and backward 1e-5 to the variance. x becomes the output, delta the gradient of x. */
static void normalize_channel(double *x, double *delta, int n, double scale, double bias, double *mean,
                              double *variance, double *bias_update, double *scale_update)
{
    double inverse, mean_delta = 0, variance_delta = 0;
    int i;
    *mean = *variance = *bias_update = *scale_update = 0;
    for (i = 0; i < n; ++i) *mean += x[i] / n;
    for (i = 0; i < n; ++i) *variance += (x[i] - *mean) * (x[i] - *mean) / (n - 1);
    inverse = 1 / sqrt(*variance + 1e-5);
    for (i = 0; i < n; ++i) {
        *bias_update += delta[i];
        *scale_update += delta[i] * (x[i] - *mean) / (sqrt(*variance) + 1e-6);
        mean_delta -= scale * delta[i] * inverse;
        variance_delta -= .5 * scale * delta[i] * (x[i] - *mean) * inverse * inverse * inverse;
    }
    for (i = 0; i < n; ++i) {
        delta[i] = scale * delta[i] * inverse + 2 * variance_delta * (x[i] - *mean) / n + mean_delta / n;
        x[i] = scale * (x[i] - *mean) / (sqrt(*variance) + 1e-6) + bias;
    }
}

static void assert_normalizes(int batch, int channels, int h, int w)
{
    int spatial = h * w, n = batch * spatial, f, i;
    size_t all = (size_t)n * channels;
    double *x = (double *)malloc(all * sizeof *x), *delta = (double *)malloc(all * sizeof *delta);
    double *of[6]; /* by channel: mean, variance, rolling mean, rolling variance, bias updates, scale updates */
    layer l;
    network net;
    memset(&net, 0, sizeof net);
    net.gpu_index = -1;
    net.train = 1;
    l = quiet_layer(batch, h, w, 1, channels, 1, 1, 1, 0, 1);
    for (i = 0; i < 6; ++i) of[i] = (double *)malloc(channels * sizeof(double));
    randomize(l.output, all);
    randomize(l.delta, all);
    randomize(l.scales, channels);
    randomize(l.biases, channels);
    randomize(l.rolling_mean, channels);
    randomize(l.rolling_variance, channels);
    randomize(l.bias_updates, channels);
    randomize(l.scale_updates, channels);
    for (f = 0; f < channels; ++f) {
        /* gathered into one row per channel */
        double *channel = x + (size_t)f * n, *gradient = delta + (size_t)f * n;
        for (i = 0; i < n; ++i) {
            size_t at = ((size_t)(i / spatial) * channels + f) * spatial + i % spatial;
            l.output[at] += (float)f; /* so that not all means are near 0 */
            channel[i] = l.output[at];
            gradient[i] = l.delta[at];
        }
        normalize_channel(channel, gradient, n, l.scales[f], l.biases[f], &of[0][f], &of[1][f], &of[4][f], &of[5][f]);
        of[2][f] = .99 * l.rolling_mean[f] + .01 * of[0][f];
        of[3][f] = .99 * l.rolling_variance[f] + .01 * of[1][f];
        of[4][f] += l.bias_updates[f];
        of[5][f] += l.scale_updates[f];
    }
    forward_batchnorm_layer(l, net);
    backward_batchnorm_layer(l, net);
    for (i = 0; i < (int)all; ++i) { /* back into Darknet's order */
        int b = i / spatial / channels;
        size_t from = (size_t)(i / spatial % channels) * n + (size_t)b * spatial + i % spatial;
        if (!(fabs(l.output[i] - x[from]) <= 2e-5 && fabs(l.delta[i] - delta[from]) <= 1e-4 * (1 + fabs(delta[from]))))
            fail_msg("batch %d, %d channels of %dx%d: output %.9g, not %.9g, or delta %.9g, not %.9g", batch, channels,
                     h, w, l.output[i], x[from], l.delta[i], delta[from]);
    }
    assert_close_to("mean", l.mean, of[0], channels, 1e-5);
    assert_close_to("variance", l.variance, of[1], channels, 1e-5);
    assert_close_to("rolling mean", l.rolling_mean, of[2], channels, 1e-5);
    assert_close_to("rolling variance", l.rolling_variance, of[3], channels, 1e-5);
    assert_close_to("bias updates", l.bias_updates, of[4], channels, 1e-5);
    assert_close_to("scale updates", l.scale_updates, of[5], channels, 1e-4);
    free_layer(l);
    free(x);
    free(delta);
    for (i = 0; i < 6; ++i) free(of[i]);
}

static void batch_normalisation_is_that_of_darknets_formulas(void **state)
{
    int batch;
    (void)state;
    for (batch = 1; batch <= 5; ++batch) {
        assert_normalizes(batch, 1, 3, 5);
        assert_normalizes(batch, 17, 7, 5);
        assert_normalizes(batch, 6, 33, 21);
    }
    assert_normalizes(4, 5, 1, 1);
}

/* In inference a network normalises with the rolling averages of its training. */
static void outside_of_training_the_rolling_averages_normalise(void **state)
{
    layer l = quiet_layer(2, 3, 5, 1, 4, 1, 1, 1, 0, 1);
    network net;
    int i;
    (void)state;
    memset(&net, 0, sizeof net);
    net.gpu_index = -1;
    for (i = 0; i < 4; ++i) {
        l.rolling_mean[i] = (float)i;
        l.rolling_variance[i] = (float)(i + 1) * (i + 1);
        l.scales[i] = 3;
        l.biases[i] = .5f;
    }
    for (i = 0; i < 2 * 60; ++i) l.output[i] = (float)(i % 7);
    forward_batchnorm_layer(l, net);
    for (i = 0; i < 2 * 60; ++i) {
        int f = i / 15 % 4;
        assert_true(fabs(l.output[i] - (3. * (i % 7 - f) / (f + 1) + .5)) < 1e-4);
    }
    assert_true(l.rolling_mean[2] == 2);
    free_layer(l);
}

/* ---- Activations and BLAS ---------------------------------------------------------------------------------------- */

static double activated(double x, ACTIVATION a)
{
    if (a == RELU6) return x < 0 ? 0 : x > 6 ? 6 : x;
    return a == LEAKY && x < 0 ? .1 * x : a == RELU && x < 0 ? 0 : a == LOGISTIC ? 1 / (1 + exp(-x)) : x;
}

/* The derivative as a function of the output y, because Darknet stores only the output. */
static double derivative(double y, ACTIVATION a)
{
    if (a == RELU6) return y > 0 && y < 6;
    return a == LEAKY && y <= 0 ? .1 : a == RELU && y <= 0 ? 0 : a == LOGISTIC ? y * (1 - y) : 1;
}

/* Below and above the length from which loops are parallel; the last one has no small divisor. */
static const int lengths[] = {1, 7, 64, 32767, 32768, 100003};
enum { LENGTHS = sizeof lengths / sizeof lengths[0], LONGEST = 100003 };

static void activations_and_their_gradients_are_right_at_every_length(void **state)
{
    static const ACTIVATION activations[] = {LINEAR, RELU, LEAKY, LOGISTIC, RELU6};
    float *x = (float *)malloc((LONGEST + 1) * sizeof *x), *y = (float *)malloc((LONGEST + 1) * sizeof *y);
    float *delta = (float *)malloc((LONGEST + 1) * sizeof *delta), *before = (float *)malloc(LONGEST * sizeof *before);
    int a, j, i;
    (void)state;
    for (a = 0; a < 5; ++a)
        for (j = 0; j < LENGTHS; ++j) {
            int n = lengths[j];
            randomize(x, n);
            for (i = 0; i < n; ++i) x[i] *= 10; /* beyond the 6 of relu6 */
            if (n > 2) x[0] = 6, x[1] = 0, x[2] = nextafterf(6, 0);
            randomize(before, n);
            memcpy(y, x, n * sizeof *y);
            memcpy(delta, before, n * sizeof *delta);
            y[n] = delta[n] = 77; /* after the end: must not change */
            activate_array(y, n, activations[a]);
            gradient_array(y, n, activations[a], delta);
            for (i = 0; i < n; ++i) {
                double value = activated(x[i], activations[a]), slope = derivative(y[i], activations[a]);
                if (!(fabs(y[i] - value) < 1e-6 && fabs(delta[i] - before[i] * slope) < 1e-6))
                    fail_msg("activation %d, [%d] of %d: %g becomes %g, and its delta %g becomes %g",
                             (int)activations[a], i, n, x[i], y[i], before[i], delta[i]);
            }
            assert_true(y[n] == 77 && delta[n] == 77);
        }
    free(x);
    free(y);
    free(delta);
    free(before);
}

static void fill_copy_and_axpy_are_right_at_every_length(void **state)
{
    float *x = (float *)malloc((LONGEST + 1) * sizeof *x), *y = (float *)malloc((LONGEST + 1) * sizeof *y);
    int j, i;
    (void)state;
    for (j = 0; j < LENGTHS; ++j) {
        int n = lengths[j];
        randomize(x, n);
        x[n] = y[n] = 77; /* after the end: must not change */
        fill_cpu(n, 2.5f, y, 1);
        for (i = 0; i < n; ++i) assert_true(y[i] == 2.5f);
        axpy_cpu(n, -.5f, x, 1, y, 1);
        for (i = 0; i < n; ++i) assert_true(y[i] == 2.5f - .5f * x[i]);
        copy_cpu(n, x, 1, y, 1);
        copy_cpu(n, x, 1, x, 1); /* some layers copy an array onto itself */
        assert_memory_equal(x, y, n * sizeof *x);
        assert_true(x[n] == 77 && y[n] == 77);
    }
    /* with a stride Darknet's own loops are used */
    fill_cpu(LONGEST, 0, x, 1);
    fill_cpu(LONGEST / 2, 1, x, 2);
    copy_cpu(LONGEST / 2, x, 2, y, 1);
    axpy_cpu(LONGEST / 2, 2, y, 1, x + 1, 2);
    for (i = 0; i < LONGEST - 1; ++i) assert_true(x[i] == (i % 2 ? 2 : 1));
    free(x);
    free(y);
}

/* C = .5 op(A) op(B) + 2 C, as parts of larger matrices; some products are large enough to be split by rows or by
 * columns. */
static void matrix_products_are_right_for_every_transposition(void **state)
{
    static const struct {
        int m, n, k;
    } sizes[] = {{1, 1, 1}, {3, 5, 7}, {1, 400, 3000}, {300, 2, 2000}, {130, 90, 101}, {90, 131, 100}};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    int which, i, j, p;
    (void)state;
    for (which = 0; which < 4 * SIZES; ++which) {
        int m = sizes[which / 4].m, n = sizes[which / 4].n, k = sizes[which / 4].k, ta = which & 1, tb = which >> 1 & 1;
        int lda = (ta ? m : k) + 2, ldb = (tb ? k : n) + 1, ldc = n + 3;
        size_t size_a = (size_t)(ta ? k : m) * lda, size_b = (size_t)(tb ? n : k) * ldb, size_c = (size_t)m * ldc;
        float *a = (float *)malloc(size_a * sizeof *a), *b = (float *)malloc(size_b * sizeof *b);
        float *c = (float *)malloc(size_c * sizeof *c), *before = (float *)malloc(size_c * sizeof *before);
        randomize(a, size_a);
        randomize(b, size_b);
        randomize(c, size_c);
        memcpy(before, c, size_c * sizeof *c);
        gemm(ta, tb, m, n, k, .5f, a, lda, b, ldb, 2, c, ldc);
        for (i = 0; i < m; ++i)
            for (j = 0; j < ldc; ++j) {
                double sum = 0;
                for (p = 0; p < k && j < n; ++p)
                    sum += (double)a[ta ? p * lda + i : i * lda + p] * b[tb ? j * ldb + p : p * ldb + j];
                sum = j < n ? .5 * sum + 2. * before[i * ldc + j] : before[i * ldc + j];
                if (!(fabs(c[i * ldc + j] - sum) <= 1e-4))
                    fail_msg("%d x %d x %d, transposed %d %d: [%d][%d] is %g, not %g", m, n, k, ta, tb, i, j,
                             c[i * ldc + j], sum);
            }
        free(a);
        free(b);
        free(c);
        free(before);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_convolutions_are_those_of_the_textbook),
        cmocka_unit_test(grouped_convolutions_are_those_of_the_textbook),
        cmocka_unit_test(depthwise_convolutions_are_those_of_the_textbook),
        cmocka_unit_test(every_batch_from_1_to_5_is_right),
        cmocka_unit_test(a_shape_that_comes_back_is_right_again),
        cmocka_unit_test(a_picture_smaller_than_the_kernel_is_right),
        cmocka_unit_test(without_a_delta_before_it_only_the_weights_get_a_gradient),
        cmocka_unit_test(two_backward_passes_add_up),
        cmocka_unit_test(batch_normalisation_is_that_of_darknets_formulas),
        cmocka_unit_test(outside_of_training_the_rolling_averages_normalise),
        cmocka_unit_test(activations_and_their_gradients_are_right_at_every_length),
        cmocka_unit_test(fill_copy_and_axpy_are_right_at_every_length),
        cmocka_unit_test(matrix_products_are_right_for_every_transposition),
    };
    (void)argc;
    /* On a busy machine threads that spin while they wait make this test slow. OpenMP reads the variable at program
     * start. */
    if (!getenv("OMP_WAIT_POLICY")) {
        setenv("OMP_WAIT_POLICY", "passive", 1);
        execv("/proc/self/exe", argv);
    }
    gpu_index = -1; /* other tests compare the GPU with the CPU */
    printf("# fast paths: %s\n", ACCELERATED ? "those of src/accel" : "none, this build has no oneDNN");
    return cmocka_run_group_tests(tests, 0, 0);
}
