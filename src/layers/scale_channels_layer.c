#include "layers/scale_channels_layer.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/activation_input.h"
#include "layers/device.h"

#include "activations.h"
#include "option_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The product and its gradients ------------------------------------------------------------------------------- */

/* Images and channels are planes of `spatial` pixels. Plane p of x has the scale s[p], or with scale_wh the scales of
 * its image, one a pixel. Sums are in a fixed order, so that a seed repeats a run bit for bit. */

static void forward_planes(const float *x, const float *s, int planes, int spatial, float *output)
{
    int p;
#pragma omp parallel for schedule(static)
    for (p = 0; p < planes; ++p) {
        const size_t at = (size_t)p * spatial;
        int i;
        for (i = 0; i < spatial; ++i) output[at + i] = x[at + i] * s[p];
    }
}

static void backward_planes(const float *delta, const float *x, const float *s, int planes, int spatial, float *x_delta,
                            float *s_delta)
{
    int p;
#pragma omp parallel for schedule(static)
    for (p = 0; p < planes; ++p) {
        const size_t at = (size_t)p * spatial;
        double sum = 0;
        int i;
        for (i = 0; i < spatial; ++i) {
            sum += (double)delta[at + i] * x[at + i];
            x_delta[at + i] += delta[at + i] * s[p];
        }
        s_delta[p] += (float)sum;
    }
}

static void forward_pixels(const float *x, const float *s, int batch, int channels, int spatial, float *output)
{
    int p;
#pragma omp parallel for schedule(static)
    for (p = 0; p < batch * channels; ++p) {
        const size_t at = (size_t)p * spatial;
        const float *scales = s + (size_t)(p / channels) * spatial;
        int i;
        for (i = 0; i < spatial; ++i) output[at + i] = x[at + i] * scales[i];
    }
}

static void backward_pixels(const float *delta, const float *x, const float *s, int batch, int channels, int spatial,
                            float *x_delta, float *s_delta)
{
    int b;
#pragma omp parallel for schedule(static)
    for (b = 0; b < batch; ++b) {
        const float *scales = s + (size_t)b * spatial;
        float *scales_delta = s_delta + (size_t)b * spatial;
        int k, i;
        for (k = 0; k < channels; ++k) {
            const size_t at = ((size_t)b * channels + k) * spatial;
            for (i = 0; i < spatial; ++i) {
                scales_delta[i] += delta[at + i] * x[at + i];
                x_delta[at + i] += delta[at + i] * scales[i];
            }
        }
    }
}

/* ---- The layer --------------------------------------------------------------------------------------------------- */

void forward_scale_channels_layer(const layer l, network net)
{
    const float *x = net.layers[l.index].output;
    const int spatial = l.out_w * l.out_h;
    if (l.scale_wh)
        forward_pixels(x, net.input, l.batch, l.out_c, spatial, l.output);
    else
        forward_planes(x, net.input, l.batch * l.out_c, spatial, l.output);
    keep_activation_input(l);
    activate_array(l.output, l.outputs * l.batch, l.activation);
}

void backward_scale_channels_layer(const layer l, network net)
{
    const layer from = net.layers[l.index];
    const int spatial = l.out_w * l.out_h;
    gradient_array(activation_values(l), l.outputs * l.batch, l.activation, l.delta);
    if (l.scale_wh)
        backward_pixels(l.delta, from.output, net.input, l.batch, l.out_c, spatial, from.delta, net.delta);
    else
        backward_planes(l.delta, from.output, net.input, l.batch * l.out_c, spatial, from.delta, net.delta);
}

#ifdef GPU
void forward_scale_channels_layer_gpu(const layer l, network net)
{
    scale_channels_gpu(net.layers[l.index].output_gpu, net.input_gpu, l.batch, l.out_c, l.out_w * l.out_h, l.scale_wh,
                       l.output_gpu);
    keep_activation_input_gpu(l);
    activate_array_gpu(l.output_gpu, l.outputs * l.batch, l.activation);
}

