/* splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): a random stream in
 * 64 bits. One addition and a mix a number, and any start gives a good stream. */
#ifndef SPLITMIX64_H
#define SPLITMIX64_H

#include <stdint.h>

/* A bijection of 64 bits in which every bit of the result depends on every bit of z. */
static inline uint64_t splitmix64_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* The next number of a stream. */
static inline uint64_t splitmix64_next(uint64_t *stream)
{
    *stream += 0x9e3779b97f4a7c15ull;
    return splitmix64_mix(*stream);
}

#endif
