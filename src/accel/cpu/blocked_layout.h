/* The blocked layout of tensors: oneDNN's nChw16c, or nChw8c if the CPU has no AVX-512.
 *
 * Channels are divided into blocks of 16 (or 8). A tensor is [image][block][height][width][16], so that one vector
 * register holds the 16 channels of a block at one pixel. If the last block is not full, its padding channels are
 * zeros. Darknet's own layout, nchw, is [image][channel][height][width].
 */
#ifndef BLOCKED_LAYOUT_H
#define BLOCKED_LAYOUT_H

#include <stddef.h>

enum { MAX_BLOCK = 16 };

/* Channels per block, 16 or 8; constant during a run. */
int channels_per_block(void);

/* The number of blocks for `channels` channels; the last one may not be full. */
int blocks_of_channels(int channels);

/* The number of floats in a blocked tensor of `batch` images with c channels of h x w, including padding channels. */
size_t blocked_floats(int batch, int c, int h, int w);

#endif
