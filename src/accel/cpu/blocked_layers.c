/* The layers between convolutions in the blocked layout (plan.h): [shortcut], [route], [upsample], [maxpool] and
 * [avgpool]. What they compute is Darknet's; a gradient that nobody has written to yet is overwritten, not added to. */
#include "accel/cpu/plan.h"

#ifdef ONEDNN

#include "accel/cpu/accel_cpu.h"

#include <float.h>
#include <string.h>

static int blocks_of(int channels)
{
    return (channels + accel_block() - 1) / accel_block();
}

/* ---- [shortcut] -------------------------------------------------------------------------------------------------- */

VECTORIZED static void add_and_activate(const float *x, const float *other, float *y, size_t n, float alpha, float beta,
                                        pieces activation)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        y[i] = activate_pieces(alpha * x[i] + beta * other[i], activation);
    }
}

/* delta, by the output y, to the gradients by the two inputs. */
VECTORIZED static void hand_back(const float *y, const float *delta, float *by_x, float *by_other, size_t n,
                                 float alpha, float beta, pieces activation, int add_x, int add_other)
{
    size_t i;
    if (!add_x && !add_other) {
#pragma omp simd
        for (i = 0; i < n; ++i) {
            float g = delta[i] * slope_of_pieces(y[i], activation);
            by_x[i] = alpha * g;
            by_other[i] = beta * g;
        }
    } else {
#pragma omp simd
        for (i = 0; i < n; ++i) {
            float g = delta[i] * slope_of_pieces(y[i], activation);
            by_x[i] = (add_x ? by_x[i] : 0) + alpha * g;
            by_other[i] = (add_other ? by_other[i] : 0) + beta * g;
        }
    }
}

/* Where the two inputs differ in size: the pixels and channels that they have in common. Rows are of `step` pixels. */
typedef struct {
    int channels, blocks, rows, columns;             /* in common */
    int here_step, here_width, here_plane, here_all; /* in pixels: between columns, rows, blocks; blocks of an image */
    int there_step, there_width, there_plane, there_all;
} overlap;

static overlap overlap_of(layer l)
{
    overlap o;
    int shrink = l.w / l.out_w < 1 ? 1 : l.w / l.out_w, grow = l.out_w / l.w < 1 ? 1 : l.out_w / l.w;
    o.channels = l.c < l.out_c ? l.c : l.out_c;
    o.blocks = blocks_of(o.channels);
    o.rows = l.h < l.out_h ? l.h : l.out_h;
    o.columns = l.w < l.out_w ? l.w : l.out_w;
    o.here_step = grow, o.here_width = l.out_w * grow, o.here_plane = l.out_w * l.out_h,
    o.here_all = blocks_of(l.out_c);
    o.there_step = shrink, o.there_width = l.w * shrink, o.there_plane = l.w * l.h, o.there_all = blocks_of(l.c);
    return o;
}

/* y += factor x on the overlap; `forward` says whether y is here or there. */
static void add_overlap(layer l, const float *x, float *y, float factor, int forward)
{
    overlap o = overlap_of(l);
    int block = accel_block(), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * o.blocks; ++i) {
        int b = i / o.blocks, k = i % o.blocks, row, column, j;
        int lanes = o.channels - k * block < block ? o.channels - k * block : block; /* what is filled up stays 0 */
        size_t here = ((size_t)b * o.here_all + k) * o.here_plane,
               there = ((size_t)b * o.there_all + k) * o.there_plane;
        for (row = 0; row < o.rows; ++row)
            for (column = 0; column < o.columns; ++column) {
                size_t at = here + (size_t)row * o.here_width + (size_t)column * o.here_step;
                size_t other = there + (size_t)row * o.there_width + (size_t)column * o.there_step;
                const float *from = x + (forward ? other : at) * block;
                float *to = y + (forward ? at : other) * block;
#pragma omp simd
                for (j = 0; j < lanes; ++j) to[j] += factor * from[j];
            }
    }
}

static int same_shape(layer l)
{
    return l.w == l.out_w && l.h == l.out_h && l.c == l.out_c;
}

void forward_blocked_shortcut(layer l, network net)
{
    const float *other = net.layers[l.index].output;
    const pieces activation = pieces_of(l.activation);
    size_t n = blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
    if (same_shape(l)) {
        IN_PARTS(n, add_and_activate(net.input + at, other + at, l.output + at, m, l.alpha, l.beta, activation));
    } else {
        accel_copy((int)n, net.input, l.output);
        add_overlap(l, other, l.output, l.beta, 1);
        accel_activate(l.output, (int)n, l.activation);
    }
}

