#include "eval/classification_attack.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/splitmix64.h"

#include "connected_layer.h"
#include "convolutional_layer.h"
#include "cuda.h"
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- A backward pass as in inference ---------------------------------------------------------------------------- */

/* y = scale (Wx - mean) / (sqrt(variance) + 1e-6) + bias becomes y = W'x + bias', with Darknet's 1e-6. */
static void fold_batch_normalization(layer *l, int filters, size_t weights_a_filter)
{
    int f;
    size_t i;
    for (f = 0; f < filters; ++f) {
        const double factor = l->scales[f] / (sqrt((double)l->rolling_variance[f]) + 1e-6);
        for (i = 0; i < weights_a_filter; ++i) {
            float *w = &l->weights[f * weights_a_filter + i];
            *w = (float)(*w * factor);
        }
        l->biases[f] = (float)(l->biases[f] - factor * l->rolling_mean[f]);
    }
    l->batch_normalize = 0;
}

static int prepare_layer(const network *net, layer *l, const char *cfg)
{
    (void)net;
    l->stopbackward = 0;
    switch (l->type) {
    case CONVOLUTIONAL:
        if (l->binary || l->xnor) return report_error("%s: no attack on a network with binary= or xnor=", cfg);
        if (l->batch_normalize) fold_batch_normalization(l, l->n, l->nweights / l->n);
#ifdef GPU
        if (net->gpu_index >= 0) push_convolutional_layer(*l);
#endif
        return 0;
    case CONNECTED:
        if (l->batch_normalize) fold_batch_normalization(l, l->outputs, l->inputs);
#ifdef GPU
        if (net->gpu_index >= 0) push_connected_layer(*l);
#endif
        return 0;
    case DROPOUT: /* its backward pass takes the random numbers of a training step, which there was none of */
        l->probability = 0;
        l->scale = 1;
        return 0;
    case ACTIVE:
    case AVGPOOL:
    case COST:
    case MAXPOOL:
    case OLS:
    case REORG:
    case ROUTE:
    case SCALE_CHANNELS:
    case SHORTCUT:
    case SOFTMAX:
    case UPSAMPLE:
        return 0;
    default:
        return report_error("%s: no attack on a network with [%s]", cfg, get_layer_string(l->type));
    }
}

int attack_prepare(network *net, const char *cfg)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        if (prepare_layer(net, &net->layers[i], cfg)) return 1;
    }
    return 0;
}

/* ---- Gradient --------------------------------------------------------------------------------------------------- */

/* In Darknet a delta is a negative gradient: here that of L by the logits, (onehot(y) - p) / temperature. */
static void put_output_delta(const network *net, const int *labels, int count)
{
    const layer *l = &net->layers[net->n - 1];
    const int classes = l->outputs;
    int i, k;
    memset(l->delta, 0, (size_t)l->batch * classes * sizeof *l->delta);
    for (i = 0; i < count; ++i) {
        for (k = 0; k < classes; ++k) {
            const size_t at = (size_t)i * classes + k;
            l->delta[at] = ((k == labels[i]) - l->output[at]) / l->temperature;
        }
    }
#ifdef GPU
    if (net->gpu_index >= 0) cuda_push_array(l->delta_gpu, l->delta, (size_t)l->batch * classes);
#endif
}

const float *attack_gradient(network *net, float *input, const int *labels, int count, float *gradient)
{
    const network before = *net;
    const size_t n = (size_t)net->batch * net->inputs;
    const float *output;
    size_t i;
    while (net->layers[net->n - 1].type == COST) --net->n; /* its backward pass would add a gradient of its own */
    memset(gradient, 0, n * sizeof *gradient);
    net->input = input;
    net->truth = 0;
    net->train = 0;
    net->delta = gradient; /* not NULL: the layers keep what a backward pass needs */
#ifdef GPU
    if (net->gpu_index >= 0) net->delta_gpu = cuda_make_array(gradient, n);
#endif
    forward_network(net);
    if (count) {
        put_output_delta(net, labels, count);
        backward_network(net);
    }
#ifdef GPU
    if (net->gpu_index >= 0) {
        cuda_pull_array(net->delta_gpu, gradient, n);
        cuda_free(net->delta_gpu);
    }
#endif
    output = net->layers[net->n - 1].output;
    *net = before;
    for (i = 0; i < n; ++i) gradient[i] = -gradient[i];
    return output;
}

/* ---- Attack ----------------------------------------------------------------------------------------------------- */

/* To within eps of the image, and to 0..1. */
static float limited(double x, float clean, double eps)
{
    x = x < clean - eps ? clean - eps : x > clean + eps ? clean + eps : x;
    return (float)(x < 0 ? 0 : x > 1 ? 1 : x);
}

static void start_at_random(float *x, size_t pixels, int image, const attack_options *o)
{
    uint64_t stream = splitmix64_mix(o->seed) + (uint64_t)image;
    size_t i;
    stream = splitmix64_mix(stream);
    for (i = 0; i < pixels; ++i) {
        const double uniform = (splitmix64_next(&stream) >> 11) * 0x1p-53; /* [0, 1) */
        x[i] = limited(x[i] + o->eps * (2 * uniform - 1), x[i], o->eps);
    }
}

const float *attack_images(network *net, float *input, const int *labels, int count, int first, const attack_options *o)
{
    const size_t pixels = net->inputs, n = pixels * net->batch, used = pixels * count;
    float *clean = (float *)xmalloc(n * sizeof *clean), *gradient = (float *)xmalloc(n * sizeof *gradient);
    const float *output;
    int step, k;
    size_t i;
    memcpy(clean, input, n * sizeof *clean);
    for (k = 0; o->random_start && k < count; ++k) start_at_random(input + k * pixels, pixels, first + k, o);
    for (step = 0; step < o->steps; ++step) {
        attack_gradient(net, input, labels, count, gradient);
        for (i = 0; i < used; ++i) {
            const int sign = (gradient[i] > 0) - (gradient[i] < 0);
            input[i] = limited(input[i] + o->step_size * sign, clean[i], o->eps);
        }
    }
    output = attack_gradient(net, input, labels, 0, gradient);
    free(clean);
    free(gradient);
    return output;
}
