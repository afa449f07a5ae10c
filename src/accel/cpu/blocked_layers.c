#include "accel/cpu/blocked_layers.h"

#ifdef ONEDNN

#include "accel/cpu/accel_cpu.h"
#include "accel/cpu/blocked_layout.h"
#include "accel/cpu/layer_plan.h"
#include "accel/cpu/piecewise_linear.h"
#include "base/vectorize.h"

#include <float.h>
#include <string.h>

/* ---- [shortcut] -------------------------------------------------------------------------------------------------- */

/* output = activation(alpha input + beta from). `input` is the layer before, with the shape of the output. `from` may
 * be smaller or larger; where it has no value, it counts as 0. */

VECTORIZED static void add_and_activate(const float *input, const float *from, float *output, size_t n, float alpha,
                                        float beta, piecewise_linear activation)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        output[i] = piecewise_linear_value(alpha * input[i] + beta * from[i], activation);
    }
}

/* Computes the gradients of the two inputs from delta, the gradient of the output. */
VECTORIZED static void put_input_gradients(const float *output, const float *delta, float *input_delta,
                                           float *from_delta, size_t n, float alpha, float beta,
                                           piecewise_linear activation, int add_to_input, int add_to_from)
{
    size_t i;
    if (!add_to_input && !add_to_from) {
#pragma omp simd
        for (i = 0; i < n; ++i) {
            float g = delta[i] * piecewise_linear_slope(output[i], activation);
            input_delta[i] = alpha * g;
            from_delta[i] = beta * g;
        }
    } else {
#pragma omp simd
        for (i = 0; i < n; ++i) {
            float g = delta[i] * piecewise_linear_slope(output[i], activation);
            input_delta[i] = (add_to_input ? input_delta[i] : 0) + alpha * g;
            from_delta[i] = (add_to_from ? from_delta[i] : 0) + beta * g;
        }
    }
}

/* Where the pixels that two tensors share are in one of them. The unit is the pixel of one block. */
struct grid {
    int column_stride, row_stride; /* distance from one column to the next, and from one row to the next */
    int plane;                     /* pixels of a block */
    int blocks;                    /* of an image */
};

/* The part that the output and `from` share. If one is twice as wide, it takes part with every second pixel. */
typedef struct {
    int channels, blocks, rows, columns;
    struct grid output, from;
} overlap;

static overlap overlap_of(layer l)
{
    int shrink = l.w / l.out_w < 1 ? 1 : l.w / l.out_w, grow = l.out_w / l.w < 1 ? 1 : l.out_w / l.w;
    struct grid output = {grow, l.out_w * grow, l.out_w * l.out_h, blocks_of_channels(l.out_c)};
    struct grid from = {shrink, l.w * shrink, l.w * l.h, blocks_of_channels(l.c)};
    overlap o;
    o.channels = l.c < l.out_c ? l.c : l.out_c;
    o.blocks = blocks_of_channels(o.channels);
    o.rows = l.h < l.out_h ? l.h : l.out_h;
    o.columns = l.w < l.out_w ? l.w : l.out_w;
    o.output = output;
    o.from = from;
    return o;
}

static size_t pixel_of(const struct grid *g, int image, int block, int row, int column)
{
    return ((size_t)image * g->blocks + block) * g->plane + (size_t)row * g->row_stride +
           (size_t)column * g->column_stride;
}

/* y += factor x on the shared part; x_grid and y_grid are those of x and y in `o`. */
static void add_overlap(const overlap *o, int batch, const float *x, const struct grid *x_grid, float *y,
                        const struct grid *y_grid, float factor)
{
    int block = channels_per_block(), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < batch * o->blocks; ++i) {
        int image = i / o->blocks, k = i % o->blocks, row, column, j;
        /* the padding channels of the last block stay 0 */
        int channels = o->channels - k * block < block ? o->channels - k * block : block;
        for (row = 0; row < o->rows; ++row)
            for (column = 0; column < o->columns; ++column) {
                const float *source = x + pixel_of(x_grid, image, k, row, column) * block;
                float *target = y + pixel_of(y_grid, image, k, row, column) * block;
#pragma omp simd
                for (j = 0; j < channels; ++j) target[j] += factor * source[j];
            }
    }
}

