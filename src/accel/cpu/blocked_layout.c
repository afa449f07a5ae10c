#include "accel/cpu/blocked_layout.h"

#ifdef ONEDNN

#include <dnnl.h>

int channels_per_block(void)
{
    static int block;
    /* oneDNN's values for instruction sets are bit masks, so they must not be compared with < */
    if (!block) block = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core ? 16 : 8;
    return block;
}

int blocks_of_channels(int channels)
{
    return (channels + channels_per_block() - 1) / channels_per_block();
}

size_t blocked_floats(int batch, int c, int h, int w)
{
    return (size_t)batch * (blocks_of_channels(c) * channels_per_block()) * h * w;
}

#endif
