#include "commands/parameter_count.h"

#include "train/layer_weights.h"

#include <stdio.h>

void print_parameter_count(const network *net)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    size_t trained = 0, fixed = 0, averages = 0;
    int i, k;
    for (i = 0; i < net->n; ++i)
        for (k = layer_weight_arrays(&net->layers[i], arrays); k-- > 0;)
            *(!arrays[k].updates ? &averages : arrays[k].rate_scale == 0 ? &fixed : &trained) += arrays[k].count;
    printf("Parameters: %zu, and %zu averages of batch normalisation", trained, averages);
    if (fixed) printf("; %zu more do not change (learning_rate=0)", fixed);
    printf("\n");
}
