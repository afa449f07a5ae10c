/* [ols], the class heads, epochs, checkpoints and replicas inside whole networks of Darknet, on the CPU.
 *
 * The networks are a few hundred weights, and image number i is the same wherever it is asked for, so that one stream
 * of images can be cut into batches, subdivisions, replicas and resumed runs at will.
 */
#include "train/checkpoint.h"
#include "layers/class_head.h"
#include "train/epochs.h"
#include "layers/ols_layer.h"
#include "layers/label_smoothing.h"
#include "helpers/test_darknet.h"

#include <darknet.h>

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Where a signal ends a test. */
static int after_test(void **state)
{
    (void)state;
    show_last_words();
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_layers");
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"words", "net.cfg", "names", "a.weights", "b.weights"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Runs `act` in a child. Returns its exit status, and what it wrote to stderr in `words`. */
static int status_of(void (*act)(void *), void *argument, char *words, size_t size)
{
    int status;
    FILE *file;
    pid_t child;
    fflush(stdout);
    fflush(stderr);
    child = fork();
    if (child == 0) {
        int out = open("/dev/null", O_WRONLY), err = open(in_folder("words"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        dup2(out, 1);
        dup2(err, 2);
        act(argument);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    file = fopen(in_folder("words"), "r");
    assert_non_null(file);
    words[fread(words, 1, size - 1, file)] = 0;
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- Networks ---------------------------------------------------------------------------------------------------- */

static char *write_cfg(const char *format, va_list args)
{
    char text[8192];
    assert_true(vsnprintf(text, sizeof text, format, args) < (int)sizeof text);
    write_file("net.cfg", text);
    return in_folder("net.cfg");
}

static float uniform(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return (float)(*random >> 8) / 16777216.f;
}

static size_t weights_of(layer l)
{
    return l.type == CONNECTED ? (size_t)l.inputs * l.outputs : l.type == CONVOLUTIONAL ? (size_t)l.nweights : 0;
}

static size_t biases_of(layer l)
{
    return l.type == CONNECTED ? l.outputs : l.type == CONVOLUTIONAL ? l.n : 0;
}

/* Darknet's own start depends on what was drawn before srand: its generator of normal numbers keeps one in store. */
static void draw_weights(network *net, uint32_t random)
{
    int i;
    size_t j;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        size_t n = weights_of(l);
        float scale = n ? (float)sqrt(12. * biases_of(l) / n) : 0; /* variance 1 / inputs of a neuron */
        for (j = 0; j < n; ++j) l.weights[j] = scale * (uniform(&random) - .5f);
    }
}

/* The network of a cfg, its weights drawn from `seed`. */
static network *network_of(uint32_t seed, const char *format, ...)
{
    network *net;
    va_list args;
    char *cfg;
    va_start(args, format);
    cfg = write_cfg(format, args);
    va_end(args);
    hush();
    net = parse_network_cfg(cfg);
    unhush();
    draw_weights(net, seed);
    return net;
}

/* The same with weights from a file of ours, and perhaps -clear. */
static network *network_from(char *weights, int clear, const char *format, ...)
{
    network *net;
    va_list args;
    char *cfg;
    va_start(args, format);
    cfg = write_cfg(format, args);
    va_end(args);
    hush();
    net = load_network(cfg, weights, clear);
    unhush();
    return net;
}

static void save(network *net, const char *name)
{
    hush();
    save_weights(net, in_folder(name));
    unhush();
}

static void begin(network **nets, int n, int images, int classes, char *names)
{
    hush();
    train_begin(nets, n, images, classes, names);
    unhush();
}

static void merge(network **nets, int n)
{
    hush();
    train_merge(nets, n);
    unhush();
}

static layer last_layer(network *net)
{
    return net->layers[net->n - 1];
}

static ols_state *state_of(network *net)
{
    return soft_labels_owner(net, 0)->state;
}

/* batch, subdivisions, momentum, learning rate */
#define NET(side)                                                                                                      \
    "[net]\nbatch=%d\nsubdivisions=%d\nwidth=" side "\nheight=" side "\nchannels=3\nmomentum=%g\ndecay=.0005\n"        \
    "learning_rate=%g\npolicy=constant\nmax_batches=1000\n"

enum { CLASSES = 5, HEAD_CLASSES = 3 };

/* A classifier without its last section. Batch normalization would make what one image gets depend on its
 * neighbours, which replicas do not share. */
#define CLASSIFIER                                                                                                     \
    NET("8")                                                                                                           \
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                                          \
    "[convolutional]\nfilters=4\nsize=1\nactivation=leaky\n"                                                           \
    "[connected]\noutput=5\nactivation=linear\n"

#define NORMALIZED_CLASSIFIER                                                                                          \
    NET("8")                                                                                                           \
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                       \
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=1\nactivation=leaky\n"                                        \
    "[connected]\noutput=5\nactivation=linear\n"

/* A head with 8 channels: 4 for the box, 1 for objectness, 3 classes; on a 4 x 4 grid for an image of 8 x 8. */
#define TRUNK                                                                                                          \
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                       \
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"

#define YOLO_HEAD "[yolo]\nanchors=3,3\nnum=1\nclasses=3\nignore_thresh=.5\ntruth_thresh=1\nrandom=1\n"

#define REGION_HEAD                                                                                                    \
    "[region]\nanchors=1.5,1.5\nnum=1\nclasses=3\ncoords=4\nrescore=1\nthresh=.6\nobject_scale=5\nnoobject_scale=1\n"  \
    "class_scale=2\ncoord_scale=1\n"

#define DETECTION_HEAD                                                                                                 \
    "[detection]\nclasses=3\ncoords=4\nside=4\nnum=1\nsqrt=1\nnoobject_scale=.5\ncoord_scale=5\nclass_scale=2\n"

/* Three heads on grids of 8 x 8, 4 x 4 and 4 x 4; anchor 1 belongs to the first two of them. */
#define THREE_HEADS(keys)                                                                                              \
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                                          \
    "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n"                                                         \
    "[yolo]\nmask=0,1\nanchors=2,2, 5,5, 12,12\nnum=3\nclasses=3\nignore_thresh=.7\ntruth_thresh=1\n" keys             \
    "[route]\nlayers=0\n"                                                                                              \
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                                          \
    "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n"                                                         \
    "[yolo]\nmask=1,2\nanchors=2,2, 5,5, 12,12\nnum=3\nclasses=3\nignore_thresh=.7\ntruth_thresh=1\n" keys             \
    "[route]\nlayers=4\n"                                                                                              \
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"                                                          \
    "[yolo]\nmask=2\nanchors=2,2, 5,5, 12,12\nnum=3\nclasses=3\nignore_thresh=.7\ntruth_thresh=1\n" keys

/* ---- Images ------------------------------------------------------------------------------------------------------ */

static uint32_t random_of(int image)
{
    uint32_t random = 2654435761u * (uint32_t)(image + 1);
    uniform(&random);
    uniform(&random);
    return random;
}

/* Noise, brighter in a part of the image that tells the class, so that there is something to learn. Every eleventh
 * image has two classes: no single label. */
static void put_classified_image(int image, int inputs, float *input, float *truth)
{
    uint32_t random = random_of(image);
    int i, label = (int)(uniform(&random) * CLASSES);
    for (i = 0; i < inputs; ++i) input[i] = uniform(&random) - .5f + (i * CLASSES / inputs == label);
    memset(truth, 0, CLASSES * sizeof(float));
    truth[label] = 1;
    if (image % 11 == 10) truth[(label + 1) % CLASSES] = 1;
}

/* One object, in the form that the last layer reads. Boxes are fractions of the image; `slot` is the number of the
 * object. */
static void put_object(network *net, float *truth, int slot, float x, float y, float w, float h, int label)
{
    layer l = last_layer(net);
    if (l.type == DETECTION) {
        int column = (int)(x * l.side), row = (int)(y * l.side);
        float *cell = truth + (row * l.side + column) * (1 + 4 + l.classes);
        if (cell[0] != 0) return; /* a cell holds one object */
        cell[0] = 1;
        cell[1 + label] = 1;
        cell[1 + l.classes] = x * l.side - column;
        cell[2 + l.classes] = y * l.side - row;
        cell[3 + l.classes] = w;
        cell[4 + l.classes] = h;
    } else {
        float object[5] = {x, y, w, h, (float)label};
        memcpy(truth + 5 * slot, object, sizeof object);
    }
}

/* Three objects; the first two are of different classes but have one box, and so one anchor. */
static void put_detected_image(network *net, int image, float *input, float *truth)
{
    uint32_t random = random_of(image);
    float x = .1f + .8f * uniform(&random), y = .1f + .8f * uniform(&random), w = .2f + .6f * uniform(&random);
    int i, label = (int)(uniform(&random) * HEAD_CLASSES);
    for (i = 0; i < net->inputs; ++i) input[i] = uniform(&random) - .5f + (i * HEAD_CLASSES / net->inputs == label);
    memset(truth, 0, net->truths * sizeof(float));
    put_object(net, truth, 0, x, y, w, w, label);
    put_object(net, truth, 1, x, y, w, w, (label + 1 + image % 2) % HEAD_CLASSES);
    put_object(net, truth, 2, uniform(&random) * .9f + .05f, uniform(&random) * .9f + .05f, .3f, .5f,
               (int)(uniform(&random) * HEAD_CLASSES));
}

/* Fills the network's batch with the images from `first` on. */
static void put_batch(network *net, int first)
{
    LAYER_TYPE type = last_layer(net).type;
    int b;
    for (b = 0; b < net->batch; ++b) {
        float *input = net->input + b * net->inputs, *truth = net->truth + b * net->truths;
        if (type == OLS || type == SOFTMAX)
            put_classified_image(first + b, net->inputs, input, truth);
        else
            put_detected_image(net, first + b, input, truth);
    }
}

/* One forward and backward pass, and an update when the iteration is complete: what train_network does per part. */
static void step(network *net, int first)
{
    put_batch(net, first);
    hush();
    train_network_datum(net);
    unhush();
}

/* The i-th iteration over the stream of images. */
static void iterate(network *net, int i)
{
    int s;
    for (s = 0; s < net->subdivisions; ++s) step(net, (i * net->subdivisions + s) * net->batch);
}

/* A forward pass in training, over whatever is in the batch. */
static void forward(network *net)
{
    net->train = 1;
    hush();
    forward_network(net);
    unhush();
}

static void backward(network *net)
{
    hush();
    backward_network(net);
    unhush();
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g within %g", value, expected, tolerance);
}

static void assert_same_bits(const char *what, int layer, const float *a, const float *b, size_t n)
{
    size_t i;
    if (!a && !b) return;
    assert_true(a && b);
    if (!memcmp(a, b, n * sizeof *a)) return;
    for (i = 0; !memcmp(a + i, b + i, sizeof *a); ++i) {
    }
    fail_msg("layer %d: %s[%d] is %.9g in one and %.9g in the other", layer, what, (int)i, a[i], b[i]);
}

static void assert_same_weights(network *one, network *other)
{
    int i;
    for (i = 0; i < one->n; ++i) {
        layer a = one->layers[i], b = other->layers[i];
        assert_same_bits("weights", i, a.weights, b.weights, weights_of(a));
        assert_same_bits("biases", i, a.biases, b.biases, biases_of(a));
        assert_same_bits("scales", i, a.scales, b.scales, biases_of(a));
        assert_same_bits("mean", i, a.rolling_mean, b.rolling_mean, biases_of(a));
        assert_same_bits("variance", i, a.rolling_variance, b.rolling_variance, biases_of(a));
        assert_same_bits("weight updates", i, a.weight_updates, b.weight_updates, weights_of(a));
        assert_same_bits("bias updates", i, a.bias_updates, b.bias_updates, biases_of(a));
    }
}

static void assert_same_activations(network *one, network *other)
{
    int i;
    for (i = 0; i < one->n; ++i) {
        layer a = one->layers[i], b = other->layers[i];
        assert_same_bits("output", i, a.output, b.output, (size_t)a.outputs * a.batch);
        assert_same_bits("delta", i, a.delta, b.delta, (size_t)a.outputs * a.batch);
    }
}

static void assert_same_counts(const ols_state *a, const ols_state *b)
{
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->correct, b->correct, a->classes * sizeof *a->correct);
    assert_memory_equal(a->seen, b->seen, a->classes * sizeof *a->seen);
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->updates, b->updates);
    assert_int_equal(a->unlabelled, b->unlabelled);
}

static void assert_same_state(const ols_state *a, const ols_state *b)
{
    size_t square = (size_t)a->classes * a->classes;
    assert_same_counts(a, b);
    assert_same_bits("S", 0, a->soft, b->soft, square);
    assert_same_bits("A", 0, a->sums, b->sums, square);
    assert_same_bits("weight", 0, a->weight, b->weight, a->classes);
}

static void assert_near(const char *what, const float *a, const float *b, size_t n, double tolerance)
{
    size_t i;
    for (i = 0; i < n; ++i)
        if (!(fabs(a[i] - b[i]) <= tolerance))
            fail_msg("%s[%d] is %.9g in one and %.9g in the other", what, (int)i, a[i], b[i]);
}

/* For states whose sums were taken in another order. */
static void assert_state_near(const ols_state *a, const ols_state *b)
{
    size_t square = (size_t)a->classes * a->classes;
    assert_same_counts(a, b);
    assert_near("S", a->soft, b->soft, square, 1e-6);
    assert_near("A", a->sums, b->sums, square, 1e-5);
}

static ols_state *copy_of(const ols_state *state)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *copy = ols_new_state(state->classes, &options);
    size_t square = (size_t)state->classes * state->classes;
    assert_non_null(copy);
    memcpy(copy->soft, state->soft, square * sizeof(float));
    memcpy(copy->weight, state->weight, state->classes * sizeof(float));
    ols_add_sums(copy, state);
    copy->updates = state->updates;
    return copy;
}

static int64_t sum_of(const int64_t *counts, int n)
{
    int64_t sum = 0;
    while (n--) sum += counts[n];
    return sum;
}

/* ---- Gradients --------------------------------------------------------------------------------------------------- */

static double cost_of(network *net)
{
    forward(net);
    return *net->cost;
}

/* The derivative of the reported cost by *x. Fourth order, because the cost is a float and a step must be large. */
static double slope(network *net, float *x)
{
    const float at = *x, h = .03f;
    double cost[4];
    int i;
    for (i = 0; i < 4; ++i) {
        static const int steps[] = {-2, -1, 1, 2};
        *x = at + steps[i] * h;
        cost[i] = cost_of(net);
    }
    *x = at;
    return (cost[0] - 8 * cost[1] + 8 * cost[2] - cost[3]) / (12 * h);
}

/* Darknet's updates and deltas are negative gradients. */
static void assert_gradient(network *net, const char *what, int layer, float *x, const float *negative, size_t n)
{
    double largest = 0;
    size_t i;
    for (i = 0; i < n; ++i)
        if (fabs(negative[i]) > largest) largest = fabs(negative[i]);
    assert_true(largest > 1e-3); /* or nothing was shown */
    for (i = 0; i < n; ++i) {
        double expected = slope(net, x + i);
        if (fabs(-negative[i] - expected) > 1e-3 * largest + 2e-4)
            fail_msg("layer %d, %s %d: gradient %g, by finite differences %g", layer, what, (int)i, -negative[i],
                     expected);
    }
}

/* Compares the gradient by every weight, bias and input with finite differences of the cost. */
static void assert_gradients(network *net)
{
    float *by_input = (float *)calloc(net->inputs * net->batch, sizeof(float));
    int i;
    put_batch(net, 0);
    net->delta = by_input;
    forward(net);
    backward(net);
    net->delta = 0;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        size_t weights = weights_of(l), biases = biases_of(l);
        float *updates;
        if (!weights) continue;
        updates = (float *)malloc((weights + biases) * sizeof(float));
        memcpy(updates, l.weight_updates, weights * sizeof(float));
        memcpy(updates + weights, l.bias_updates, biases * sizeof(float));
        assert_gradient(net, "weight", i, l.weights, updates, weights);
        assert_gradient(net, "bias", i, l.biases, updates + weights, biases);
        free(updates);
    }
    assert_gradient(net, "input", 0, net->input, by_input, net->inputs * net->batch);
    free(by_input);
    free_network(net);
}

