/* Batch normalisation and activation of a convolution in the blocked layout (blocked_layout.h), while training. */
#ifndef BLOCKED_BATCHNORM_H
#define BLOCKED_BATCHNORM_H

#include "darknet.h"

/* From l.x to l.output, both blocked, with the statistics of the batch; fills l.mean, l.variance and the rolling
 * averages. l.activation is piecewise linear (piecewise_linear.h). */
void forward_blocked_batchnorm(layer l);

/* From the gradient by l.output, in l.delta, to the gradient by l.x, in place; adds to l.scale_updates and
 * l.bias_updates. */
void backward_blocked_batchnorm(layer l);

#endif
