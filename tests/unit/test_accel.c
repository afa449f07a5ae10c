/* The convolution that training runs on against the textbook one, in double: forward, by weights, by input.
 *
 * Built with ONEDNN=1 this judges src/accel; without, Darknet's own loops, by way of the same layer functions.
 */
#include "accel.h"

#include <darknet.h>

#include "convolutional_layer.h"

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

/* Darknet never frees everything of a layer, so leaks say nothing in a sanitized build. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad;
} shape;

/* A layer with everything that goes in and comes out, and what should come out. */
typedef struct {
    shape s;
    layer l;
    network net;
    size_t inputs, outputs, weights; /* floats */
    float *start;                    /* inputs: what another branch has left in net.delta */
    double *output, *by_weights, *by_input;
} sample;

static int accelerated; /* this build has oneDNN */

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

/* Weights are n x c/groups x size x size; filter f sees the channels of its group. Every product of the convolution is
 * met once, and goes three ways. */
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

/* ---- One shape ----------------------------------------------------------------------------------------------------- */

static sample *new_sample(shape s)
{
    sample *p = (sample *)calloc(1, sizeof *p);
    size_t i;
    int before = dup(2), nothing = open("/dev/null", O_WRONLY);
    fflush(stderr);
    dup2(nothing, 2); /* Darknet announces the layer */
    p->s = s;
    p->l = make_convolutional_layer(s.batch, s.h, s.w, s.c, s.n, s.groups, s.size, s.stride, s.pad, LINEAR, 0, 0, 0, 0);
    dup2(before, 2);
    close(before);
    close(nothing);

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
    /* Both gradients are added to what is there. */
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

/* Relative to the largest value: a sum that cancels has no small relative error of its own. */
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
    if (accelerated) { /* or the fast path was lost without a word */
        assert_int_equal(accel_forward_convolution(p->l, p->net), 1);
        memset(p->l.output, 0, p->outputs * sizeof(float));
    }
    forward_convolutional_layer(p->l, p->net);
    assert_near(p, "output", p->l.output, p->output, p->outputs);
    backward_convolutional_layer(p->l, p->net);
    assert_near(p, "gradient by weights", p->l.weight_updates, p->by_weights, p->weights);
    assert_near(p, "gradient by input", p->net.delta, p->by_input, p->inputs);
    for (step = 0; step < 2; ++step) { /* the operands themselves stay as they were */
        forward_convolutional_layer(p->l, p->net);
        assert_near(p, "second output", p->l.output, p->output, p->outputs);
    }
    free_sample(p);
}

/* ---- Tests --------------------------------------------------------------------------------------------------------- */

static const struct {
    int size, pad;
} kernels[] = {{1, 0}, {1, 1}, {3, 0}, {3, 1}, {3, 2}, {5, 0}, {5, 2}, {5, 4}};
enum { KERNELS = sizeof kernels / sizeof kernels[0], CHANNELS = 6, FILTERS = 12 };

/* Every kernel, pad and stride, over pictures that neither stride nor blocks of 8 divide. */
static void assert_all(int groups, int filters)
{
    int i, stride, number = 0;
    for (i = 0; i < KERNELS; ++i)
        for (stride = 1; stride <= 2; ++stride, ++number) {
            shape s = {1 + number % 5, CHANNELS, 7 + number % 3, 9 - number % 4, filters, groups, kernels[i].size,
                       stride,         kernels[i].pad};
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

/* Layers of one shape share what oneDNN made for it, whatever came between. */
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

/* The first layer of a network has nobody to hand a gradient to. */
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
    /* once it was start + gradient; the second time adds the gradient again */
    for (i = 0; i < p->inputs; ++i) p->by_input[i] = 2 * p->by_input[i] - p->start[i];
    assert_near(p, "gradient by input", p->net.delta, p->by_input, p->inputs);
    free_sample(p);
}

/* Says which path was judged, and makes sure of it before anything relies on it. */
static int find_path(void **state)
{
    shape s = {1, 3, 8, 8, 8, 1, 3, 1, 1};
    sample *p = new_sample(s);
    (void)state;
    accelerated = accel_forward_convolution(p->l, p->net);
    printf("# convolutions by %s\n", accelerated ? "oneDNN" : "Darknet's own loops: built without oneDNN");
    free_sample(p);
    return 0;
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
    };
    (void)argc;
    /* Threads that wait by turning in circles take seconds on a busy machine. It is read when the program starts. */
    if (!getenv("OMP_WAIT_POLICY")) {
        setenv("OMP_WAIT_POLICY", "passive", 1);
        execv("/proc/self/exe", argv);
    }
    gpu_index = -1; /* what a GPU does is compared with this elsewhere */
    return cmocka_run_group_tests(tests, find_path, 0);
}
