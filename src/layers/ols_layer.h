/* The [ols] layer: softmax, loss and Online Label Smoothing for classifiers, in place of [softmax].
 *
 * Input: logits, batch x classes. Output: probabilities, so every Darknet command works with it unchanged.
 */
#ifndef OLS_LAYER_H
#define OLS_LAYER_H

#include "layers/label_smoothing.h"

/* Makes the layer from the keys of its section; `inputs` is the number of classes, `index` the number of the layer.
 * Ends the program with one line if a key is not valid. */
layer parse_ols(list *options, int batch, int inputs, int index);
/* Makes the layer, which then owns `labels`. */
layer make_ols_layer(int batch, int inputs, label_smoothing *labels);
/* Ends the program with one line if a resized network would change the number of classes. */
void resize_ols_layer(layer *l, int inputs);
/* Frees the label-smoothing data of any layer, and what else only [ols] has. */
void free_ols_layer(layer l);

/* Writes l.output. With net.truth and without `noloss`, also writes l.loss, l.cost and l.delta, and in training adds to
 * the statistics of the soft labels. */
void forward_ols_layer(const layer l, network net);
/* Adds l.delta to net.delta. */
void backward_ols_layer(const layer l, network net);

#ifdef GPU
void forward_ols_layer_gpu(const layer l, network net);
void backward_ols_layer_gpu(const layer l, network net);
#endif

#endif
