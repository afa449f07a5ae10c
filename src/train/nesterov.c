/* Nesterov momentum, as a step after Darknet's own. */
#include "train/nesterov.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/vectorize.h"
#include "layers/device.h"
#include "option_list.h"
#include "train/layer_weights.h"

#include <stdlib.h>
#include <string.h>
#ifdef GPU
#include "blas.h"
#endif

struct nesterov {
    /* [layer * MAX_WEIGHT_ARRAYS + array]: the array's updates after the last step, where the network runs; NULL before
     * its first step */
    float **before;
};

void parse_nesterov(list *options, network *net)
{
    const char *text = option_find_str(options, (char *)"nesterov", 0);
    long long on = 0;
    if (text && parse_whole_number(text, 0, 1, &on)) die("[net]: nesterov=%s is not valid: must be 0 or 1", text);
    if (!on) return;
    if (net->adam) die("[net]: nesterov=1 does not go together with adam=1: remove one of them");
    /* Darknet clips within the update, between the two steps; the second would leave the range again. */
    if (net->clip) die("[net]: nesterov=1 does not go together with clip=: remove one of them");
    net->nesterov = (struct nesterov *)xcalloc(1, sizeof *net->nesterov);
    net->nesterov->before = (float **)xcalloc((size_t)net->n * MAX_WEIGHT_ARRAYS, sizeof *net->nesterov->before);
}

VECTORIZED static void step(float *weights, const float *updates, float *before, float rate, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        weights[i] += rate * (updates[i] - before[i]);
        before[i] = updates[i];
    }
}

/* What is kept of an array; zeros, when it is first asked for. */
static float *kept(const network *net, size_t n, float **before)
{
#ifdef GPU
    if (on_gpu(*net) && !*before) *before = cuda_make_array(0, n);
#endif
    (void)net;
    if (!*before) *before = (float *)xcalloc(n, sizeof **before);
    return *before;
}

static void copy_array(const network *net, const weight_array *array, float **before)
{
#ifdef GPU
    if (on_gpu(*net)) {
        copy_gpu(array->count, array->updates_gpu, 1, kept(net, array->count, before), 1);
        return;
    }
#endif
    memcpy(kept(net, array->count, before), array->updates, array->count * sizeof **before);
}

static void step_array(const network *net, const weight_array *array, float **before, float rate)
{
    const size_t n = array->count;
    float *old = kept(net, n, before);
#ifdef GPU
    if (on_gpu(*net)) {
        axpy_gpu(n, rate, array->updates_gpu, 1, array->values_gpu, 1);
        axpy_gpu(n, -rate, old, 1, array->values_gpu, 1);
        copy_array(net, array, before);
        return;
    }
#endif
    IN_PARTS(n, step(array->values + at, array->updates + at, old + at, rate, m));
}

void nesterov_step(network *net, int index, update_args a)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int k;
    if (!net->nesterov) return;
    for (k = layer_weight_arrays(&net->layers[index], arrays); k-- > 0;)
        if (arrays[k].updates)
            step_array(net, &arrays[k], &net->nesterov->before[index * MAX_WEIGHT_ARRAYS + k],
                       a.learning_rate * arrays[k].rate_scale / a.batch);
}

void nesterov_resume(network *net)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int i, k;
    if (!net->nesterov) return;
    for (i = 0; i < net->n; ++i)
        for (k = layer_weight_arrays(&net->layers[i], arrays); k-- > 0;)
            if (arrays[k].updates) copy_array(net, &arrays[k], &net->nesterov->before[i * MAX_WEIGHT_ARRAYS + k]);
}

void free_nesterov(network *net)
{
    int i;
    if (!net->nesterov) return;
    for (i = 0; i < net->n * MAX_WEIGHT_ARRAYS; ++i) {
#ifdef GPU
        if (on_gpu(*net)) {
            if (net->nesterov->before[i]) cuda_free(net->nesterov->before[i]);
            continue;
        }
#endif
        free(net->nesterov->before[i]);
    }
    free(net->nesterov->before);
    free(net->nesterov);
}
