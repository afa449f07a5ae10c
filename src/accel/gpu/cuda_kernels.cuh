/* What the CUDA files of src/accel/gpu share. No sum depends on the order in which threads run, so two runs give the
 * same bits on one device. */
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

/* Blocks of THREADS threads that cover n elements, one each. */
static inline unsigned blocks_for(unsigned n)
{
    return (n - 1) / THREADS + 1;
}

/* The number of this thread's element. Darknet counts the elements of an array in ints, and 32 bits divide faster. */
static __device__ __forceinline__ unsigned element(void)
{
    return blockIdx.x * THREADS + threadIdx.x;
}

/* The sum of the values of a block's THREADS threads, which all have to call it; each gets the sum. */
static __device__ __forceinline__ double block_sum(double value)
{
    __shared__ double partial[THREADS / WARP];
    int i;
    for (i = WARP / 2; i > 0; i /= 2) value += __shfl_xor_sync(0xffffffffu, value, i);
    __syncthreads(); /* every thread has read the sum before this one */
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = 0;
    for (i = 0; i < THREADS / WARP; ++i) value += partial[i];
    return value;
}

#endif
