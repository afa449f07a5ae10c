/* Batch normalisation and activation of a convolution, in the blocked layout (blocked_layout.h), for training. */
#ifndef BLOCKED_BATCHNORM_H
#define BLOCKED_BATCHNORM_H

#include "darknet.h"

/* l.output = activation(batch normalisation(l.x)) with the statistics of the batch; both tensors are blocked. Writes
 * l.mean, l.variance and the rolling averages. l.activation must be piecewise linear (piecewise_linear.h). */
void forward_blocked_batchnorm(layer l);

/* Replaces the gradient of l.output in l.delta by that of l.x; adds to l.scale_updates and l.bias_updates. */
void backward_blocked_batchnorm(layer l);

#endif
