/* activation=swish: x / (1 + exp(-x)) (Ramachandran et al. 2017, with beta = 1; also called SiLU).
 *
 * Darknet computes the gradient of an activation from its output, which is where it has written over the input. The
 * output of swish does not say which input it came from, so a layer with it keeps a copy of the input, and the gradient
 * is computed from that. Layers with other activations keep nothing and are as they were.
 */
#ifndef ACTIVATION_INPUT_H
#define ACTIVATION_INPUT_H

#include "darknet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Allocates the copy of a layer with activation=swish, batch * outputs floats, when all of the layer is known. Ends the
 * program with one line if its section has that activation, but is none of [convolutional], [connected], [shortcut],
 * [activation] and [scale_channels]. `index` is the number of the layer. */
void make_activation_input(layer *l, list *options, const char *section, int index);

/* The same for the layer's new size, when the network was resized. */
void resize_activation_input(layer *l);
void free_activation_input(layer l);

/* Called before activate_array: copies l.output, which holds the input of the activation. Without swish does nothing.
 */
void keep_activation_input(layer l);

/* What gradient_array computes the gradient from: the copy for swish, otherwise l.output. batch * outputs floats. */
const float *activation_values(layer l);

#ifdef GPU
void keep_activation_input_gpu(layer l);
float *activation_values_gpu(layer l);
#endif

#ifdef __cplusplus
}
#endif

#endif
