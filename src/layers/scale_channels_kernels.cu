/* CUDA twins of the loops in scale_channels_layer.c. Sums are in a fixed order, so that two runs on one device give the
 * same bits. */
#include "layers/scale_channels_layer.h"

#include <cuda_runtime.h>
#include <curand.h>
#include <cublas_v2.h>

extern "C" {
#include "cuda.h"
}

enum { WARP = 32, THREADS = 256 };

static unsigned blocks_for(unsigned n)
{
    return (n - 1) / THREADS + 1;
}

/* The index of element i's scale. */
static __device__ unsigned scale_of(unsigned i, int channels, int spatial, int scale_wh)
{
    return scale_wh ? i / spatial / channels * spatial + i % spatial : i / spatial;
}

static __global__ void forward_kernel(unsigned n, const float *x, const float *scales, int channels, int spatial,
                                      int scale_wh, float *output)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    if (i < n) output[i] = x[i] * scales[scale_of(i, channels, spatial, scale_wh)];
}

static __global__ void x_gradient_kernel(unsigned n, const float *delta, const float *scales, int channels, int spatial,
                                         int scale_wh, float *x_delta)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    if (i < n) x_delta[i] += delta[i] * scales[scale_of(i, channels, spatial, scale_wh)];
}

/* One block for each plane: the sum over its pixels. */
static __global__ void plane_gradient_kernel(const float *delta, const float *x, int spatial, float *scales_delta)
{
    __shared__ double partial[THREADS / WARP];
    const size_t at = (size_t)blockIdx.x * spatial;
    double sum = 0;
    int i;
    for (i = threadIdx.x; i < spatial; i += THREADS) sum += (double)delta[at + i] * x[at + i];
    for (i = WARP / 2; i > 0; i /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, i);
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = sum;
    __syncthreads();
    if (threadIdx.x) return;
    for (i = 1; i < THREADS / WARP; ++i) sum += partial[i];
    scales_delta[blockIdx.x] += (float)sum;
}

/* One thread for each pixel of an image: the sum over its channels. */
static __global__ void pixel_gradient_kernel(unsigned n, const float *delta, const float *x, int channels, int spatial,
                                             float *scales_delta)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    float sum = 0;
    int k;
    if (i >= n) return;
    for (k = 0; k < channels; ++k) {
        const size_t at = ((size_t)(i / spatial) * channels + k) * spatial + i % spatial;
        sum += delta[at] * x[at];
    }
    scales_delta[i] += sum;
}

void scale_channels_gpu(const float *x, const float *scales, int batch, int channels, int spatial, int scale_wh,
                        float *output)
{
    const unsigned n = batch * channels * spatial;
    forward_kernel<<<blocks_for(n), THREADS>>>(n, x, scales, channels, spatial, scale_wh, output);
    check_error(cudaPeekAtLastError());
}

void scale_channels_gradient_gpu(const float *delta, const float *x, const float *scales, int batch, int channels,
                                 int spatial, int scale_wh, float *x_delta, float *scales_delta)
{
    const unsigned n = batch * channels * spatial, pixels = batch * spatial;
    if (scale_wh)
        pixel_gradient_kernel<<<blocks_for(pixels), THREADS>>>(pixels, delta, x, channels, spatial, scales_delta);
    else
        plane_gradient_kernel<<<batch * channels, THREADS>>>(delta, x, spatial, scales_delta);
    x_gradient_kernel<<<blocks_for(n), THREADS>>>(n, delta, scales, channels, spatial, scale_wh, x_delta);
    check_error(cudaPeekAtLastError());
}
