/* Which arrays of a layer a .weights file holds, for all who have to look at every weight of a network. */
#ifndef LAYER_WEIGHTS_H
#define LAYER_WEIGHTS_H

#include "darknet.h"

/* An LSTM consists of eight connected layers of up to five arrays each. */
enum { MAX_WEIGHT_ARRAYS = 40 };

/* An array in host memory; it belongs to the layer. */
typedef struct {
    const float *values;
    size_t count; /* above 0 */
} weight_array;

/* Lists the arrays of `l` that Darknet's save_weights_upto (parser.c) writes: biases, scales, rolling means, rolling
 * variances and weights, as far as the layer has them; of a recurrent layer those of the layers that it consists of.
 * Returns how many there are; 0: the layer has no weights. In training on a GPU they are current only after a save. */
int layer_weight_arrays(const layer *l, weight_array arrays[MAX_WEIGHT_ARRAYS]);

#endif
