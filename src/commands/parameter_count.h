/* The number of parameters that `darknet ops` prints. */
#ifndef PARAMETER_COUNT_H
#define PARAMETER_COUNT_H

#include "darknet.h"

/* Prints one line: how many numbers a training of the network changes by gradients (weights, biases, and scales of
 * batch normalisation), which is what publications give as its size; how many are in layers with learning_rate=0; and
 * how many are averages of batch normalisation, which gradients do not change. */
void print_parameter_count(const network *net);

#endif
