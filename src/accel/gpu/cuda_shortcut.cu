/* [shortcut] of two layers with the same shape, as in residual blocks: one kernel each way, where Darknet's CUDA code
 * runs a copy and an addition. */
#include "accel/gpu/cuda_kernels.cuh"

static __global__ void add_kernel(unsigned n, const float *input, const float *from, float alpha, float beta,
                                  float *output)
{
    unsigned i = element();
    if (i < n) output[i] = alpha * input[i] + beta * from[i];
}

/* input_delta and from_delta may be the same array; then both terms are added to it, one after the other. */
static __global__ void add_gradient_kernel(unsigned n, const float *delta, float alpha, float beta, float *input_delta,
                                           float *from_delta)
{
    unsigned i = element();
    if (i >= n) return;
    input_delta[i] += alpha * delta[i];
    from_delta[i] += beta * delta[i];
}

static int same_shape(layer l)
{
    return l.w == l.out_w && l.h == l.out_h && l.c == l.out_c;
}

int accel_forward_shortcut_gpu(layer l, network net)
{
    unsigned n = l.batch * l.outputs;
    if (!same_shape(l)) return 0;
    add_kernel<<<blocks_for(n), THREADS>>>(n, net.input_gpu, net.layers[l.index].output_gpu, l.alpha, l.beta,
                                           l.output_gpu);
    check_error(cudaPeekAtLastError());
    return 1;
}

int accel_backward_shortcut_gpu(layer l, network net)
{
    unsigned n = l.batch * l.outputs;
    if (!same_shape(l)) return 0;
    add_gradient_kernel<<<blocks_for(n), THREADS>>>(n, l.delta_gpu, l.alpha, l.beta, net.delta_gpu,
                                                    net.layers[l.index].delta_gpu);
    check_error(cudaPeekAtLastError());
    return 1;
}
