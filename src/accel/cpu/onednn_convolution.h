/* Convolutions through oneDNN as a plan has them: with batch normalisation and activation, and with input and output
 * blocked or not (layer_plan.h). The functions that Darknet's own layer calls are in accel_cpu.h. */
#ifndef ONEDNN_CONVOLUTION_H
#define ONEDNN_CONVOLUTION_H

#include "darknet.h"

/* Whether layer l can run in a plan, with its output blocked or not; its input can be either. train: net->train. */
int can_plan_convolution(layer l, int output_blocked, int train);

/* What a plan puts in the place of l.forward and l.backward. They end the program where oneDNN fails. */
void forward_planned_convolution(layer l, network net);
void backward_planned_convolution(layer l, network net);

/* Frees what oneDNN has made for all shapes once these are very many: a program that meets ever new sizes of images
 * must not keep what it made for each of them. */
void forget_convolutions(void);

#endif
