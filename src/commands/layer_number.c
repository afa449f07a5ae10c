#include "commands/layer_number.h"

#include "base/error.h"

int named_layer(const network *net, int number)
{
    if (number < 0 || number >= net->n) die("there is no layer %d: the network has layers 0 to %d", number, net->n - 1);
    return number;
}

int named_layer_with_weights(const network *net, int number)
{
    const layer *l = net->layers + named_layer(net, number);
    if (l->type != CONVOLUTIONAL) die("layer %d is no [convolutional]: it has no filters to print", number);
    return number;
}
