/* The number of a layer on the command line: of `print`, `partial` and `classifier try`. */
#ifndef LAYER_NUMBER_H
#define LAYER_NUMBER_H

#include "darknet.h"

/* Returns the number of a layer of the network, from 0. Ends the program with one line where there is no such layer. */
int named_layer(const network *net, int number);

/* The same for a layer with weights of a convolution, and for how many layers there shall be, from 0 to all. */
int named_layer_with_weights(const network *net, int number);
int named_layer_count(const network *net, int count);

#endif