/* Rows that are no special case. */
static void randomize_soft_labels(network *net)
{
    ols_state *state = state_of(net);
    uint32_t random = 5;
    int y, k;
    for (y = 0; y < state->classes; ++y) {
        float *row = state->soft + y * state->classes, sum = 0;
        for (k = 0; k < state->classes; ++k) sum += row[k] = uniform(&random);
        for (k = 0; k < state->classes; ++k) row[k] /= sum;
    }
}

/* Smooth activations: finite differences mean nothing across the kink of a leaky one. */
#define SMOOTH "activation=tanh\n"
#define START NET("6") "[convolutional]\nfilters=4\nsize=3\npad=1\n" SMOOTH
#define END "[connected]\noutput=5\nactivation=linear\n[ols]\n"

static void the_gradient_of_ols_through_a_network_is_that_of_the_cost_it_reports(void **state)
{
    static const char *const keys[] = {"smoothing=hard\n", "smoothing=ls\nepsilon=.2\n", "smoothing=ols\nalpha=.3\n",
                                       "alpha=1\nsoft_weight=1\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(keys); ++i) {
        network *net = network_of(11, START END "%s", 3, 1, 0., .1, keys[i]);
        if (state_of(net)) randomize_soft_labels(net);
        assert_gradients(net);
    }
}