static int same_shape(layer l)
{
    return l.w == l.out_w && l.h == l.out_h && l.c == l.out_c;
}

void forward_blocked_shortcut(layer l, network net)
{
    const float *from = net.layers[l.index].output;
    const piecewise_linear activation = piecewise_linear_of(l.activation);
    size_t n = blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
    if (same_shape(l)) {
        IN_PARTS(n, add_and_activate(net.input + at, from + at, l.output + at, m, l.alpha, l.beta, activation));
    } else {
        const overlap o = overlap_of(l);
        accel_copy((int)n, net.input, l.output);
        add_overlap(&o, l.batch, from, &o.from, l.output, &o.output, l.beta);
        accel_activate(l.output, (int)n, l.activation);
    }
}

void backward_blocked_shortcut(layer l, network net)
{
    const piecewise_linear activation = piecewise_linear_of(l.activation);
    float *from_delta = net.layers[l.index].delta;
    int add_to_input = accumulates(net, 0), add_to_from = accumulates(net, 1);
    size_t n = blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
    if (same_shape(l)) {
        IN_PARTS(n, put_input_gradients(l.output + at, l.delta + at, net.delta + at, from_delta + at, m, l.alpha,
                                        l.beta, activation, add_to_input, add_to_from));
    } else {
        const overlap o = overlap_of(l);
        accel_gradient(l.output, (int)n, l.activation, l.delta);
        if (add_to_input)
            accel_axpy((int)n, 1, l.delta, net.delta);
        else
            accel_copy((int)n, l.delta, net.delta);
        if (!add_to_from) accel_fill((int)blocked_floats(l.batch, l.c, l.h, l.w), 0, from_delta);
        add_overlap(&o, l.batch, l.delta, &o.output, from_delta, &o.from, l.beta);
    }
}

/* ---- [route] ----------------------------------------------------------------------------------------------------- */

/* Only the last input may have padding channels, so whole blocks can be copied one after another. */
void forward_blocked_route(layer l, network net)
{
    size_t all = blocked_floats(1, l.out_c, l.out_h, l.out_w), offset = 0;
    int i, b;
    for (i = 0; i < l.n; ++i) {
        layer from = net.layers[l.input_layers[i]];
        size_t n = blocked_floats(1, from.out_c, from.out_h, from.out_w);
        for (b = 0; b < l.batch; ++b) accel_copy((int)n, from.output + b * n, l.output + b * all + offset);
        offset += n;
    }
}

void backward_blocked_route(layer l, network net)
{
    size_t all = blocked_floats(1, l.out_c, l.out_h, l.out_w), offset = 0;
    int i, b;
    for (i = 0; i < l.n; ++i) {
        layer to = net.layers[l.input_layers[i]];
        size_t n = blocked_floats(1, to.out_c, to.out_h, to.out_w);
        for (b = 0; b < l.batch; ++b) {
            if (accumulates(net, i))
                accel_axpy((int)n, 1, l.delta + b * all + offset, to.delta + b * n);
            else
                accel_copy((int)n, l.delta + b * all + offset, to.delta + b * n);
        }
        offset += n;
    }
}

/* ---- [upsample] -------------------------------------------------------------------------------------------------- */

void forward_blocked_upsample(layer l, network net)
{
    int block = channels_per_block(), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of_channels(l.out_c) * l.out_h; ++i) {
        int plane = i / l.out_h, row = i % l.out_h, column, j;
        const float *x = net.input + ((size_t)plane * l.h + row / l.stride) * l.w * block;
        float *y = l.output + (size_t)i * l.out_w * block;
        for (column = 0; column < l.out_w; ++column)
#pragma omp simd
            for (j = 0; j < block; ++j) y[column * block + j] = l.scale * x[column / l.stride * block + j];
    }
}

