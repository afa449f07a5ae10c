/* The layers between convolutions, in the blocked layout (blocked_layout.h). A plan uses these functions as l.forward
 * and l.backward. Each computes what Darknet's own function does. A backward function adds to the gradients of its
 * inputs, or stores them if it is the first to write to them (layer_plan.h). */
#ifndef BLOCKED_LAYERS_H
#define BLOCKED_LAYERS_H

#include "darknet.h"

/* The two inputs may differ in size; the activation must be piecewise linear. */
void forward_blocked_shortcut(layer l, network net);
void backward_blocked_shortcut(layer l, network net);

/* The channels of every input except the last must be a multiple of the block size. */
void forward_blocked_route(layer l, network net);
void backward_blocked_route(layer l, network net);

void forward_blocked_upsample(layer l, network net);
void backward_blocked_upsample(layer l, network net);

void forward_blocked_maxpool(layer l, network net);
void backward_blocked_maxpool(layer l, network net);

/* The input is blocked. The output, one pixel per channel, is in Darknet's layout. */
void forward_blocked_avgpool(layer l, network net);
void backward_blocked_avgpool(layer l, network net);

#endif
