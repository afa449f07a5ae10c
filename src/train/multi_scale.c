#include "train/multi_scale.h"

#include "data/random_stream.h"

#include <math.h>
#include <stdlib.h>

/* Darknet's range, made for 416, and the stride of the networks it was made for. */
enum { LEAST = 320, USUAL = 416, MOST = 608, GRID = 32 };

/* The multiple of `step` that is closest, at least one. */
static int nearest(double side, int step)
{
    int n = (int)floor(side / step + .5);
    return (n > 1 ? n : 1) * step;
}

multi_scale multi_scale_range(int w, int h, int stride)
{
    multi_scale s;
    int longer = w > h ? w : h;
    s.w = w;
    s.h = h;
    if (longer >= USUAL) {
        s.step = GRID;
        s.least = LEAST;
        s.count = (MOST - LEAST) / GRID + 1;
        multi_scale_size(&s, s.count - 1, &s.last_w, &s.last_h);
        return s;
    }
    s.step = stride > 1 ? stride : 1;
    s.least = nearest((double)LEAST / USUAL * longer, s.step);
    s.count = (nearest((double)MOST / USUAL * longer, s.step) - s.least) / s.step + 1;
    s.last_w = w;
    s.last_h = h;
    return s;
}

void multi_scale_size(const multi_scale *s, int i, int *w, int *h)
{
    int longer = s->least + i * s->step;
    *w = s->w >= s->h ? longer : nearest((double)longer * s->w / s->h, s->step);
    *h = s->h >= s->w ? longer : nearest((double)longer * s->h / s->w, s->step);
}

void multi_scale_draw(const multi_scale *s, int last, int *w, int *h)
{
    /* Drawn in any case, as Darknet does, so that everything after it is drawn alike. */
    multi_scale_size(s, rand() % s->count, w, h);
    if (last) {
        *w = s->last_w;
        *h = s->last_h;
    }
}