/* A 1x1 convolution of unpatched Darknet overwrites the gradient that the branch around it has left in its input. */
static void the_gradient_of_a_shortcut_around_1x1_convolutions_survives(void **state)
{
    (void)state;
    assert_gradients(network_of(12,
                                START "[convolutional]\nfilters=5\nsize=1\n" SMOOTH
                                      "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n"
                                      "[shortcut]\nfrom=-3\nactivation=linear\n" END,
                                3, 1, 0., .1));
}

static void the_gradient_of_a_route_around_a_1x1_convolution_survives(void **state)
{
    (void)state;
    assert_gradients(network_of(13, START "[convolutional]\nfilters=3\nsize=1\n" SMOOTH "[route]\nlayers=-1,-2\n" END,
                                3, 1, 0., .1));
}

/* The block of ResNet that halves the picture: a 1x1 convolution of stride 2 beside a 3x3 one. Unpatched Darknet reads
 * the input of the former as if its stride were 1. */
static void a_1x1_convolution_of_stride_2_and_its_branch_have_the_gradient_of_the_cost(void **state)
{
    (void)state;
    assert_gradients(network_of(14,
                                START "[convolutional]\nfilters=3\nsize=1\nstride=2\nactivation=linear\n"
                                      "[route]\nlayers=-2\n"
                                      "[convolutional]\nfilters=3\nsize=3\nstride=2\npad=1\n" SMOOTH
                                      "[shortcut]\nfrom=-3\nactivation=linear\n" END,
                                3, 1, 0., .1));
}

/* The block of MobileNetV2. */
static void an_inverted_residual_block_has_the_gradient_of_the_cost(void **state)
{
    (void)state;
    assert_gradients(network_of(15,
                                START "[convolutional]\nfilters=6\nsize=1\n" SMOOTH
                                      "[convolutional]\nfilters=6\ngroups=6\nsize=3\npad=1\n" SMOOTH
                                      "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n"
                                      "[shortcut]\nfrom=-4\nactivation=linear\n" END,
                                2, 1, 0., .1));
}

/* out[y][x] = bias + weight in[2y][2x], on one channel. */
static void a_1x1_convolution_of_stride_2_takes_every_second_pixel(void **state)
{
    network *net = network_of(1, "[net]\nbatch=1\nwidth=5\nheight=3\nchannels=1\n[convolutional]\nfilters=1\nsize=1\n"
                                 "stride=2\nactivation=linear\n");
    static const float expected[] = {1, 7, 13, 31, 37, 43}; /* 3 in + 1 */
    int i;
    (void)state;
    for (i = 0; i < 15; ++i) net->input[i] = i;
    net->layers[0].weights[0] = 3;
    net->layers[0].biases[0] = 1;
    network_predict(net, net->input);
    assert_int_equal(net->outputs, 6);
    assert_same_bits("output", 0, net->output, expected, 6);
    free_network(net);
}

/* ---- [ols] against [softmax] ------------------------------------------------------------------------------------- */

/* Not bit for bit: the exponential is ours. */
static void hard_ols_trains_like_softmax(void **state)
{
    network *softmax = network_of(21, NORMALIZED_CLASSIFIER "[softmax]\n", 8, 2, .9, .05);
    network *ols = network_of(21, NORMALIZED_CLASSIFIER "[ols]\nsmoothing=hard\n", 8, 2, .9, .05);
    double first = 0;
    int i, j;
    (void)state;
    for (i = 0; i < 31; ++i) {
        iterate(softmax, i % 3);
        iterate(ols, i % 3);
        for (j = 0; j < ols->n; ++j) {
            layer a = softmax->layers[j], b = ols->layers[j];
            assert_near("output", a.output, b.output, (size_t)a.outputs * a.batch, 2e-4);
            assert_near("delta", a.delta, b.delta, (size_t)a.outputs * a.batch, 2e-4);
            assert_near("weights", a.weights, b.weights, weights_of(a), 2e-4);
            assert_near("biases", a.biases, b.biases, biases_of(a), 2e-4);
        }
        assert_close(*ols->cost, *softmax->cost, 1e-4 * *softmax->cost);
        if (i == 0) first = *ols->cost;
    }
    assert_true(*ols->cost < first / 2); /* on the same images: there was something to agree on */
    free_network(softmax);
    free_network(ols);
}

static void the_output_of_ols_is_that_of_softmax_without_truth(void **state)
{
    network *softmax = network_of(22, CLASSIFIER "[softmax]\ntemperature=2\n", 3, 1, .9, .1);
    network *ols = network_of(22, CLASSIFIER "[ols]\ntemperature=2\n", 3, 1, .9, .1);
    (void)state;
    put_batch(softmax, 0);
    network_predict(softmax, softmax->input);
    network_predict(ols, softmax->input);
    assert_same_bits("output", 3, softmax->output, ols->output, 3 * CLASSES);
    free_network(softmax);
    free_network(ols);
}

/* ---- The heads against themselves without the key ---------------------------------------------------------------- */

