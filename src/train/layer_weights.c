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

static int put(weight_array *arrays, int n, const float *values, size_t count)
{
    if (!count) return n;
    arrays[n].values = values;
    arrays[n].count = count;
    return n + 1;
}

/* The arrays of a layer that is not recurrent. */
static int own_arrays(const layer *l, weight_array *arrays)
{
    size_t weights = 0, biases = 0, channels = 0; /* array lengths; `channels` is 0 without batch normalization */
    int n = 0;
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        weights = l->nweights;
        biases = l->n;
        channels = l->batch_normalize ? l->n : 0;
        break;
    case CONNECTED:
        weights = (size_t)l->inputs * l->outputs;
        biases = l->outputs;
        channels = l->batch_normalize ? l->outputs : 0;
        break;
    case LOCAL:
        weights = (size_t)l->size * l->size * l->c * l->n * l->out_w * l->out_h;
        biases = l->outputs;
        break;
    case BATCHNORM: /* its biases are trained, but Darknet does not save them */
        channels = l->c;
        break;
    default:
        break;
    }
    n = put(arrays, n, l->biases, biases);
    n = put(arrays, n, l->scales, channels);
    n = put(arrays, n, l->rolling_mean, channels);
    n = put(arrays, n, l->rolling_variance, channels);
    return put(arrays, n, l->weights, weights);
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
