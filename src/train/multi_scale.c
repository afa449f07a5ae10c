/* Computes the sizes for random=1. */
#include "train/multi_scale.h"

#include "data/random_stream.h"

#include <math.h>
#include <stdlib.h>

/* The range of unpatched Darknet, which was made for cfgs of 416 x 416 and networks of stride 32. */
enum { MIN_SIDE = 320, CFG_SIDE = 416, MAX_SIDE = 608, STRIDE = 32 };

/* The multiple of `step` closest to `side`, at least `step`. */
static int nearest(double side, int step)
{
    int n = (int)floor(side / step + .5);
    return (n > 1 ? n : 1) * step;
}

multi_scale multi_scale_range(int w, int h, int stride)
{
    multi_scale s;
    int longer = w > h ? w : h;
    s.cfg_w = w;
    s.cfg_h = h;
    if (longer >= CFG_SIDE) {
        s.step = STRIDE;
        s.min_side = MIN_SIDE;
        s.count = (MAX_SIDE - MIN_SIDE) / STRIDE + 1;
        multi_scale_size(&s, s.count - 1, &s.final_w, &s.final_h);
        return s;
    }
    s.step = stride > 1 ? stride : 1;
    s.min_side = nearest((double)MIN_SIDE / CFG_SIDE * longer, s.step);
    s.count = (nearest((double)MAX_SIDE / CFG_SIDE * longer, s.step) - s.min_side) / s.step + 1;
    s.final_w = w;
    s.final_h = h;
    return s;
}

void multi_scale_size(const multi_scale *s, int i, int *w, int *h)
{
    int longer = s->min_side + i * s->step;
    *w = s->cfg_w >= s->cfg_h ? longer : nearest((double)longer * s->cfg_w / s->cfg_h, s->step);
    *h = s->cfg_h >= s->cfg_w ? longer : nearest((double)longer * s->cfg_h / s->cfg_w, s->step);
}

void multi_scale_draw(const multi_scale *s, int is_end, int *w, int *h)
{
    /* rand() is called at the end too, as in Darknet, so that all later random numbers are the same as there. */
    multi_scale_size(s, rand() % s->count, w, h);
    if (is_end) {
        *w = s->final_w;
        *h = s->final_h;
    }
}