static void assert_hard_head_trains_like_plain(const char *head)
{
    network *plain = network_of(31, NET("8") TRUNK "%s", 6, 2, .9, .01, head);
    network *hard = network_of(31, NET("8") TRUNK "%ssmoothing=hard\n", 6, 2, .9, .01, head);
    int i;
    assert_null(last_layer(plain).label_smoothing);
    for (i = 0; i < 20; ++i) {
        iterate(plain, i);
        iterate(hard, i);
        assert_same_activations(plain, hard);
        assert_same_weights(plain, hard);
        assert_true(*plain->cost == *hard->cost);
    }
    free_network(plain);
    free_network(hard);
}

static void a_hard_yolo_head_trains_like_one_without_the_key_bit_for_bit(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain(YOLO_HEAD);
}

/* Nearly every prediction overlaps the object enough to be trained on it, besides the anchor that it is assigned to. */
static void a_hard_yolo_head_that_assigns_an_object_to_many_anchors_does_too(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain("[yolo]\nanchors=3,3\nnum=1\nclasses=3\nignore_thresh=.1\ntruth_thresh=.1\n");
}

static void a_hard_detection_head_trains_like_one_without_the_key_bit_for_bit(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain(DETECTION_HEAD);
    assert_hard_head_trains_like_plain(DETECTION_HEAD "softmax=1\n");
}

/* Unpatched Darknet trains no [region] on the CPU: its backward pass is empty there. So only the hard head trains, and
 * the plain one follows with its weights; compared is what the forward pass leaves: of the layers before the head only
 * outputs, as their gradients are stale until a backward pass. */
static void a_hard_region_head_has_the_deltas_of_one_without_the_key_bit_for_bit(void **state)
{
    int softmax, i, j;
    (void)state;
    for (softmax = 0; softmax < 2; ++softmax) {
        network *plain = network_of(32, NET("8") TRUNK REGION_HEAD "softmax=%d\n", 3, 1, 0., .01, softmax);
        network *hard =
            network_of(32, NET("8") TRUNK REGION_HEAD "softmax=%d\nsmoothing=hard\n", 3, 1, 0., .01, softmax);
        for (i = 0; i < 20; ++i) {
            for (j = 0; j < hard->n; ++j) {
                layer from = hard->layers[j], to = plain->layers[j];
                if (!weights_of(from)) continue;
                memcpy(to.weights, from.weights, weights_of(from) * sizeof(float));
                memcpy(to.biases, from.biases, biases_of(from) * sizeof(float));
                if (from.scales) memcpy(to.scales, from.scales, biases_of(from) * sizeof(float));
            }
            put_batch(plain, 3 * i);
            put_batch(hard, 3 * i);
            forward(plain);
            forward(hard);
            for (j = 0; j < hard->n; ++j) {
                layer a = plain->layers[j], b = hard->layers[j];
                assert_same_bits("output", j, a.output, b.output, (size_t)a.outputs * a.batch);
                if (j + 1 == hard->n) assert_same_bits("delta", j, a.delta, b.delta, (size_t)a.outputs * a.batch);
            }
            assert_true(*plain->cost == *hard->cost);
            backward(hard);
            update_network(hard);
        }
        free_network(plain);
        free_network(hard);
    }
}

/* ---- The heads against the equations ----------------------------------------------------------------------------- */

/* One cell whose eight numbers are the biases of a convolution with weights 0: what a head sees is known. lr 0 keeps it
 * so. Anchors are in pixels for [yolo] and in cells for [region]; the image is one pixel. */
#define ONE_CELL                                                                                                       \
    "[net]\nbatch=1\nwidth=1\nheight=1\nchannels=1\nmomentum=0\ndecay=0\nlearning_rate=0\n"                            \
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"
#define ONE_CELL_YOLO "[yolo]\nanchors=.5,.5\nnum=1\nclasses=3\n"

static network *one_cell(const char *head, const float *values)
{
    network *net = network_of(1, ONE_CELL "%s", head);
    layer l = net->layers[0];
    memset(l.weights, 0, 8 * sizeof(float));
    memcpy(l.biases, values, 8 * sizeof(float));
    net->input[0] = 1;
    return net;
}

static const struct {
    const char *section;
    int classes_at; /* of the eight numbers */
    float scale;    /* class_scale */
} heads[] = {
    {ONE_CELL_YOLO, 5, 1},
    {"[region]\nanchors=.5,.5\nnum=1\nclasses=3\ncoords=4\nclass_scale=2\n", 5, 2},
    {"[region]\nanchors=.5,.5\nnum=1\nclasses=3\ncoords=4\nclass_scale=2\nsoftmax=1\n", 5, 2},
    {"[detection]\nclasses=3\ncoords=4\nside=1\nnum=1\nclass_scale=3\n", 0, 3},
    {"[detection]\nclasses=3\ncoords=4\nside=1\nnum=1\nclass_scale=3\nsoftmax=1\n", 0, 3},
};

/* Eq. 2 with e = .3 and K = 3: q = .1 for a class, .8 for the true one. */
static void ls_trains_a_head_towards_equation_2(void **state)
{
    static const float values[8] = {.1f, .2f, -.3f, .4f, .5f, -.6f, .7f, -.2f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < COUNT(heads); ++h) {
        char section[512];
        network *net;
        layer l;
        snprintf(section, sizeof section, "%ssmoothing=ls\nepsilon=.3\n", heads[h].section);
        net = one_cell(section, values);
        l = last_layer(net);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
        forward(net);
        for (k = 0; k < 3; ++k) {
            float p = l.output[heads[h].classes_at + k], q = k == 1 ? .8f : .1f;
            assert_close(l.delta[heads[h].classes_at + k], heads[h].scale * (q - p), 1e-6);
        }
        assert_null(l.label_smoothing->state);
        free_network(net);
    }
}

/* alpha .5, so q = .5 onehot + .5 S[y]. */
static void ols_trains_a_head_towards_its_soft_labels_and_counts_its_scores(void **state)
{
    static const float values[8] = {.1f, .2f, .9f, .4f, .5f, -.6f, .7f, -.2f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < COUNT(heads); ++h) {
        /* the middle class is the largest in either layout, and no number is below 0 where nothing squashes it */
        static const float soft[9] = {.7f, .2f, .1f, .2f, .7f, .1f, .1f, .3f, .6f};
        char section[512];
        network *net;
        layer l;
        ols_state *s;
        float *scores;
        snprintf(section, sizeof section, "%ssmoothing=ols\nperiod=100\n", heads[h].section);
        net = one_cell(section, values);
        if (last_layer(net).type == DETECTION) net->layers[0].biases[1] = 1.5f, net->layers[0].biases[2] = .9f;
        l = last_layer(net);
        s = state_of(net);
        memcpy(s->soft, soft, sizeof soft);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
        forward(net);
        scores = l.output + heads[h].classes_at;
        for (k = 0; k < 3; ++k)
            assert_close(l.delta[heads[h].classes_at + k],
                         heads[h].scale * ((k == 1) * .5 + .5 * soft[3 + k] - scores[k]), 1e-6);
        assert_same_bits("A", 1, s->sums + 3, scores, 3);
        assert_int_equal(s->seen[1], 1);
        assert_int_equal(s->correct[1], 1);
        assert_int_equal(sum_of(s->seen, 3), 1);
        assert_int_equal(s->images, 1);
        free_network(net);
    }
}

