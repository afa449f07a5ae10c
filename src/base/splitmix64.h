/* splitmix64, a random number generator with 64 bits of state (Steele, Lea and Flood, "Fast Splittable Pseudorandom
 * Number Generators", OOPSLA 2014). It is fast, and every initial state gives a good stream. */
#ifndef SPLITMIX64_H
#define SPLITMIX64_H

#include <stdint.h>

/* Before a small function of a header: in a .cu file it is compiled for the GPU, too. */
#ifdef __CUDACC__
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A one-to-one function of 64 bits in which every bit of the result depends on every bit of z. */
HOST_DEVICE static inline uint64_t splitmix64_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* Advances the stream and returns its next number. */
HOST_DEVICE static inline uint64_t splitmix64_next(uint64_t *stream)
{
    *stream += 0x9e3779b97f4a7c15ull;
    return splitmix64_mix(*stream);
}

#ifdef __cplusplus
}
#endif
#endif
