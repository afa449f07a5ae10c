/* Piecewise linear activations: linear, relu, leaky and relu6. One formula covers all four, so that one loop is enough:
 *
 *     f(x) = min(x < 0 ? negative_slope * x : x, ceiling)
 */
#ifndef PIECEWISE_LINEAR_H
#define PIECEWISE_LINEAR_H

#include "darknet.h"

#include <math.h>

typedef struct {
    float negative_slope;
    float ceiling; /* infinity: no ceiling */
} piecewise_linear;

static inline int is_piecewise_linear(ACTIVATION a)
{
    return a == LINEAR || a == RELU || a == LEAKY || a == RELU6;
}

/* The parameters of an activation for which is_piecewise_linear is true. */
static inline piecewise_linear piecewise_linear_of(ACTIVATION a)
{
    piecewise_linear f = {a == LINEAR ? 1 : a == LEAKY ? .1f : 0, a == RELU6 ? 6 : HUGE_VALF};
    return f;
}

/* f(x). NaN stays NaN, so that a diverged network is noticed. */
static inline float piecewise_linear_value(float x, piecewise_linear f)
{
    float y = x < 0 ? x * f.negative_slope : x;
    return y > f.ceiling ? f.ceiling : y;
}

/* f'(x), also if f(x) is given instead of x. At 0 it is the left slope, as in Darknet; at the ceiling it is 0. */
static inline float piecewise_linear_slope(float x, piecewise_linear f)
{
    return x > 0 ? (x < f.ceiling ? 1 : 0) : f.negative_slope;
}

#endif
