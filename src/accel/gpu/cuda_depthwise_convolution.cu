/* Depthwise convolution on a GPU without cuDNN: every channel is convolved with its own n / c filters. Each pass is one
 * kernel; Darknet runs a small matrix product for every channel of every image. */
#include "accel/gpu/cuda_kernels.cuh"

typedef struct {
    int batch, c, h, w;    /* input: batch x c x h x w */
    int n, out_h, out_w;   /* output: batch x n x out_h x out_w; filter f reads channel f / (n / c) */
    int size, stride, pad; /* weights: n x size x size */
} shape;

static shape shape_of(layer l)
{
    shape s = {l.batch, l.c, l.h, l.w, l.n, l.out_h, l.out_w, l.size, l.stride, l.pad};
    return s;
}

/* One thread per output. SIZE is s.size if it is known at compile time, so that the loops for 3x3 filters are unrolled;
 * otherwise 0. */
template <int SIZE> static __global__ void forward_kernel(shape s, const float *x, const float *weights, float *output)
{
    int size = SIZE ? SIZE : s.size, spatial = s.out_h * s.out_w, plane, f, left, top, i, j;
    float sum = 0;
    if (element() >= (unsigned)(s.batch * s.n * spatial)) return;
    plane = (int)(element() / spatial); /* b * n + f */
    f = plane % s.n;
    left = (int)(element() % spatial) % s.out_w * s.stride - s.pad;
    top = (int)(element() % spatial) / s.out_w * s.stride - s.pad;
    x += ((size_t)(plane / s.n) * s.c + f / (s.n / s.c)) * s.h * s.w;
    weights += (size_t)f * size * size;
#pragma unroll
    for (i = 0; i < size; ++i) {
#pragma unroll
        for (j = 0; j < size; ++j)
            if (top + i >= 0 && top + i < s.h && left + j >= 0 && left + j < s.w)
                sum += weights[i * size + j] * x[(size_t)(top + i) * s.w + left + j];
    }
    output[element()] = sum;
}

/* One thread per input, which sums over the outputs that depend on this input; so no two threads add to the same
 * address. */
template <int SIZE>
static __global__ void backward_data_kernel(shape s, const float *delta, const float *weights, float *input_delta)
{
    int size = SIZE ? SIZE : s.size, spatial = s.h * s.w, per_channel = s.n / s.c, plane, row, column, m, i, j;
    float sum = 0;
    if (element() >= (unsigned)(s.batch * s.c * spatial)) return;
    plane = (int)(element() / spatial); /* b * c + channel; its per_channel planes in delta are adjacent */
    row = (int)(element() % spatial) / s.w + s.pad;
    column = (int)(element() % spatial) % s.w + s.pad;
    for (m = 0; m < per_channel; ++m) {
        const float *from = delta + ((size_t)plane * per_channel + m) * s.out_h * s.out_w;
        const float *filter = weights + (size_t)(plane % s.c * per_channel + m) * size * size;
#pragma unroll
        for (i = 0; i < size; ++i) {
            int y = (row - i) / s.stride;
            if (row < i || (row - i) % s.stride || y >= s.out_h) continue;
#pragma unroll
            for (j = 0; j < size; ++j) {
                int at = (column - j) / s.stride;
                if (column < j || (column - j) % s.stride || at >= s.out_w) continue;
                sum += filter[i * size + j] * from[(size_t)y * s.out_w + at];
            }
        }
    }
    input_delta[element()] += sum;
}

/* One block per weight. */
static __global__ void backward_weights_kernel(shape s, const float *x, const float *delta, float *weight_updates)
{
    int weight = blockIdx.x, f = weight / (s.size * s.size), spatial = s.out_h * s.out_w;
    int row = weight / s.size % s.size - s.pad, column = weight % s.size - s.pad;
    float sum = 0;
    double total;
    unsigned e, elements = s.batch * spatial;
    for (e = threadIdx.x; e < elements; e += THREADS) {
        int b = (int)(e / spatial), at = (int)(e % spatial);
        int i = at / s.out_w * s.stride + row, j = at % s.out_w * s.stride + column;
        if (i >= 0 && i < s.h && j >= 0 && j < s.w)
            sum += delta[((size_t)b * s.n + f) * spatial + at] *
                   x[(((size_t)b * s.c + f / (s.n / s.c)) * s.h + i) * s.w + j];
    }
    total = block_sum(sum);
    if (threadIdx.x == 0) weight_updates[weight] += (float)total;
}

static int is_depthwise(layer l)
{
    return l.groups > 1 && l.groups == l.c && l.n % l.c == 0 && !l.binary && !l.xnor;
}

int accel_forward_convolution_gpu(layer l, network net)
{
    unsigned blocks = blocks_for(l.batch * l.outputs);
    if (!is_depthwise(l)) return 0;
    if (l.size == 3)
        forward_kernel<3><<<blocks, THREADS>>>(shape_of(l), net.input_gpu, l.weights_gpu, l.output_gpu);
    else
        forward_kernel<0><<<blocks, THREADS>>>(shape_of(l), net.input_gpu, l.weights_gpu, l.output_gpu);
    check_error(cudaPeekAtLastError());
    return 1;
}

int accel_backward_convolution_gpu(layer l, network net)
{
    unsigned blocks = blocks_for(l.batch * l.inputs);
    if (!is_depthwise(l)) return 0;
    backward_weights_kernel<<<l.nweights, THREADS>>>(shape_of(l), net.input_gpu, l.delta_gpu, l.weight_updates_gpu);
    check_error(cudaPeekAtLastError());
    if (!net.delta_gpu) return 1;
    if (l.size == 3)
        backward_data_kernel<3><<<blocks, THREADS>>>(shape_of(l), l.delta_gpu, l.weights_gpu, net.delta_gpu);
    else
        backward_data_kernel<0><<<blocks, THREADS>>>(shape_of(l), l.delta_gpu, l.weights_gpu, net.delta_gpu);
    check_error(cudaPeekAtLastError());
    return 1;
}
