/* Image sizes in pixels for training a detector with `random=1`. Darknet draws a new one every 10 iterations.
 *
 * The longer side is drawn from a range that depends on the longer side in the cfg. The other side follows from the
 * aspect ratio of the cfg, rounded to a multiple of the same step.
 *
 *     416 and up   320 to 608 in steps of 32; at the end of a training 608, as in unpatched Darknet
 *     below 416    320/416 to 608/416 of the side in the cfg, in steps of the network's stride; at the end of a
 *                  training the size in the cfg, with which the network will be used
 */
#ifndef MULTI_SCALE_H
#define MULTI_SCALE_H

#include "darknet.h"

typedef struct {
    int cfg_w, cfg_h;
    int step;            /* all sides are multiples of this */
    int min_side, count; /* the longer side is one of min_side, min_side + step, ..., min_side + (count-1)*step */
    int final_w, final_h;
} multi_scale;

/* The range for a cfg of w x h pixels and a network of this stride (network_stride). */
multi_scale multi_scale_range(int w, int h, int stride);

/* Size number i of the range, 0 <= i < count. */
void multi_scale_size(const multi_scale *scale, int i, int *w, int *h);

/* Draws a size with one call of rand(). At the end of a training (is_end not 0) the size is final_w x final_h. */
void multi_scale_draw(const multi_scale *scale, int is_end, int *w, int *h);

#endif