/* Worked out by hand: the logits of the classes are 0, ln 3 and -ln 3, so that the scores are 1/2, 3/4, 1/4; all others
 * are 0. One object of class 1 fills the anchor: its box has delta 0, objectness 1 - 1/2.
 *
 * Step 1, S = 1/3: q = (1/6, 2/3, 1/6), delta = q - p = (-1/3, -1/12, 1/6 - 1/4 = -1/12).
 * cost = sum of squares = 1/4 + 16/144 + 1/144 + 1/144 = 3/8.
 * Class 1 has the largest score, so A[1] = p and S[1] = p / (3/2) = (1/3, 1/2, 1/6). Rows 0 and 2 are uniform again.
 * Step 2: q = 1/2 (0 1 0) + 1/2 S[1] = (1/6, 3/4, 1/12), delta = (-1/3, 0, -1/6), cost = 1/4 + 1/9 + 1/36 = 7/18.
 */
static void a_yolo_head_takes_the_two_steps_worked_out_by_hand(void **state)
{
    static const double deltas[2][3] = {{-1 / 3., -1 / 12., -1 / 12.}, {-1 / 3., 0, -1 / 6.}};
    static const double soft[9] = {1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 2., 1 / 6., 1 / 3., 1 / 3., 1 / 3.};
    const float ln3 = (float)log(3), values[8] = {0, 0, 0, 0, 0, 0, ln3, -ln3};
    network *net = one_cell(ONE_CELL_YOLO "smoothing=ols\nperiod=1\n", values);
    layer l = last_layer(net);
    int i, k;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
    for (i = 0; i < 2; ++i) {
        hush();
        train_network_datum(net);
        unhush();
        for (k = 0; k < 4; ++k) assert_close(l.delta[k], 0, 1e-6);
        assert_close(l.delta[4], .5, 1e-6);
        for (k = 0; k < 3; ++k) assert_close(l.delta[5 + k], deltas[i][k], 1e-6);
        assert_close(*net->cost, i ? 7 / 18. : 3 / 8., 1e-6);
        for (k = 0; k < 9; ++k) assert_close(state_of(net)->soft[k], soft[k], 1e-6);
        assert_int_equal(state_of(net)->updates, i + 1);
    }
    free_network(net);
}

static void a_head_that_scores_another_class_higher_counts_as_wrong(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, 1, 2, 0};
    network *net = one_cell(ONE_CELL_YOLO "smoothing=ols\nperiod=100\n", values);
    ols_state *s = state_of(net);
    int k;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
    forward(net);
    assert_int_equal(s->seen[0], 1);
    assert_int_equal(s->correct[0], 0);
    for (k = 0; k < 9; ++k) assert_true(s->sums[k] == 0);
    free_network(net);
}

/* As Darknet does with hard labels: the second object takes the larger target of every class, so that neither pulls
 * down what the other raises. Of the softmax of [region] the second object is all there is. */
static void two_objects_of_different_classes_share_an_anchor(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, .4f, .2f, -.1f};
    /* e = .3: class 0 has (.8 .1 .1), class 2 (.1 .1 .8) */
    static const float merged[3] = {.8f, .1f, .8f}, second[3] = {.1f, .1f, .8f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < 3; ++h) {
        char section[512];
        network *net;
        layer l;
        snprintf(section, sizeof section, "%ssmoothing=ls\nepsilon=.3\n", heads[h].section);
        net = one_cell(section, values);
        l = last_layer(net);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
        put_object(net, net->truth, 1, .5, .5, .5, .5, 2);
        forward(net);
        for (k = 0; k < 3; ++k)
            assert_close(l.delta[5 + k], heads[h].scale * ((l.softmax ? second : merged)[k] - l.output[5 + k]), 1e-6);
        free_network(net);
    }
}

/* On the CPU Darknet leaves this pass empty; its GPU twin multiplies the deltas of x, y and objectness by the slope of
 * their logistic activation and leaves the others alone. */
static void the_backward_pass_of_a_region_with_smoothing_is_that_of_darknets_gpu(void **state)
{
    int softmax, i;
    (void)state;
    for (softmax = 0; softmax < 2; ++softmax) {
        network *net = network_of(33, NET("8") TRUNK REGION_HEAD "softmax=%d\nsmoothing=ls\n", 2, 1, 0., .01, softmax);
        layer l = last_layer(net);
        int n = l.batch * l.outputs, location = l.w * l.h;
        float *delta = (float *)malloc(n * sizeof(float));
        put_batch(net, 0);
        forward(net);
        memcpy(delta, l.delta, n * sizeof(float));
        backward(net);
        for (i = 0; i < n; ++i) {
            int entry = i / location % 8; /* x, y, w, h, objectness, three classes */
            float y = l.output[i], squashed = entry < 2 || entry == 4 ? y * (1 - y) : 1;
            /* the convolution before it is linear, so its delta is what arrived */
            assert_close(net->layers[net->n - 2].delta[i], delta[i] * squashed, 1e-6);
        }
        free(delta);
        free_network(net);
    }
}

/* ---- Objects and statistics -------------------------------------------------------------------------------------- */

static void an_object_trained_at_many_anchors_counts_once(void **state)
{
    /* truth_thresh 0: every prediction that touches the object is trained on it */
    network *net = network_of(41,
                              NET("8") TRUNK "[yolo]\nanchors=3,3, 6,6\nmask=0\nnum=2\nclasses=3\ntruth_thresh=0\n"
                                             "smoothing=ols\nperiod=100\n",
                              1, 1, 0., .1);
    layer l = last_layer(net);
    ols_state *s = state_of(net);
    int i, trained = 0;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .4, .4, 2);
    forward(net);
    for (i = 0; i < l.w * l.h; ++i) trained += l.delta[5 * l.w * l.h + i] != 0;
    assert_true(trained > 1);
    assert_int_equal(s->seen[2], 1);
    assert_int_equal(sum_of(s->seen, 3), 1);
    forward(net); /* the next image is another one */
    assert_int_equal(s->seen[2], 2);
    free_network(net);
}

static void an_object_in_two_heads_with_overlapping_masks_counts_once(void **state)
{
    network *net = network_of(42, NET("16") THREE_HEADS("smoothing=ols\nperiod=100\n"), 2, 1, 0., .1);
    int heads_at[] = {2, 6, 9}, trained[3] = {0}, h, i;
    ols_state *s = state_of(net);
    (void)state;
    /* 5 of 16 pixels: anchor 1, which the first two heads have */
    put_object(net, net->truth, 0, .5f, .5f, 5 / 16.f, 5 / 16.f, 1);
    /* the second image has it twice, with two classes */
    put_object(net, net->truth + net->truths, 0, .5f, .5f, 5 / 16.f, 5 / 16.f, 1);
    put_object(net, net->truth + net->truths, 1, .5f, .5f, 5 / 16.f, 5 / 16.f, 0);
    forward(net);
    for (h = 0; h < 3; ++h) {
        layer l = net->layers[heads_at[h]];
        for (i = 0; i < l.outputs; ++i) trained[h] += l.delta[i] > 0;
    }
    assert_true(trained[0] > 0 && trained[1] > 0);
    assert_int_equal(trained[2], 0);
    assert_int_equal(s->seen[1], 2);
    assert_int_equal(s->seen[0], 1);
    assert_int_equal(sum_of(s->seen, 3), 3);
    free_network(net);
}

static void three_heads_share_one_state_that_counts_images_and_iterations_once(void **state)
{
    network *net = network_of(43, NET("16") THREE_HEADS("smoothing=ols\nperiod=2\n"), 4, 2, 0., .01);
    ols_state *s = net->layers[2].label_smoothing->state;
    (void)state;
    assert_non_null(s);
    assert_ptr_equal(net->layers[6].label_smoothing->state, s);
    assert_ptr_equal(net->layers[9].label_smoothing->state, s);
    assert_ptr_equal(soft_labels_owner(net, 0), net->layers[2].label_smoothing);
    assert_null(soft_labels_owner(net, 1));
    iterate(net, 0);
    assert_int_equal(s->images, 4);
    assert_int_equal(s->iterations, 1);
    assert_int_equal(s->updates, 0);
    iterate(net, 1);
    assert_int_equal(s->updates, 1);
    assert_int_equal(s->iterations, 0);
    assert_int_equal(sum_of(s->seen, 3), 0);
    free_network(net);
}

