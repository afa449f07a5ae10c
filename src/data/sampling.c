#include "data/sampling.h"

#include "base/memory.h"
#include "base/splitmix64.h"
#include "data/data_value.h"
#include "data/permutation.h"
#include "data/random_stream.h"

#include <stdint.h>
#include <stdlib.h>

/* The order of one epoch. */
typedef struct {
    int *images; /* [length]; NULL: not made yet */
    unsigned long long epoch;
} epoch_order;

static int length;                /* of an epoch; 0: images are drawn */
static unsigned long long row;    /* the next place, from 0 */
static epoch_order orders[2];     /* a batch often lies in two epochs: even and odd ones */
static __thread uint64_t my_next; /* the next place of this thread's part, from 1; 0: it draws */

static const char *const words[] = {"epoch", 0};

int sampling_check(const char *data_file)
{
    int which;
    return data_value_word(data_file, "sampling", words, &which);
}

void sampling_begin(const char *data_file, int count, unsigned long long seen)
{
    int i, which = -1;
    if (data_value_word(data_file, "sampling", words, &which)) exit(1);
    for (i = 0; i < 2; ++i) {
        free(orders[i].images);
        orders[i].images = 0;
    }
    length = which == 0 ? count : 0;
    row = seen;
}

unsigned long long sampling_next_part(int n)
{
    const unsigned long long first = row + 1;
    if (!length) return 0;
    row += (unsigned)n;
    return first;
}

void sampling_put_back(int n)
{
    row -= (unsigned)n;
}

void sampling_use_part(unsigned long long place)
{
    my_next = place;
}

static const int *order_of(unsigned long long epoch)
{
    epoch_order *order = orders + epoch % 2;
    if (!order->images || order->epoch != epoch) {
        /* The constant keeps these streams apart from those of random_stream.h. */
        uint64_t stream = splitmix64_mix(splitmix64_mix(random_seed() ^ 0x65706f6368ull << 24) + epoch);
        if (!order->images) order->images = (int *)xmalloc(length * sizeof *order->images);
        random_order(&stream, order->images, length, length);
        order->epoch = epoch;
    }
    return order->images;
}

int sample_image(int count)
{
    uint64_t place;
    if (!my_next) return random_rand() % count;
    place = my_next++ - 1;
    return order_of(place / length)[place % length];
}
