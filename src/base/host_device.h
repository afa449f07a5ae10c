/* HOST_DEVICE before a small function of a header: in a .cu file it is compiled for the GPU, too. */
#ifndef HOST_DEVICE_H
#define HOST_DEVICE_H

#ifdef __CUDACC__
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

#endif