void backward_blocked_shortcut(layer l, network net)
{
    const layer_plan *p = plan_of(net);
    const pieces activation = pieces_of(l.activation);
    float *other = net.layers[l.index].delta;
    int add_x = !(p->overwrites & 1), add_other = !(p->overwrites & 2);
    size_t n = blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
    if (same_shape(l)) {
        IN_PARTS(n, hand_back(l.output + at, l.delta + at, net.delta + at, other + at, m, l.alpha, l.beta, activation,
                              add_x, add_other));
    } else {
        accel_gradient(l.output, (int)n, l.activation, l.delta);
        if (add_x)
            accel_axpy((int)n, 1, l.delta, net.delta);
        else
            accel_copy((int)n, l.delta, net.delta);
        if (!add_other) accel_fill((int)blocked_floats(l.batch, l.c, l.h, l.w), 0, other);
        add_overlap(l, l.delta, other, l.beta, 0);
    }
}

/* ---- [route] ----------------------------------------------------------------------------------------------------- */

/* Whole blocks one after another: every input but the last has a multiple of the block's channels. */
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
    const layer_plan *p = plan_of(net);
    size_t all = blocked_floats(1, l.out_c, l.out_h, l.out_w), offset = 0;
    int i, b;
    for (i = 0; i < l.n; ++i) {
        layer to = net.layers[l.input_layers[i]];
        size_t n = blocked_floats(1, to.out_c, to.out_h, to.out_w);
        for (b = 0; b < l.batch; ++b) {
            if (p->overwrites >> i & 1)
                accel_copy((int)n, l.delta + b * all + offset, to.delta + b * n);
            else
                accel_axpy((int)n, 1, l.delta + b * all + offset, to.delta + b * n);
        }
        offset += n;
    }
}

/* ---- [upsample] -------------------------------------------------------------------------------------------------- */

void forward_blocked_upsample(layer l, network net)
{
    int block = accel_block(), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of(l.out_c) * l.out_h; ++i) {
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
    int block = accel_block(), add = !(plan_of(net)->overwrites & 1), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of(l.out_c) * l.h; ++i) {
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
    int block = accel_block(), offset = -l.pad / 2, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of(l.out_c) * l.out_h; ++i) {
        int plane = i / l.out_h, row = i % l.out_h, column, y, x, j;
        const float *from = net.input + (size_t)plane * l.h * l.w * block;
        for (column = 0; column < l.out_w; ++column) {
            size_t to = ((size_t)i * l.out_w + column) * block;
            float *max = l.output + to;
            int *where = l.indexes + to; /* the pixel within the plane; -1: none */
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
    int block = accel_block(), add = !(plan_of(net)->overwrites & 1), outputs = l.out_w * l.out_h, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks_of(l.out_c); ++i) {
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

/* The output has one pixel, and is in Darknet's layout. */
void forward_blocked_avgpool(layer l, network net)
{
    int block = accel_block(), blocks = blocks_of(l.c), spatial = l.w * l.h, i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks; ++i) {
        const float *x = net.input + (size_t)i * spatial * block;
        int first = i % blocks * block, here = l.c - first < block ? l.c - first : block, j, k;
        float sum[16] = {0};
        for (k = 0; k < spatial; ++k)
            for (j = 0; j < here; ++j) sum[j] += x[(size_t)k * block + j];
        for (j = 0; j < here; ++j) l.output[(size_t)(i / blocks) * l.c + first + j] = sum[j] / spatial;
    }
}

void backward_blocked_avgpool(layer l, network net)
{
    int block = accel_block(), blocks = blocks_of(l.c), spatial = l.w * l.h;
    int add = !(plan_of(net)->overwrites & 1), i;
#pragma omp parallel for schedule(static)
    for (i = 0; i < l.batch * blocks; ++i) {
        float *to = net.delta + (size_t)i * spatial * block, mean[16] = {0};
        int first = i % blocks * block, here = l.c - first < block ? l.c - first : block, j, k;
        for (j = 0; j < here; ++j) mean[j] = l.delta[(size_t)(i / blocks) * l.c + first + j] / spatial;
        for (k = 0; k < spatial; ++k)
            for (j = 0; j < block; ++j) to[(size_t)k * block + j] = (add ? to[(size_t)k * block + j] : 0) + mean[j];
    }
}

#endif
