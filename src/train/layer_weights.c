/* Lists the weight arrays of every type of layer. */
#include "train/layer_weights.h"

#include <stddef.h>

/* The inner layers of every type of recurrent layer, as offsets of their pointers in `layer`; 0 ends a row. */
static const struct {
    LAYER_TYPE type;
    size_t inner[8];
} recurrent[] = {
    {RNN, {offsetof(layer, input_layer), offsetof(layer, self_layer), offsetof(layer, output_layer)}},
    {CRNN, {offsetof(layer, input_layer), offsetof(layer, self_layer), offsetof(layer, output_layer)}},
    {GRU,
     {offsetof(layer, wz), offsetof(layer, wr), offsetof(layer, wh), offsetof(layer, uz), offsetof(layer, ur),
      offsetof(layer, uh)}},
    {LSTM,
     {offsetof(layer, wi), offsetof(layer, wf), offsetof(layer, wo), offsetof(layer, wg), offsetof(layer, ui),
      offsetof(layer, uf), offsetof(layer, uo), offsetof(layer, ug)}},
};

/* An array `name` of a layer with the names of its updates and moments. */
#ifdef GPU
#define TRAINED(l, name, update, m, v)                                                                                 \
    {                                                                                                                  \
        l->name, l->update, l->m, l->v, l->name##_gpu, l->update##_gpu, l->m##_gpu, l->v##_gpu, 0, 0                   \
    }
#define KEPT(l, name)                                                                                                  \
    {                                                                                                                  \
        l->name, 0, 0, 0, l->name##_gpu, 0, 0, 0, 0, 0                                                                 \
    }
#else
#define TRAINED(l, name, update, m, v)                                                                                 \
    {                                                                                                                  \
        l->name, l->update, l->m, l->v, 0, 0                                                                           \
    }
#define KEPT(l, name)                                                                                                  \
    {                                                                                                                  \
        l->name, 0, 0, 0, 0, 0                                                                                         \
    }
#endif

/* The arrays of a layer that is not recurrent. */
static int own_arrays(const layer *l, weight_array *arrays)
{
    enum { BIASES, SCALES, MEANS, VARIANCES, WEIGHTS, ARRAYS };
    const weight_array all[ARRAYS] = {TRAINED(l, biases, bias_updates, bias_m, bias_v),
                                      TRAINED(l, scales, scale_updates, scale_m, scale_v), KEPT(l, rolling_mean),
                                      KEPT(l, rolling_variance), TRAINED(l, weights, weight_updates, m, v)};
    size_t counts[ARRAYS] = {0}, normalized = 0;
    int i, n = 0;
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        counts[WEIGHTS] = l->nweights;
        counts[BIASES] = l->n;
        normalized = l->batch_normalize ? l->n : 0;
        break;
    case CONNECTED:
        counts[WEIGHTS] = (size_t)l->inputs * l->outputs;
        counts[BIASES] = l->outputs;
        normalized = l->batch_normalize ? l->outputs : 0;
        break;
    case LOCAL:
        counts[WEIGHTS] = (size_t)l->size * l->size * l->c * l->n * l->out_w * l->out_h;
        counts[BIASES] = l->outputs;
        break;
    case BATCHNORM: /* has biases, but Darknet does not save them */
        normalized = l->c;
        break;
    default:
        break;
    }
    counts[SCALES] = counts[MEANS] = counts[VARIANCES] = normalized;
    for (i = 0; i < ARRAYS; ++i) {
        if (!counts[i]) continue;
        arrays[n] = all[i];
        arrays[n].count = counts[i];
        arrays[n++].rate_scale = l->learning_rate_scale;
    }
    return n;
}

int layer_weight_arrays(const layer *l, weight_array arrays[MAX_WEIGHT_ARRAYS])
{
    size_t row, i;
    int n = 0;
    for (row = 0; row < sizeof recurrent / sizeof *recurrent; ++row) {
        if (recurrent[row].type != l->type) continue;
        for (i = 0; i < 8 && recurrent[row].inner[i]; ++i) {
            const layer *inner = *(layer *const *)((const char *)l + recurrent[row].inner[i]);
            n += own_arrays(inner, arrays + n);
        }
        return n;
    }
    return own_arrays(l, arrays);
}
