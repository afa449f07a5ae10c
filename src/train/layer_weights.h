/* Lists the arrays of a layer that a .weights file holds, for code that looks at every weight of a network. */
#ifndef LAYER_WEIGHTS_H
#define LAYER_WEIGHTS_H

#include "darknet.h"

/* An LSTM consists of eight connected layers of up to five arrays each. */
enum { MAX_WEIGHT_ARRAYS = 40 };

/* An array of a layer. All pointers belong to the layer. */
typedef struct {
    float *values;  /* [count] in host memory */
    float *updates; /* [count] what the trainer adds gradients to and keeps momentum in; NULL: not trained */
    float *m, *v;   /* [count] Adam's moments; NULL: none */
#ifdef GPU
    float *values_gpu, *updates_gpu, *m_gpu, *v_gpu; /* the same on the GPU */
#endif
    size_t count;     /* above 0 */
    float rate_scale; /* the layer's factor of the learning rate */
} weight_array;

/* Lists the arrays of `l` that Darknet's save_weights_upto (parser.c) writes: biases, scales, rolling means, rolling
 * variances and weights, if the layer has them. For a recurrent layer, lists those of its inner layers. Returns the
 * number of arrays; 0 for a layer without weights. During training on a GPU, the arrays in host memory are up to date
 * only after a save. */
int layer_weight_arrays(const layer *l, weight_array arrays[MAX_WEIGHT_ARRAYS]);

#endif
