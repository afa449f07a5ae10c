#include "layers/activation_input.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/device.h"

#include "activations.h"
#include "option_list.h"

#include <stdlib.h>
#include <string.h>

static size_t input_floats(const layer *l)
{
    return (size_t)l->batch * l->outputs;
}

static int keeps_input(const layer *l)
{
    static const LAYER_TYPE types[] = {CONVOLUTIONAL, CONNECTED, SHORTCUT, ACTIVE, SCALE_CHANNELS};
    size_t i;
    for (i = 0; i < sizeof types / sizeof *types && types[i] != l->type;) ++i;
    return i < sizeof types / sizeof *types && l->activation == SWISH;
}

/* Whether the section's parser has read activation=swish. Other sections may have the line, too: it is then one that
 * does nothing. */
static int has_read_swish(const list *options)
{
    const node *n;
    for (n = options->front; n; n = n->next) {
        const kvp *pair = (const kvp *)n->val;
        if (pair->used && !strcmp(pair->key, "activation")) return get_activation(pair->val) == SWISH;
    }
    return 0;
}

/* On the GPU as well, where the network runs there: cuda_make_array does nothing with -nogpu. */
static void allocate(layer *l)
{
    l->activation_input = (float *)xrealloc(l->activation_input, input_floats(l) * sizeof(float));
#ifdef GPU
    if (l->activation_input_gpu) cuda_free(l->activation_input_gpu);
    l->activation_input_gpu = cuda_make_array(0, input_floats(l));
#endif
}

void make_activation_input(layer *l, list *options, const char *section, int index)
{
    if (keeps_input(l))
        allocate(l);
    else if (has_read_swish(options))
        die("%s (layer %d): activation=swish is for [convolutional], [connected], [shortcut], [activation] and "
            "[scale_channels]",
            section, index);
}

void resize_activation_input(layer *l)
{
    if (l->activation_input) allocate(l);
}

void free_activation_input(layer l)
{
    free(l.activation_input);
#ifdef GPU
    if (l.activation_input_gpu) cuda_free(l.activation_input_gpu);
#endif
}

void keep_activation_input(layer l)
{
    if (l.activation_input) memcpy(l.activation_input, l.output, input_floats(&l) * sizeof(float));
}

const float *activation_values(layer l)
{
    return l.activation_input ? l.activation_input : l.output;
}

#ifdef GPU
#include "blas.h"

void keep_activation_input_gpu(layer l)
{
    if (l.activation_input_gpu) copy_gpu(input_floats(&l), l.output_gpu, 1, l.activation_input_gpu, 1);
}

float *activation_values_gpu(layer l)
{
    return l.activation_input_gpu ? l.activation_input_gpu : l.output_gpu;
}
#endif
