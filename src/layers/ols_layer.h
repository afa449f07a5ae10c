/* [ols]: softmax, loss and Online Label Smoothing for classifiers; takes the place of [softmax].
 *
 * Input: logits, batch x classes. Output: their softmax, so every command of Darknet works on it unchanged.
 */
#ifndef OLS_LAYER_H
#define OLS_LAYER_H

#include "layers/label_smoothing.h"

layer parse_ols(list *options, int batch, int inputs, int index);
layer make_ols_layer(int batch, int inputs, label_smoothing *labels);
void resize_ols_layer(layer *l, int inputs);
void free_ols_layer(layer l);

void forward_ols_layer(const layer l, network net);
void backward_ols_layer(const layer l, network net);

#ifdef GPU
void forward_ols_layer_gpu(const layer l, network net);
void backward_ols_layer_gpu(const layer l, network net);
#endif

#endif