/* `max=` of [region] is the only bound that Darknet reads nowhere else: 30 objects are read all the same. */
static void an_object_past_max_still_counts(void **state)
{
    network *net = network_of(44, NET("8") TRUNK REGION_HEAD "max=1\nsmoothing=ols\nperiod=100\n", 1, 1, 0., .1);
    (void)state;
    put_object(net, net->truth, 0, .3f, .3f, .4f, .4f, 0);
    put_object(net, net->truth, 1, .7f, .7f, .4f, .4f, 1);
    put_object(net, net->truth, 2, .7f, .3f, .4f, .4f, 2);
    forward(net);
    assert_int_equal(sum_of(state_of(net)->seen, 3), 3);
    free_network(net);
}

static void forward_in_child(void *net)
{
    ((network *)net)->train = 1;
    forward_network((network *)net);
}

static void a_class_out_of_range_in_a_label_file_ends_with_one_line(void **state)
{
    static const char *const names[] = {"[yolo]", "[region]", "[region]"};
    static const float values[8] = {0};
    size_t h;
    (void)state;
    for (h = 0; h < 3; ++h) {
        static const int labels[] = {3, -1};
        size_t i;
        for (i = 0; i < COUNT(labels); ++i) {
            char section[512], words[4096], expected[256];
            network *net;
            snprintf(section, sizeof section, "%ssmoothing=ls\n", heads[h].section);
            net = one_cell(section, values);
            put_object(net, net->truth, 0, .5, .5, .5, .5, labels[i]);
            snprintf(
                expected, sizeof expected,
                "darknet: %s (layer 1): an object has class %d, but classes=3 allows 0 to 2: check the label files "
                "of the training list\n",
                names[h], labels[i]);
            assert_int_equal(status_of(forward_in_child, net, words, sizeof words), 1);
            assert_string_equal(words, expected);
            free_network(net);
        }
    }
}

/* ---- Epochs ------------------------------------------------------------------------------------------------------ */

#define EPOCH CLASSIFIER "[ols]\n"

/* 6 images an iteration in 3 parts, 16 an epoch: updates after 18, 36 (20 = 18 + 2 over: 16 more are 34), 48 ... */
static void an_update_comes_when_an_epoch_of_images_was_seen_and_the_rest_is_carried_over(void **state)
{
    network *net = network_of(51, EPOCH, 6, 3, 0., .05);
    ols_state *s = state_of(net);
    int i, part, seen = 0, epoch = 16;
    (void)state;
    begin(&net, 1, epoch, CLASSES, 0);
    for (i = 0; i < 12; ++i) {
        for (part = 0; part < 3; ++part) {
            int before = (int)s->updates;
            assert_int_equal(before, seen / epoch); /* of the iterations that are complete */
            step(net, 6 * i + 2 * part);
            /* in the middle of an iteration nothing is updated, though an epoch may be over */
            if (part < 2) assert_int_equal(s->updates, before);
        }
        seen += 6;
        assert_int_equal(s->updates, seen / epoch);
        assert_int_equal(s->images, seen % epoch);
    }
    free_network(net);
}

static void a_batch_larger_than_the_list_updates_once_and_stays_in_step(void **state)
{
    network *net = network_of(52, EPOCH, 8, 1, 0., .05);
    ols_state *s = state_of(net);
    int i;
    (void)state;
    begin(&net, 1, 3, CLASSES, 0);
    for (i = 0; i < 4; ++i) {
        iterate(net, i);
        assert_int_equal(s->updates, i + 1);
        assert_int_equal(s->iterations, 0);
        assert_true(s->images < 3);
    }
    free_network(net);
}

static void a_period_counts_iterations_and_needs_no_trainer(void **state)
{
    network *net = network_of(53, EPOCH "period=3\n", 4, 2, 0., .05);
    ols_state *s = state_of(net);
    int i;
    (void)state;
    for (i = 0; i < 10; ++i) {
        iterate(net, i);
        assert_int_equal(s->updates, (i + 1) / 3);
        assert_int_equal(s->iterations, (i + 1) % 3);
    }
    free_network(net);
}

static void train_in_child(void *net)
{
    put_batch((network *)net, 0);
    train_network_datum((network *)net);
}

static void an_epoch_without_a_trainer_ends_with_one_line(void **state)
{
    network *net = network_of(54, EPOCH, 2, 1, 0., .05);
    char words[4096];
    (void)state;
    assert_int_equal(status_of(train_in_child, net, words, sizeof words), 1);
    assert_int_equal(strncmp(words, "darknet: [ols] (layer 3): period=epoch needs a trainer", 54), 0);
    assert_ptr_equal(strchr(words, '\n'), words + strlen(words) - 1);
    free_network(net);
}

