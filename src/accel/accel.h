/* Fast CPU paths for the layers that training spends its time in, by way of oneDNN. Knows Darknet's layers and nothing
 * of label smoothing.
 *
 * ONEDNN=0 leaves them out: the functions then return 0 and Darknet's own code runs, as it does for every shape that
 * oneDNN declines.
 */
#ifndef ACCEL_H
#define ACCEL_H

#include "darknet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* l.output = convolution of net.input with l.weights, plain, grouped or depthwise, without bias or activation. 1: done;
 * 0: not done, l.output is as it was. */
int accel_forward_convolution(layer l, network net);

/* l.weight_updates += gradient by the weights, and net.delta (where it is not NULL) += gradient by the input, both from
 * l.delta. 1: done; 0: not done, both are as they were. */
int accel_backward_convolution(layer l, network net);

#ifdef __cplusplus
}
#endif
#endif
