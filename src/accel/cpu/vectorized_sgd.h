/* The weight update of stochastic gradient descent (SGD), which a plan uses as l.update. */
#ifndef VECTORIZED_SGD_H
#define VECTORIZED_SGD_H

#include "darknet.h"

/* Updates weights, biases and scales of a [convolutional] or [connected] layer with Darknet's formulas, including
 * weight decay, and keeps momentum times the update. */
void update_by_sgd(layer l, update_args a);

#endif
