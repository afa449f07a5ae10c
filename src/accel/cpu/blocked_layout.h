/* The blocked layout of tensors: oneDNN's nChw16c, or nChw8c where the processor has no AVX-512.
 *
 * Channels are divided into blocks of 16 (8). A tensor is [image][block][height][width][16], so that one vector
 * register holds the channels of one block at one pixel. Channels that the last block has too many are zeros. Darknet's
 * own layout, nchw, is [image][channel][height][width].
 */
#ifndef BLOCKED_LAYOUT_H
#define BLOCKED_LAYOUT_H

#include <stddef.h>

enum { MAX_BLOCK = 16 };

/* Channels in a block: 16 or 8, the same throughout a run. */
int channels_per_block(void);

/* Blocks that `channels` channels fill, the last one perhaps in part. */
int blocks_of_channels(int channels);

/* Floats of a blocked tensor of `batch` images with c channels of h x w, the filling of the last block included. */
size_t blocked_floats(int batch, int c, int h, int w);

#endif
