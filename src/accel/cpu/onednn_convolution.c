/* Keeps a cache of oneDNN's primitives by shape (onednn_primitives.h): layers of one shape share them, and a network
 * that is resized finds them again when it returns to a size. All shapes share one scratch buffer. */
#include "accel/cpu/onednn_convolution.h"

#ifdef ONEDNN

#include "accel/cpu/accel_cpu.h"
#include "accel/cpu/blocked_batchnorm.h"
#include "accel/cpu/blocked_layout.h"
#include "accel/cpu/layer_plan.h"
#include "accel/cpu/onednn_primitives.h"
#include "accel/cpu/piecewise_linear.h"
#include "base/error.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONVOLUTIONS = 1000 }; /* enough for a large network with ten sizes, in training and inference */

static convolution *convolutions;
static int convolution_count;
static char *scratch;
static size_t scratch_size;
/* Protects the variables above and onednn_primitives.c, as networks may run in several threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void forget_convolutions(void)
{
    pthread_mutex_lock(&lock);
    if (convolution_count > MAX_CONVOLUTIONS) {
        while (convolutions) {
            convolution *conv = convolutions;
            convolutions = conv->next;
            free_convolution(conv);
        }
        convolution_count = 0;
    }
    pthread_mutex_unlock(&lock);
}

/* Finds the convolution in the cache, or creates it. NULL if oneDNN has no fast code for the shape. Needs the lock. */
static convolution *find_convolution(layer l, int input_blocked, int output_blocked, convolution_purpose purpose)
{
    convolution_key key;
    convolution *conv;
    memset(&key, 0, sizeof key);
    key.batch = l.batch, key.c = l.c, key.h = l.h, key.w = l.w, key.n = l.n, key.groups = l.groups;
    key.size = l.size, key.stride = l.stride, key.pad = l.pad, key.out_h = l.out_h, key.out_w = l.out_w;
    key.input_blocked = input_blocked, key.output_blocked = output_blocked, key.purpose = purpose;
    key.activation = purpose == INFERENCE ? l.activation : LINEAR;
    for (conv = convolutions; conv && memcmp(&conv->key, &key, sizeof key); conv = conv->next) {
    }
    if (!conv) {
        conv = make_convolution(&key);
        conv->next = convolutions;
        convolutions = conv;
        ++convolution_count;
    }
    return conv->declined ? 0 : conv;
}

/* Returns the scratch buffer with at least `bytes` bytes, whose old contents are lost; NULL if memory runs out. */
static char *need_scratch(size_t bytes)
{
    if (bytes > scratch_size) {
        free(scratch);
        scratch = 0;
        scratch_size = 0;
        if (posix_memalign((void **)&scratch, 64, bytes)) return scratch = 0;
        scratch_size = bytes;
    }
    return scratch;
}

/* result = pass(source0, source1), or += if `add` is 1. */
static int run(convolution *conv, pass_kind kind, const float *source0, const float *source1, const float *bias,
               float *result, int add)
{
    const convolution_pass *pass = pass_of(conv, kind);
    char *bytes = pass ? need_scratch(scratch_bytes(pass)) : 0;
    return bytes ? run_pass(pass, source0, source1, bias, result, add, bytes) : -1;
}

/* Ends the program: once a pass has begun, Darknet's own code cannot take over. */
static void give_up(layer l)
{
    die("oneDNN failed in a convolution of %d filters %dx%d over %d x %d x %d (out of memory?); build with ONEDNN=0 to "
        "do without it",
        l.n, l.size, l.size, l.w, l.h, l.c);
}

/* Backward weights and backward data. input_delta: the gradient of the input, or NULL if it is not needed.
 * add_to_input: whether to add to it instead of overwriting it. */
static void run_backward(convolution *conv, layer l, const float *input, float *input_delta, int add_to_input)
{
    if (run(conv, BACKWARD_WEIGHTS, input, l.delta, 0, l.weight_updates, 1) ||
        (input_delta && run(conv, BACKWARD_DATA, l.delta, l.weights, 0, input_delta, add_to_input)))
        give_up(l);
}

/* ---- As Darknet's own layer calls them (accel_cpu.h) ------------------------------------------------------------- */

