/* Convolutions with oneDNN as a plan uses them: with batch normalisation and activation, input and output blocked or
 * not (layer_plan.h). The functions that Darknet's own layer calls are declared in accel_cpu.h. */
#ifndef ONEDNN_CONVOLUTION_H
#define ONEDNN_CONVOLUTION_H

#include "darknet.h"

/* Whether layer l can run in a plan, with its output blocked or not; its input may have either layout. train:
 * net->train. */
int can_plan_convolution(layer l, int output_blocked, int train);

/* A plan uses these as l.forward and l.backward. They end the program if oneDNN fails. */
void forward_planned_convolution(layer l, network net);
void backward_planned_convolution(layer l, network net);

/* Frees all cached primitives if there are very many: a program that meets new image sizes again and again must not
 * keep primitives for all of them. */
void forget_convolutions(void);

#endif
