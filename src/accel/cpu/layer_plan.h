/* The plan of a network on the CPU: which layers run in the blocked layout (blocked_layout.h), and what each of these
 * has to know of the others. plan.c makes it; the functions that it puts into the layers read it.
 *
 * A network whose layers hand blocked tensors to one another is spared the reordering before and after every
 * convolution, and batch normalisation, activation and sums of gradients take one pass each.
 *
 * Only layers between the first and the last are blocked, and only where every layer that reads their output or adds to
 * their gradient knows the layout. The rest of Darknet sees its own layout, nchw; the few commands that look at a layer
 * in the middle run without plans (accel_allow_plans).
 */
#ifndef LAYER_PLAN_H
#define LAYER_PLAN_H

#include "darknet.h"

typedef struct {
    int replaced;      /* forward and backward are those of src/accel */
    int blocked;       /* l.output, l.delta and l.x are blocked */
    int input_blocked; /* those of the layer before it are */
    /* The gradients that this layer hands back in a backward pass: number 0 goes to the layer before it, 1 to the other
     * layer of [shortcut]; number i of [route] goes to its i-th layer. Bit i: this layer is the first to write to the
     * i-th gradient, so it stores (beta 0 of the BLAS) instead of accumulating (beta 1). */
    unsigned first_writer_mask;
    int has_first_writer; /* some layer stores into l.delta, which therefore need not be zero before a backward pass */
    void (*forward)(layer, network); /* Darknet's own, put back when the plan ends */
    void (*backward)(layer, network);
    void (*update)(layer, update_args);
} layer_plan;

enum { MAX_GRADIENTS = 32 }; /* bits of first_writer_mask */

/* Belongs to a network for as long as that lives, since Darknet copies networks and puts the copies back. */
struct accel_plan {
    int n, batch, w, h, train; /* of the network when the plan was made; n is 0 while there is none */
    layer_plan *layers;        /* n */
};

/* The plan of the layer that is running, net.index. */
static inline const layer_plan *plan_of(network net)
{
    return &net.accel->layers[net.index];
}

/* Whether the running layer adds to the i-th gradient that it hands back, or else stores it. */
static inline int accumulates(network net, int i)
{
    return !(plan_of(net)->first_writer_mask >> i & 1);
}

#endif