int accel_forward_convolution(layer l, network net)
{
    convolution *conv;
    int done;
    pthread_mutex_lock(&lock);
    conv = find_convolution(l, 0, 0, TRAINING);
    done = conv && !run(conv, FORWARD, net.input, l.weights, 0, l.output, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int accel_backward_convolution(layer l, network net)
{
    convolution *conv;
    pthread_mutex_lock(&lock);
    conv = find_convolution(l, 0, 0, TRAINING);
    if (conv) run_backward(conv, l, net.input, net.delta, 1);
    pthread_mutex_unlock(&lock);
    return conv != 0;
}

/* ---- As a plan has them ------------------------------------------------------------------------------------------ */

static convolution_purpose purpose_of(layer l, int train)
{
    return !train ? INFERENCE : l.batch_normalize ? TRAINING : TRAINING_WITH_BIAS;
}

int can_plan_convolution(layer l, int output_blocked, int train)
{
    int can;
    if (l.binary || l.xnor || !is_piecewise_linear(l.activation)) return 0;
    /* for training, both exist only in the blocked layout */
    if (train && !output_blocked && (l.batch_normalize || l.activation != LINEAR)) return 0;
    pthread_mutex_lock(&lock);
    can = find_convolution(l, 0, output_blocked, purpose_of(l, train)) != 0;
    pthread_mutex_unlock(&lock);
    return can;
}

/* Folds the batch normalisation of inference, (x - mean) scale / deviation + bias, into the weights and the bias. Fills
 * weights[l.nweights] and bias[l.n]. */
static void fold_normalization(layer l, float *weights, float *bias)
{
    int n = l.nweights / l.n, f, i;
    for (f = 0; f < l.n; ++f) {
        float scale = l.scales[f] / (sqrtf(l.rolling_variance[f]) + .000001f);
        for (i = 0; i < n; ++i) weights[f * n + i] = l.weights[f * n + i] * scale;
        bias[f] = l.biases[f] - l.rolling_mean[f] * scale;
    }
}

static int infer(convolution *conv, layer l, const float *input)
{
    const convolution_pass *pass = pass_of(conv, FORWARD);
    size_t weight_bytes = aligned_bytes(l.nweights * sizeof(float)), bias_bytes = aligned_bytes(l.n * sizeof(float));
    float *weights, *bias;
    if (!l.batch_normalize) return run(conv, FORWARD, input, l.weights, l.biases, l.output, 0);
    /* the folded weights and bias are at the start of the scratch buffer */
    if (!pass || !need_scratch(weight_bytes + bias_bytes + scratch_bytes(pass))) return -1;
    weights = (float *)scratch;
    bias = (float *)(scratch + weight_bytes);
    fold_normalization(l, weights, bias);
    return run_pass(pass, input, weights, bias, l.output, 0, scratch + weight_bytes + bias_bytes);
}

static size_t output_floats(layer l)
{
    return blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
}

void forward_planned_convolution(layer l, network net)
{
    const layer_plan *p = plan_of(net);
    convolution *conv;
    int failed;
    pthread_mutex_lock(&lock);
    conv = find_convolution(l, p->input_blocked, p->blocked, purpose_of(l, net.train));
    if (!net.train)
        failed = !conv || infer(conv, l, net.input);
    else
        failed = !conv || run(conv, FORWARD, net.input, l.weights, l.biases, l.batch_normalize ? l.x : l.output, 0);
    if (failed) give_up(l);
    pthread_mutex_unlock(&lock);
    if (!net.train) return;
    if (l.batch_normalize)
        forward_blocked_batchnorm(l);
    else
        accel_activate(l.output, (int)output_floats(l), l.activation);
}

/* Adds the gradients of the biases, the sums of delta over images and pixels in a fixed order, to l.bias_updates. */
static void add_bias_gradient(layer l, int blocked)
{
    int block = blocked ? channels_per_block() : 1, blocks = blocked ? blocks_of_channels(l.out_c) : l.out_c;
    int spatial = l.out_w * l.out_h, f;
#pragma omp parallel for schedule(static)
    for (f = 0; f < l.out_c; ++f) {
        double sum = 0;
        int b, i;
        for (b = 0; b < l.batch; ++b) {
            const float *delta = l.delta + ((size_t)b * blocks + f / block) * spatial * block + f % block;
            for (i = 0; i < spatial; ++i) sum += delta[(size_t)i * block];
        }
        l.bias_updates[f] += (float)sum;
    }
}

void backward_planned_convolution(layer l, network net)
{
    const layer_plan *p = plan_of(net);
    convolution *conv;
    if (l.batch_normalize) {
        backward_blocked_batchnorm(l);
    } else {
        accel_gradient(l.output, (int)output_floats(l), l.activation, l.delta);
        add_bias_gradient(l, p->blocked);
    }
    pthread_mutex_lock(&lock);
    conv = find_convolution(l, p->input_blocked, p->blocked, purpose_of(l, 1));
    if (!conv) give_up(l);
    run_backward(conv, l, net.input, net.delta, accumulates(net, 0));
    pthread_mutex_unlock(&lock);
}

#endif
