#define RANDOM_STREAM_IMPLEMENTATION
#include "random_stream.h"

#include <stdint.h>
#include <time.h>

static unsigned seed;
static int seeded;
static unsigned long long load; /* number of the next load, plus 1; 0: not begun */
static __thread uint64_t stream;

/* splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): one addition and a
 * mix, and any 64-bit start gives a good stream. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

void random_set_seed(unsigned value)
{
    seed = value;
    seeded = 1;
}

unsigned random_seed(void)
{
    if (!seeded) random_set_seed((unsigned)time(0));
    return seed;
}

void random_begin_loads(unsigned long long first)
{
    load = first + 1;
}

unsigned long long random_next_stream(int part)
{
    uint64_t start;
    if (!load) return 0;
    if (part == 0) ++load;
    start = mix(mix(mix(random_seed()) + load) + (uint64_t)part);
    return start ? start : 1;
}

void random_use_stream(unsigned long long value)
{
    stream = value;
}

int random_rand(void)
{
    if (!stream) return rand();
    stream += 0x9e3779b97f4a7c15ull;
    return (int)(mix(stream) >> 33); /* 31 bits: glibc's RAND_MAX is 2^31 - 1 */
}
