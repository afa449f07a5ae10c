/* The sizes that a detector with `random=1` trains at. Darknet draws a new one every 10 iterations.
 *
 * The longer side of the cfg's width and height sets the range, the other one follows in proportion:
 *
 *     416 and up   320 to 608 in steps of 32, and 608 at the end, as Darknet always did
 *     below        320/416 to 608/416 of the cfg's side, in steps of the network's stride, and the cfg's own size at
 *                  the end, which is the one that the network will be used at
 */
#ifndef MULTI_SCALE_H
#define MULTI_SCALE_H

#include "darknet.h"

typedef struct {
    int w, h;         /* of the cfg */
    int step;         /* sides are multiples of this */
    int least, count; /* the longer side is least, least + step, ..., least + (count-1)*step */
    int last_w, last_h;
} multi_scale;

/* The range for a cfg of w x h pixels whose network has this stride. */
multi_scale multi_scale_range(int w, int h, int stride);

/* The size for the i-th step of the range, 0 <= i < count. */
void multi_scale_size(const multi_scale *scale, int i, int *w, int *h);

/* Draws a size, by one rand(); at the end of a training (last != 0) it is last_w x last_h. */
void multi_scale_draw(const multi_scale *scale, int last, int *w, int *h);

#endif
