/* The number of a layer on the command line: of `print` and `classifier try`. */
#ifndef LAYER_NUMBER_H
#define LAYER_NUMBER_H

#include "darknet.h"

/* Returns the number of a layer of the network, from 0. Ends the program with one line where there is no such layer. */
int named_layer(const network *net, int number);

/* The same for a layer that must have the weights of a convolution. */
int named_layer_with_weights(const network *net, int number);

#endif