static void an_update_prints_one_line_with_the_names_of_the_classes(void **state)
{
    network *net = network_of(55, EPOCH, 8, 1, 0., .05);
    const char *line;
    int i, correct;
    (void)state;
    write_file("names", "apple\nbread\ncheese\ndates\negg\n");
    begin(&net, 1, 40, CLASSES, in_folder("names"));
    for (i = 0; i < 4; ++i) {
        iterate(net, i);
        assert_null(strstr(said(), "soft labels"));
    }
    iterate(net, 4);
    line = strstr(said(), "[ols] soft labels, epoch 1: ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "[ols] soft labels, epoch 1: %d/37 correct", &correct), 1); /* 3 of 40 unlabelled */
    assert_non_null(strstr(line, "/37 correct ("));
    assert_non_null(strstr(line, "mean S[y][y] "));
    assert_non_null(strstr(line, "mean entropy "));
    assert_non_null(strstr(line, ", strongest: "));
    assert_true(strstr(line, "apple -> ") || strstr(line, "bread -> ") || strstr(line, "cheese -> ") ||
                strstr(line, "dates -> ") || strstr(line, "egg -> "));
    assert_non_null(strstr(line, "(3 images had no single label)"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    free_network(net);
}

/* ---- Checkpoints ------------------------------------------------------------------------------------------------- */

/* momentum is 0 in these networks because Darknet does not save it: with momentum any resumed run differs. */
static void assert_resumes(const char *format, int epoch, int classes)
{
    network *whole = network_of(61, format, 6, 2, 0., .02), *first = network_of(61, format, 6, 2, 0., .02), *second;
    int i;
    begin(&whole, 1, epoch, classes, 0);
    begin(&first, 1, epoch, classes, 0);
    for (i = 0; i < 9; ++i) iterate(whole, i);
    for (i = 0; i < 5; ++i) iterate(first, i);
    assert_true(state_of(first)->images > 0 && state_of(first)->updates > 0); /* in the middle of a later epoch */
    assert_true(sum_of(state_of(first)->correct, classes) > 0);
    save(first, "a.weights");
    second = network_from(in_folder("a.weights"), 0, format, 6, 2, 0., .02);
    begin(&second, 1, epoch, classes, 0);
    assert_same_state(state_of(first), state_of(second));
    for (; i < 9; ++i) iterate(second, i);
    assert_true(state_of(whole)->updates > state_of(first)->updates);
    assert_same_state(state_of(whole), state_of(second));
    assert_same_weights(whole, second);
    assert_same_activations(whole, second);
    assert_int_equal(*whole->seen, *second->seen);
    free_network(whole);
    free_network(first);
    free_network(second);
}

static void a_run_cut_in_the_middle_of_an_epoch_goes_on_as_if_it_had_not_been(void **state)
{
    (void)state;
    assert_resumes(EPOCH, 20, CLASSES);
    assert_resumes(EPOCH "init=zero\nempty=keep\nfreeze=.5\n", 20, CLASSES);
    assert_resumes(EPOCH "period=4\n", 20, CLASSES);
    assert_resumes(NET("8") TRUNK YOLO_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("8") TRUNK REGION_HEAD "softmax=1\nsmoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("8") TRUNK DETECTION_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("16") THREE_HEADS("smoothing=ols\n"), 20, HEAD_CLASSES);
}

static void every_ols_layer_of_a_network_has_soft_labels_of_its_own_in_the_file(void **state)
{
#define TWO CLASSIFIER "[ols]\nperiod=2\n[route]\nlayers=-2\n[ols]\nperiod=3\n"
    network *net = network_of(62, TWO, 4, 1, 0., .05), *loaded;
    ols_state *read;
    int i;
    (void)state;
    for (i = 0; i < 4; ++i) iterate(net, i);
    save(net, "a.weights");
    loaded = network_from(in_folder("a.weights"), 0, TWO, 4, 1, 0., .05);
    for (i = 0; i < 2; ++i) {
        assert_int_equal(soft_labels_owner(net, i)->state->updates, i ? 1 : 2);
        assert_same_state(soft_labels_owner(net, i)->state, soft_labels_owner(loaded, i)->state);
        read = checkpoint_read_soft_labels(in_folder("a.weights"), i);
        assert_same_state(soft_labels_owner(net, i)->state, read);
        ols_free_state(read);
    }
    assert_null(soft_labels_owner(net, 2));
    free_network(net);
    free_network(loaded);
}

static void clear_forgets_the_soft_labels_and_the_position(void **state)
{
    network *fresh = network_of(63, EPOCH, 6, 2, 0., .05), *net = network_of(63, EPOCH, 6, 2, 0., .05), *cleared;
    int i;
    (void)state;
    begin(&net, 1, 16, CLASSES, 0);
    for (i = 0; i < 5; ++i) iterate(net, i);
    save(net, "a.weights");
    cleared = network_from(in_folder("a.weights"), 1, EPOCH, 6, 2, 0., .05);
    assert_same_state(state_of(cleared), state_of(fresh));
    assert_int_equal(*cleared->seen, 0);
    assert_memory_equal(cleared->layers[2].weights, net->layers[2].weights, weights_of(net->layers[2]) * sizeof(float));
    free_network(fresh);
    free_network(net);
    free_network(cleared);
}

/* ---- Replicas ---------------------------------------------------------------------------------------------------- */

/* The network that replicas are compared with: it sees their images as `subdivisions` parts. Learning rate 0, because
 * on the CPU nobody averages the weights of the replicas. */
static network *network_for_all(int n, const char *keys)
{
    return network_of(71, CLASSIFIER "[ols]\n%s", 4 * n, n, 0., 0., keys);
}

/* Iteration i of n replicas of batch 4. */
static void iterate_replicas(network **nets, int n, int i)
{
    int r;
    for (r = 0; r < n; ++r) step(nets[r], 4 * (i * n + r));
    merge(nets, n);
}

/* The replicas share S, and their sums are those of the one. */
static void assert_replicas_are(network *one, network **nets, int n)
{
    int r, copied = -1;
    ols_state *sum = train_gather(soft_labels_owner(nets[0], 0), &copied);
    assert_non_null(sum);
    assert_int_equal(copied, 1);
    assert_state_near(sum, state_of(one));
    ols_free_state(sum);
    for (r = 1; r < n; ++r) {
        assert_same_bits("S", r, state_of(nets[r])->soft, state_of(nets[0])->soft, CLASSES * CLASSES);
        assert_same_bits("weight", r, state_of(nets[r])->weight, state_of(nets[0])->weight, CLASSES);
        assert_int_equal(state_of(nets[r])->updates, state_of(nets[0])->updates);
    }
}

static void free_replicas(network **nets, int n)
{
    while (n--) free_network(nets[n]);
}

static void assert_replicas_learn_what_one_network_learns(int n, int epoch, const char *keys)
{
    network *one = network_for_all(n, keys), *nets[3], *resumed[3];
    ols_state *before[3], *saved, *sum;
    int i, r, copied;
    for (r = 0; r < n; ++r) nets[r] = network_of(71, CLASSIFIER "[ols]\n%s", 4, 1, 0., 0., keys);
    begin(&one, 1, epoch, CLASSES, 0);
    begin(nets, n, epoch, CLASSES, 0);
    for (i = 0; i < 5; ++i) {
        iterate(one, i);
        iterate_replicas(nets, n, i);
        assert_replicas_are(one, nets, n);
    }
    assert_true(state_of(one)->updates > 0);
    assert_true(sum_of(state_of(one)->correct, CLASSES) > 0);

    /* A checkpoint in the middle of an epoch holds what all of them have seen, and leaves them as they are. */
    for (r = 0; r < n; ++r) before[r] = copy_of(state_of(nets[r]));
    save(nets[0], "a.weights");
    for (r = 0; r < n; ++r) {
        assert_same_state(state_of(nets[r]), before[r]);
        ols_free_state(before[r]);
    }
    saved = checkpoint_read_soft_labels(in_folder("a.weights"), 0);
    assert_state_near(saved, state_of(one));

    /* Every replica loads it, but what it holds counts once. */
    for (r = 0; r < n; ++r)
        resumed[r] = network_from(in_folder("a.weights"), 0, CLASSIFIER "[ols]\n%s", 4, 1, 0., 0., keys);
    begin(resumed, n, epoch, CLASSES, 0);
    sum = train_gather(soft_labels_owner(resumed[0], 0), &copied);
    assert_same_state(sum, saved);
    ols_free_state(sum);
    ols_free_state(saved);

    for (; i < 12; ++i) {
        iterate(one, i);
        iterate_replicas(nets, n, i);
        iterate_replicas(resumed, n, i);
        assert_replicas_are(one, nets, n);
        assert_replicas_are(one, resumed, n);
    }
    assert_true(state_of(one)->updates > 1);
    free_network(one);
    free_replicas(nets, n);
    free_replicas(resumed, n);
}

static void replicas_learn_the_soft_labels_of_one_network_that_sees_everything(void **state)
{
    (void)state;
    assert_replicas_learn_what_one_network_learns(2, 26, "");
    assert_replicas_learn_what_one_network_learns(3, 40, "");
    assert_replicas_learn_what_one_network_learns(2, 26, "period=4\n");
    assert_replicas_learn_what_one_network_learns(3, 40, "period=2\n");
}

static void replicas_of_a_detector_share_what_their_heads_learn(void **state)
{
    network *nets[2];
    int i, r;
    (void)state;
    for (r = 0; r < 2; ++r) nets[r] = network_of(72, NET("16") THREE_HEADS("smoothing=ols\n"), 4, 1, 0., 0.);
    begin(nets, 2, 16, HEAD_CLASSES, 0);
    for (i = 0; i < 2; ++i) {
        assert_int_equal(state_of(nets[0])->updates, 0);
        iterate_replicas(nets, 2, i);
    }
    for (r = 0; r < 2; ++r) {
        assert_int_equal(state_of(nets[r])->updates, 1);
        assert_int_equal(sum_of(state_of(nets[r])->seen, HEAD_CLASSES), 0);
        assert_ptr_equal(nets[r]->layers[9].label_smoothing->state, state_of(nets[r]));
    }
    assert_same_bits("S", 0, state_of(nets[0])->soft, state_of(nets[1])->soft, HEAD_CLASSES * HEAD_CLASSES);
    free_replicas(nets, 2);
}

/* A sanitized build sees what this one is about. */
static void replicas_can_be_freed_first_to_last(void **state)
{
    network *nets[2];
    int r;
    (void)state;
    for (r = 0; r < 2; ++r) nets[r] = network_of(73, EPOCH, 4, 1, 0., 0.);
    begin(nets, 2, 16, CLASSES, 0);
    for (r = 0; r < 2; ++r) free_network(nets[r]);
}

/* ---- Outside of training ----------------------------------------------------------------------------------------- */

static void inference_and_validation_leave_the_statistics_alone(void **state)
{
    static const char *const formats[] = {EPOCH, NET("8") TRUNK YOLO_HEAD "smoothing=ols\n",
                                          NET("8") TRUNK REGION_HEAD "smoothing=ols\n",
                                          NET("8") TRUNK DETECTION_HEAD "smoothing=ols\n"};
    size_t f;
    (void)state;
    for (f = 0; f < COUNT(formats); ++f) {
        network *net = network_of(81, formats[f], 4, 1, 0., .01);
        ols_state *before;
        int batch = net->batch;
        begin(&net, 1, 100, 0, 0);
        iterate(net, 0);
        before = copy_of(state_of(net));
        put_batch(net, 4);

        hush();
        set_batch_network(net, 1);
        network_predict(net, net->input); /* truth is NULL in it, train 0 */
        unhush();
        assert_same_state(state_of(net), before);

        hush();
        set_batch_network(net, batch);
        net->train = 0;
        forward_network(net); /* with truth, as a validation that wants the loss has it */
        unhush();
        assert_same_state(state_of(net), before);

        iterate(net, 1);
        assert_int_equal(state_of(net)->images, 8);
        ols_free_state(before);
        free_network(net);
    }
}

static void a_network_loaded_to_predict_works_with_a_batch_of_one(void **state)
{
    network *net = network_of(82, EPOCH, 4, 1, 0., .05), *one;
    float batch[4 * CLASSES];
    int b;
    (void)state;
    put_batch(net, 0);
    network_predict(net, net->input);
    memcpy(batch, net->output, sizeof batch);
    save(net, "a.weights");
    one = network_from(in_folder("a.weights"), 0, EPOCH, 4, 1, 0., .05);
    set_batch_network(one, 1);
    for (b = 0; b < 4; ++b) {
        float sum = 0;
        int k;
        put_batch(net, 0);
        network_predict(one, net->input + b * net->inputs);
        assert_near("output", one->output, batch + b * CLASSES, CLASSES, 1e-6);
        for (k = 0; k < CLASSES; ++k) sum += one->output[k];
        assert_close(sum, 1, 1e-5);
    }
    free_network(net);
    free_network(one);
}

static void a_network_that_is_resized_keeps_its_soft_labels_and_goes_on(void **state)
{
    static const char *const formats[] = {
        NET("8") "[convolutional]\nfilters=5\nsize=3\npad=1\nactivation=leaky\n[avgpool]\n[ols]\n",
        NET("8") TRUNK YOLO_HEAD "smoothing=ols\n", NET("8") TRUNK REGION_HEAD "smoothing=ols\n",
        NET("16") THREE_HEADS("smoothing=ols\n")};
    static const int sides[] = {16, 24, 8};
    size_t f, i;
    (void)state;
    for (f = 0; f < COUNT(formats); ++f) {
        network *net = network_of(83, formats[f], 4, 2, 0., .01);
        begin(&net, 1, 100, 0, 0);
        iterate(net, 0);
        for (i = 0; i < COUNT(sides); ++i) {
            ols_state *before = copy_of(state_of(net));
            hush();
            resize_network(net, sides[i], sides[i]);
            unhush();
            assert_same_state(state_of(net), before);
            iterate(net, (int)i + 1);
            assert_int_equal(state_of(net)->images, before->images + 4);
            assert_true(sum_of(state_of(net)->seen, state_of(net)->classes) > sum_of(before->seen, before->classes));
            ols_free_state(before);
        }
        free_network(net);
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, after_test)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_gradient_of_ols_through_a_network_is_that_of_the_cost_it_reports),
        TEST(the_gradient_of_a_shortcut_around_1x1_convolutions_survives),
        TEST(the_gradient_of_a_route_around_a_1x1_convolution_survives),
        TEST(a_1x1_convolution_of_stride_2_and_its_branch_have_the_gradient_of_the_cost),
        TEST(an_inverted_residual_block_has_the_gradient_of_the_cost),
        TEST(a_1x1_convolution_of_stride_2_takes_every_second_pixel),
        TEST(hard_ols_trains_like_softmax),
        TEST(the_output_of_ols_is_that_of_softmax_without_truth),
        TEST(a_hard_yolo_head_trains_like_one_without_the_key_bit_for_bit),
        TEST(a_hard_yolo_head_that_assigns_an_object_to_many_anchors_does_too),
        TEST(a_hard_detection_head_trains_like_one_without_the_key_bit_for_bit),
        TEST(a_hard_region_head_has_the_deltas_of_one_without_the_key_bit_for_bit),
        TEST(ls_trains_a_head_towards_equation_2),
        TEST(ols_trains_a_head_towards_its_soft_labels_and_counts_its_scores),
        TEST(a_yolo_head_takes_the_two_steps_worked_out_by_hand),
        TEST(a_head_that_scores_another_class_higher_counts_as_wrong),
        TEST(two_objects_of_different_classes_share_an_anchor),
        TEST(the_backward_pass_of_a_region_with_smoothing_is_that_of_darknets_gpu),
        TEST(an_object_trained_at_many_anchors_counts_once),
        TEST(an_object_in_two_heads_with_overlapping_masks_counts_once),
        TEST(three_heads_share_one_state_that_counts_images_and_iterations_once),
        TEST(an_object_past_max_still_counts),
        TEST(a_class_out_of_range_in_a_label_file_ends_with_one_line),
        TEST(an_update_comes_when_an_epoch_of_images_was_seen_and_the_rest_is_carried_over),
        TEST(a_batch_larger_than_the_list_updates_once_and_stays_in_step),
        TEST(a_period_counts_iterations_and_needs_no_trainer),
        TEST(an_epoch_without_a_trainer_ends_with_one_line),
        TEST(an_update_prints_one_line_with_the_names_of_the_classes),
        TEST(a_run_cut_in_the_middle_of_an_epoch_goes_on_as_if_it_had_not_been),
        TEST(every_ols_layer_of_a_network_has_soft_labels_of_its_own_in_the_file),
        TEST(clear_forgets_the_soft_labels_and_the_position),
        TEST(replicas_learn_the_soft_labels_of_one_network_that_sees_everything),
        TEST(replicas_of_a_detector_share_what_their_heads_learn),
        TEST(replicas_can_be_freed_first_to_last),
        TEST(inference_and_validation_leave_the_statistics_alone),
        TEST(a_network_loaded_to_predict_works_with_a_batch_of_one),
        TEST(a_network_that_is_resized_keeps_its_soft_labels_and_goes_on),
    };
    const char *threads = getenv("OMP_NUM_THREADS");
    (void)argc;
    /* One thread: the networks are tiny, and a forked child has none of its parent's. It is read when the program
     * starts, so start again. */
    if (!threads || strcmp(threads, "1")) {
        setenv("OMP_NUM_THREADS", "1", 1);
        execv("/proc/self/exe", argv);
    }
    gpu_index = -1; /* what a GPU does is compared with this elsewhere */
    keep_last_words();
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
