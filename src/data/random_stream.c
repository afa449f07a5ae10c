/* Seeds the random streams of the loading threads and replaces rand(). */
#define RANDOM_STREAM_IMPLEMENTATION
#include "data/random_stream.h"

#include "base/splitmix64.h"

#include <stdint.h>
#include <time.h>

static unsigned seed;
static int seeded;
static unsigned long long load; /* number of the next load plus 1; 0 before random_begin_loads */
static __thread uint64_t stream;

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
    start = splitmix64_mix(splitmix64_mix(splitmix64_mix(random_seed()) + load) + (uint64_t)part);
    return start ? start : 1;
}

void random_use_stream(unsigned long long value)
{
    stream = value;
}

int random_rand(void)
{
    if (!stream) return rand();
    return (int)(splitmix64_next(&stream) >> 33); /* 31 bits: glibc's RAND_MAX is 2^31 - 1 */
}
