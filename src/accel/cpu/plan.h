/* Which layers of a network run in the blocked layout, and what they need to know of one another. Internal to
 * src/accel.
 *
 * Blocked is oneDNN's nChw16c (nChw8c where the processor has no AVX-512): channels in blocks of 16, and within a block
 * [height][width][16], so that a vector register holds one pixel. Channels beyond the last are zeros. A network that
 * stays in it from layer to layer is spared the reordering around every convolution, and batch normalisation,
 * activation and the sums of gradients take one pass each.
 *
 * Only layers between the first and the last are blocked, and only where everybody who reads their output or adds to
 * their gradient is of a kind that knows the layout. The rest of Darknet sees its own layout, nchw; the few commands
 * that look at a layer in the middle go without plans (accel_allow_plans).
 */
#ifndef PLAN_H
#define PLAN_H

#include "darknet.h"

#include "base/vectorize.h"

#include <math.h>

typedef struct {
    int ours;          /* forward and backward are those of src/accel */
    int blocked;       /* l.output, l.delta and l.x are blocked */
    int input_blocked; /* those of the layer before it are */
    int overwritten;   /* the first to write to l.delta in a backward pass does not add to it */
    /* Bit i: in a backward pass nobody has written to the i-th gradient that this layer adds to, so that it overwrites:
     * bit 0 is the layer before it, 1 the other one of [shortcut]; of [route], bit i is its i-th layer. */
    unsigned overwrites;
    void (*forward)(layer, network); /* Darknet's own, put back when the plan ends */
    void (*backward)(layer, network);
    void (*update)(layer, update_args);
} layer_plan;

/* Belongs to a network for as long as that lives, since Darknet copies networks and puts the copies back. */
struct accel_plan {
    int n, batch, w, h, train; /* of the network when the plan was made; n is 0 while there is none */
    layer_plan *layers;        /* n */
};

/* Channels in a block: 16 or 8. */
int accel_block(void);

/* Floats of a blocked tensor of l.batch images with c channels of w x h. */
size_t blocked_floats(int batch, int c, int h, int w);

static inline const layer_plan *plan_of(network net)
{
    return &net.accel->layers[net.index];
}

/* Drops convolutions that were made once there are very many of them. */
void forget_convolutions(void);

/* Whether a convolution can run as planned, with its output blocked or not; its input can be either. */
int can_plan_convolution(layer l, int blocked, int train);

/* What a plan puts in the place of l.forward and l.backward. */
void forward_planned_convolution(layer l, network net);
void backward_planned_convolution(layer l, network net);
void forward_blocked_shortcut(layer l, network net);
void backward_blocked_shortcut(layer l, network net);
void forward_blocked_route(layer l, network net);
void backward_blocked_route(layer l, network net);
void forward_blocked_upsample(layer l, network net);
void backward_blocked_upsample(layer l, network net);
void forward_blocked_maxpool(layer l, network net);
void backward_blocked_maxpool(layer l, network net);
void forward_blocked_avgpool(layer l, network net); /* from blocked to nchw */
void backward_blocked_avgpool(layer l, network net);
void update_by_sgd(layer l, update_args a);

/* Batch normalisation and activation, from the blocked l.x to the blocked l.output, with the statistics of the batch;
 * and from the gradient by l.output in l.delta to that by l.x, in place. Darknet's formulas. */
void forward_blocked_batchnorm(layer l);
void backward_blocked_batchnorm(layer l);

/* An activation of straight pieces: slope * x below 0, then x, and never more than ceiling. */
typedef struct {
    float slope, ceiling;
} pieces;

static inline pieces pieces_of(ACTIVATION a)
{
    pieces p = {a == LINEAR ? 1 : a == LEAKY ? .1f : 0, a == RELU6 ? 6 : HUGE_VALF};
    return p;
}

static inline int has_pieces(ACTIVATION a)
{
    return a == LINEAR || a == RELU || a == LEAKY || a == RELU6;
}

/* NaN stays NaN: a network that has diverged must show it. */
static inline float activate_pieces(float x, pieces p)
{
    float y = x < 0 ? x * p.slope : x;
    return y > p.ceiling ? p.ceiling : y;
}

/* The slope at x, or at its activation. Darknet takes the lower piece's at 0 too; at the ceiling it is 0. */
static inline float slope_of_pieces(float x, pieces p)
{
    return x > 0 ? (x < p.ceiling ? 1 : 0) : p.slope;
}

#endif
