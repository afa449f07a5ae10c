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

int named_layer_count(const network *net, int count)
{
    if (count < 0 || count > net->n) die("%d layers: must be 0 to %d, which the network has", count, net->n);
    return count;
}
