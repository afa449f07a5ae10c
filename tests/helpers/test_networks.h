/* Shared by the tests of whole Darknet networks, on the CPU: networks of a few hundred weights, their images, training
 * step by step, and comparing two networks or their soft labels.
 *
 * Image number i is always the same, so that one stream of images can be divided freely into batches, subdivisions,
 * replicas and resumed runs.
 */
#ifndef TEST_NETWORKS_H
#define TEST_NETWORKS_H

#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"
#include "layers/label_smoothing.h"
#include "train/epochs.h"

#include <darknet.h>

#include <string.h>
#include <sys/wait.h>

/* Teardown of a test; also restores the output after a test that was ended by a signal. */
static inline int after_test(void **state)
{
    (void)state;
    show_last_words();
    return 0;
}

static inline int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_networks");
}

static inline int remove_folder(void **state)
{
    static const char *const names[] = {"words", "net.cfg", "names", "a.weights", "b.weights"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

static inline void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Runs `act` in a child process. Returns its exit status, and in `words` what it wrote to stderr. */
static inline int status_of(void (*act)(void *), void *argument, char *words, size_t size)
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

static inline char *write_cfg(const char *format, va_list args)
{
    char text[8192];
    assert_true(vsnprintf(text, sizeof text, format, args) < (int)sizeof text);
    write_file("net.cfg", text);
    return in_folder("net.cfg");
}

static inline float uniform(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return (float)(*random >> 8) / 16777216.f;
}

static inline size_t weights_of(layer l)
{
    return l.type == CONNECTED ? (size_t)l.inputs * l.outputs : l.type == CONVOLUTIONAL ? (size_t)l.nweights : 0;
}

static inline size_t biases_of(layer l)
{
    return l.type == CONNECTED ? l.outputs : l.type == CONVOLUTIONAL ? l.n : 0;
}

/* Draws the weights. Darknet's own initialisation is not reproducible: its generator of normal numbers stores one
 * number, which srand does not reset. */
static inline void draw_weights(network *net, uint32_t random)
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

/* The network of a cfg, with weights drawn from `seed`. */
static inline network *network_of(uint32_t seed, const char *format, ...)
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

/* The same with weights from a file; `clear` as Darknet's -clear. */
static inline network *network_from(char *weights, int clear, const char *format, ...)
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

static inline void save(network *net, const char *name)
{
    hush();
    save_weights(net, in_folder(name));
    unhush();
}

static inline void begin(network **nets, int n, int images, int classes, char *names)
{
    hush();
    train_begin(nets, n, images, classes, names);
    unhush();
}

static inline void merge(network **nets, int n)
{
    hush();
    all_reduce_soft_labels(nets, n);
    unhush();
}

static inline layer last_layer(network *net)
{
    return net->layers[net->n - 1];
}

static inline ols_state *state_of(network *net)
{
    return soft_labels_owner(net, 0)->state;
}

/* batch, subdivisions, momentum, learning rate */
#define NET(side) "[net]\n" NET_KEYS(side)
#define NET_KEYS(side)                                                                                                 \
    "batch=%d\nsubdivisions=%d\nwidth=" side "\nheight=" side "\nchannels=3\nmomentum=%g\ndecay=.0005\n"               \
    "learning_rate=%g\npolicy=constant\nmax_batches=1000\n"

enum { CLASSES = 5, HEAD_CLASSES = 3 };

/* A classifier without its last section. It has no batch normalisation, because that would make an image's output
 * depend on the other images of the batch, which differ between replicas. */
#define CLASSIFIER                                                                                                     \
    NET("8")                                                                                                           \
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                                          \
    "[convolutional]\nfilters=4\nsize=1\nactivation=leaky\n"                                                           \
    "[connected]\noutput=5\nactivation=linear\n"

#define NORMALIZED_CLASSIFIER NET("8") NORMALIZED_LAYERS

#define NORMALIZED_LAYERS                                                                                              \
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                       \
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=1\nactivation=leaky\n"                                        \
    "[connected]\noutput=5\nactivation=linear\n"

/* Layers before a detection head with 8 channels: 4 for the box, 1 for objectness, 3 classes; on a 4 x 4 grid for an
 * image of 8 x 8. */
#define TRUNK                                                                                                          \
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                       \
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"

#define YOLO_HEAD "[yolo]\nanchors=3,3\nnum=1\nclasses=3\nignore_thresh=.5\ntruth_thresh=1\nrandom=1\n"

#define REGION_HEAD                                                                                                    \
    "[region]\nanchors=1.5,1.5\nnum=1\nclasses=3\ncoords=4\nrescore=1\nthresh=.6\nobject_scale=5\nnoobject_scale=1\n"  \
    "class_scale=2\ncoord_scale=1\n"

#define DETECTION_HEAD                                                                                                 \
    "[detection]\nclasses=3\ncoords=4\nside=4\nnum=1\nsqrt=1\nnoobject_scale=.5\ncoord_scale=5\nclass_scale=2\n"

/* Three heads on grids of 8 x 8, 4 x 4 and 4 x 4; the first two of them have anchor 1. */
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

/* A classifier whose soft labels are updated after every epoch. */
#define EPOCH CLASSIFIER "[ols]\n"

/* ---- Images ------------------------------------------------------------------------------------------------------ */

static inline uint32_t random_of(int image)
{
    uint32_t random = 2654435761u * (uint32_t)(image + 1);
    uniform(&random);
    uniform(&random);
    return random;
}

/* An image of noise, brighter in a part that depends on the class, so that there is something to learn. Every eleventh
 * image has two classes, that is, no single label. */
static inline void put_classified_image(int image, int inputs, float *input, float *truth)
{
    uint32_t random = random_of(image);
    int i, label = (int)(uniform(&random) * CLASSES);
    for (i = 0; i < inputs; ++i) input[i] = uniform(&random) - .5f + (i * CLASSES / inputs == label);
    memset(truth, 0, CLASSES * sizeof(float));
    truth[label] = 1;
    if (image % 11 == 10) truth[(label + 1) % CLASSES] = 1;
}

/* Adds an object to the truth, in the form that the last layer reads. Boxes are fractions of the image; `slot` is the
 * number of the object. */
static inline void put_object(network *net, float *truth, int slot, float x, float y, float w, float h, int label)
{
    layer l = last_layer(net);
    if (l.type == DETECTION) {
        int column = (int)(x * l.side), row = (int)(y * l.side);
        float *cell = truth + (row * l.side + column) * (1 + 4 + l.classes);
        if (cell[0] != 0) return; /* a cell has at most one object */
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

/* An image of noise with three objects; the first two have different classes but the same box, and so the same
 * anchor. */
static inline void put_detected_image(network *net, int image, float *input, float *truth)
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

/* Fills the network's batch with images first, first + 1, ... */
static inline void put_batch(network *net, int first)
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

/* One forward and backward pass, and an update at the end of an iteration, as in train_network. */
static inline void step(network *net, int first)
{
    put_batch(net, first);
    hush();
    train_network_datum(net);
    unhush();
}

/* Iteration i: its images follow those of iteration i - 1. */
static inline void iterate(network *net, int i)
{
    int s;
    for (s = 0; s < net->subdivisions; ++s) step(net, (i * net->subdivisions + s) * net->batch);
}

/* A forward pass with train=1 over the current batch. */
static inline void forward(network *net)
{
    net->train = 1;
    hush();
    forward_network(net);
    unhush();
}

static inline void backward(network *net)
{
    hush();
    backward_network(net);
    unhush();
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static inline void assert_same_bits(const char *what, int layer, const float *a, const float *b, size_t n)
{
    size_t i;
    if (!a && !b) return;
    assert_true(a && b);
    if (!memcmp(a, b, n * sizeof *a)) return;
    for (i = 0; !memcmp(a + i, b + i, sizeof *a); ++i) {
    }
    fail_msg("layer %d: %s[%d] is %.9g in one and %.9g in the other", layer, what, (int)i, a[i], b[i]);
}

static inline void assert_same_weights(network *one, network *other)
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

static inline void assert_same_activations(network *one, network *other)
{
    int i;
    for (i = 0; i < one->n; ++i) {
        layer a = one->layers[i], b = other->layers[i];
        assert_same_bits("output", i, a.output, b.output, (size_t)a.outputs * a.batch);
        assert_same_bits("delta", i, a.delta, b.delta, (size_t)a.outputs * a.batch);
    }
}

static inline void assert_same_counts(const ols_state *a, const ols_state *b)
{
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->correct, b->correct, a->classes * sizeof *a->correct);
    assert_memory_equal(a->seen, b->seen, a->classes * sizeof *a->seen);
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->updates, b->updates);
    assert_int_equal(a->unlabelled, b->unlabelled);
}

static inline void assert_same_state(const ols_state *a, const ols_state *b)
{
    size_t square = (size_t)a->classes * a->classes;
    assert_same_counts(a, b);
    assert_same_bits("S", 0, a->S, b->S, square);
    assert_same_bits("A", 0, a->A, b->A, square);
    assert_same_bits("row_sum", 0, a->row_sum, b->row_sum, a->classes);
}

static inline void assert_near(const char *what, const float *a, const float *b, size_t n, double tolerance)
{
    size_t i;
    for (i = 0; i < n; ++i)
        if (!(fabs(a[i] - b[i]) <= tolerance))
            fail_msg("%s[%d] is %.9g in one and %.9g in the other", what, (int)i, a[i], b[i]);
}

/* Compares states whose sums were added in different orders. */
static inline void assert_state_near(const ols_state *a, const ols_state *b)
{
    size_t square = (size_t)a->classes * a->classes;
    assert_same_counts(a, b);
    assert_near("S", a->S, b->S, square, 1e-6);
    assert_near("A", a->A, b->A, square, 1e-5);
}

static inline ols_state *copy_of(const ols_state *state)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *copy = ols_new_state(state->classes, &options);
    size_t square = (size_t)state->classes * state->classes;
    assert_non_null(copy);
    memcpy(copy->S, state->S, square * sizeof(float));
    memcpy(copy->row_sum, state->row_sum, state->classes * sizeof(float));
    ols_add_statistics(copy, state);
    copy->updates = state->updates;
    return copy;
}

static inline int64_t sum_of(const int64_t *counts, int n)
{
    int64_t sum = 0;
    while (n--) sum += counts[n];
    return sum;
}

#define TEST(function) cmocka_unit_test_teardown(function, after_test)

#endif
