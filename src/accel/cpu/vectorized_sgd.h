/* The update of weights by stochastic gradient descent, as a plan puts it in the place of a layer's own. */
#ifndef VECTORIZED_SGD_H
#define VECTORIZED_SGD_H

#include "darknet.h"

/* l.update of [convolutional] and [connected], with Darknet's formulas: weights, biases and scales, and what remains of
 * their updates as momentum. */
void update_by_sgd(layer l, update_args a);

#endif