void backward_scale_channels_layer_gpu(const layer l, network net)
{
    const layer from = net.layers[l.index];
    gradient_array_gpu(activation_values_gpu(l), l.outputs * l.batch, l.activation, l.delta_gpu);
    scale_channels_gradient_gpu(l.delta_gpu, from.output_gpu, net.input_gpu, l.batch, l.out_c, l.out_w * l.out_h,
                                l.scale_wh, from.delta_gpu, net.delta_gpu);
}
#endif

/* Takes the size of the layer `from`, and memory for it. The layer's own w, h and c are those of its input. */
static void take_size(layer *l, const layer *from)
{
    l->out_w = from->out_w;
    l->out_h = from->out_h;
    l->outputs = l->out_w * l->out_h * l->out_c;
    l->inputs = l->w * l->h * l->c;
    l->output = (float *)xrealloc(l->output, (size_t)l->batch * l->outputs * sizeof(float));
    l->delta = (float *)xrealloc(l->delta, (size_t)l->batch * l->outputs * sizeof(float));
#ifdef GPU
    if (l->output_gpu) cuda_free(l->output_gpu);
    if (l->delta_gpu) cuda_free(l->delta_gpu);
    l->output_gpu = cuda_make_array(0, (size_t)l->batch * l->outputs);
    l->delta_gpu = cuda_make_array(0, (size_t)l->batch * l->outputs);
#endif
}

void resize_scale_channels_layer(layer *l, network *net)
{
    if (l->scale_wh) {
        l->w = net->layers[l->index].out_w;
        l->h = net->layers[l->index].out_h;
    }
    take_size(l, &net->layers[l->index]);
}

int scales_channels_after(const network *net, int i)
{
    while (++i < net->n)
        if (net->layers[i].type == SCALE_CHANNELS) return 1;
    return 0;
}

/* Ends the program where the scales, the output of the layer before, do not fit the layer that they scale. */
static void check_shapes(const layer *scales, const layer *from, int from_index, int scale_wh, int index)
{
    const int w = scale_wh ? from->out_w : 1, h = scale_wh ? from->out_h : 1, c = scale_wh ? 1 : from->out_c;
    if (!from->out_w || !from->out_h || !from->out_c)
        die("[scale_channels] (layer %d): from=: layer %d has no image", index, from_index);
    if (scales->out_w == w && scales->out_h == h && scales->out_c == c) return;
    die("[scale_channels] (layer %d): the layer before it gives %d x %d x %d, but must give %d x %d x %d for layer "
        "%d, "
        "which is %d x %d x %d",
        index, scales->out_w, scales->out_h, scales->out_c, w, h, c, from_index, from->out_w, from->out_h, from->out_c);
}

layer parse_scale_channels(list *options, network *net, int from, int index)
{
    const int scale_wh = option_find_int_quiet(options, (char *)"scale_wh", 0);
    const layer *scales = &net->layers[index - 1], *scaled = &net->layers[from];
    char *activation = option_find(options, (char *)"activation");
    layer l;
    memset(&l, 0, sizeof l);
    if (scale_wh != 0 && scale_wh != 1)
        die("[scale_channels] (layer %d): scale_wh=%d is not valid: must be 0 or 1", index, scale_wh);
    check_shapes(scales, scaled, from, scale_wh, index);
    l.type = SCALE_CHANNELS;
    l.batch = net->batch;
    l.index = from;
    l.scale_wh = scale_wh;
    l.activation = activation ? get_activation(activation) : LINEAR;
    l.w = scales->out_w;
    l.h = scales->out_h;
    l.c = scales->out_c;
    l.out_c = scaled->out_c;
    l.forward = forward_scale_channels_layer;
    l.backward = backward_scale_channels_layer;
#ifdef GPU
    l.forward_gpu = forward_scale_channels_layer_gpu;
    l.backward_gpu = backward_scale_channels_layer_gpu;
#endif
    take_size(&l, scaled);
    fprintf(stderr, "scale %3d               %4d x%4d x%4d   ->  %4d x%4d x%4d\n", from, l.w, l.h, l.c, l.out_w,
            l.out_h, l.out_c);
    note_open_line(0);
    return l;
}
