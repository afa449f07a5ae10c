/* The layers between convolutions in the blocked layout (blocked_layout.h): what a plan puts in the place of l.forward
 * and l.backward. Every layer computes what Darknet's does. A backward pass adds to the gradients that it hands back,
 * or stores them where it is the first to write (layer_plan.h). */
#ifndef BLOCKED_LAYERS_H
#define BLOCKED_LAYERS_H

#include "darknet.h"

/* The two inputs may differ in size; the activation is piecewise linear. */
void forward_blocked_shortcut(layer l, network net);
void backward_blocked_shortcut(layer l, network net);

/* Every input but the last has as many channels as fill its blocks. */
void forward_blocked_route(layer l, network net);
void backward_blocked_route(layer l, network net);

void forward_blocked_upsample(layer l, network net);
void backward_blocked_upsample(layer l, network net);

void forward_blocked_maxpool(layer l, network net);
void backward_blocked_maxpool(layer l, network net);

/* The input is blocked. The output has one pixel per channel, and is in Darknet's layout. */
void forward_blocked_avgpool(layer l, network net);
void backward_blocked_avgpool(layer l, network net);

#endif