void backward_blocked_upsample(layer l, network net)
{
    int block = channels_per_block(), add = accumulates(net, 0), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of_channels(l.out_c) * l.h; ++i) {
        int plane = i / l.h, row = i % l.h, column, y, x, j;
        float *to = net.delta + (size_t)i * l.w * block;
        for (column = 0; column < l.w; ++column, to += block) {
            if (!add) memset(to, 0, block * sizeof *to);
            for (y = 0; y < l.stride; ++y)
                for (x = 0; x < l.stride; ++x) {
                    size_t at = ((size_t)plane * l.out_h + row * l.stride + y) * l.out_w + column * l.stride + x;
#pragma omp simd
                    for (j = 0; j < block; ++j) to[j] += l.scale * l.delta[at * block + j];
                }
        }
    }
}

/* ---- [maxpool] --------------------------------------------------------------------------------------------------- */

void forward_blocked_maxpool(layer l, network net)
{
    int block = channels_per_block(), offset = -l.pad / 2, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of_channels(l.out_c) * l.out_h; ++i) {
        int plane = i / l.out_h, row = i % l.out_h, column, y, x, j;
        const float *from = net.input + (size_t)plane * l.h * l.w * block;
        for (column = 0; column < l.out_w; ++column) {
            size_t to = ((size_t)i * l.out_w + column) * block;
            float *max = l.output + to;
            int *where = l.indexes + to; /* index of the pixel in the plane; -1: none */
            for (j = 0; j < block; ++j) max[j] = -FLT_MAX, where[j] = -1;
            for (y = 0; y < l.size; ++y)
                for (x = 0; x < l.size; ++x) {
                    int in_y = offset + row * l.stride + y, in_x = offset + column * l.stride + x;
                    int at = in_y * l.w + in_x;
                    if (in_y < 0 || in_y >= l.h || in_x < 0 || in_x >= l.w) continue;
#pragma omp simd
                    for (j = 0; j < block; ++j) {
                        float value = from[(size_t)at * block + j];
                        int larger = value > max[j];
                        where[j] = larger ? at : where[j];
                        max[j] = larger ? value : max[j];
                    }
                }
        }
    }
}

void backward_blocked_maxpool(layer l, network net)
{
    int block = channels_per_block(), add = accumulates(net, 0), outputs = l.out_w * l.out_h, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of_channels(l.out_c); ++i) {
        float *to = net.delta + (size_t)i * l.h * l.w * block;
        const float *delta = l.delta + (size_t)i * outputs * block;
        const int *where = l.indexes + (size_t)i * outputs * block;
        int k;
        if (!add) memset(to, 0, (size_t)l.h * l.w * block * sizeof *to);
        for (k = 0; k < outputs * block; ++k)
            if (where[k] >= 0) to[(size_t)where[k] * block + k % block] += delta[k];
    }
}

/* ---- [avgpool] --------------------------------------------------------------------------------------------------- */

void forward_blocked_avgpool(layer l, network net)
{
    int block = channels_per_block(), blocks = blocks_of_channels(l.c), spatial = l.w * l.h, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks; ++i) {
        const float *x = net.input + (size_t)i * spatial * block;
        int first = i % blocks * block, channels = l.c - first < block ? l.c - first : block, j, k;
        float sum[MAX_BLOCK] = {0};
        for (k = 0; k < spatial; ++k)
            for (j = 0; j < channels; ++j) sum[j] += x[(size_t)k * block + j];
        for (j = 0; j < channels; ++j) l.output[(size_t)(i / blocks) * l.c + first + j] = sum[j] / spatial;
    }
}

void backward_blocked_avgpool(layer l, network net)
{
    int block = channels_per_block(), blocks = blocks_of_channels(l.c), spatial = l.w * l.h;
    int add = accumulates(net, 0), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks; ++i) {
        float *to = net.delta + (size_t)i * spatial * block, mean[MAX_BLOCK] = {0};
        int first = i % blocks * block, channels = l.c - first < block ? l.c - first : block, j, k;
        for (j = 0; j < channels; ++j) mean[j] = l.delta[(size_t)(i / blocks) * l.c + first + j] / spatial;
        for (k = 0; k < spatial; ++k)
            for (j = 0; j < block; ++j) to[(size_t)k * block + j] = (add ? to[(size_t)k * block + j] : 0) + mean[j];
    }
}

#endif
