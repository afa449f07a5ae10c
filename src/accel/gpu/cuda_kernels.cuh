/* Shared by the CUDA files of src/accel/gpu. No sum depends on the order in which threads run (no atomic additions), so
 * two runs on one device give the same bits. */
#ifndef CUDA_KERNELS_CUH
#define CUDA_KERNELS_CUH

#include <cuda_runtime.h>
#include <curand.h>
#include <cublas_v2.h>

extern "C" {
#include "accel/gpu/accel_gpu.h"
#include "cuda.h"
}

enum { WARP = 32, THREADS = 256 };

/* The number of blocks of THREADS threads for n elements, one thread each. */
static inline unsigned blocks_for(unsigned n)
{
    return (n - 1) / THREADS + 1;
}

/* The index of this thread's element. 32 bits, because division is faster, and Darknet's arrays are indexed with
 * int. */
static __device__ __forceinline__ unsigned element(void)
{
    return blockIdx.x * THREADS + threadIdx.x;
}

/* Block reduction: the sum of `value` over the THREADS threads of a block. All of them must call it, and all get the
 * sum. */
static __device__ __forceinline__ double block_sum(double value)
{
    __shared__ double partial[THREADS / WARP];
    int i;
    for (i = WARP / 2; i > 0; i /= 2) value += __shfl_xor_sync(0xffffffffu, value, i);
    __syncthreads(); /* until all threads have read `partial` of the previous call */
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = 0;
    for (i = 0; i < THREADS / WARP; ++i) value += partial[i];
    return value;
}

#endif
