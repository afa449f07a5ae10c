/* The plan of a network on the CPU: which layers run in the blocked layout (blocked_layout.h), and what each of these
 * has to know about the others. plan.c creates it; the functions that it puts into the layers read it.
 *
 * If layers exchange blocked tensors, nothing has to be reordered before and after every convolution, and batch
 * normalisation, activation and sums of gradients each need only one pass over memory.
 *
 * The first and the last layer are never blocked. A layer in between is blocked only if every layer that reads its
 * output or adds to its gradient supports the layout. Everything outside of the network sees Darknet's layout, nchw;
 * the few commands that read an inner layer run without plans (accel_allow_plans).
 */
#ifndef LAYER_PLAN_H
#define LAYER_PLAN_H

#include "darknet.h"

typedef struct {
    int replaced;      /* forward and backward are functions of src/accel */
    int blocked;       /* l.output, l.delta and l.x are blocked */
    int input_blocked; /* the same, of the layer before */
    /* The gradients that this layer's backward pass writes are numbered: 0 is that of the layer before it, 1 that of
     * the other input of [shortcut] and [scale_channels]; for [route], i is that of its i-th input. Bit i: this layer
     * is the first to write gradient i, so it stores (beta = 0) instead of accumulating (beta = 1). */
    unsigned first_writer_mask;
    int has_first_writer;            /* some layer stores into l.delta, so it need not be zero before a backward pass */
    void (*forward)(layer, network); /* Darknet's own, restored when the plan ends */
    void (*backward)(layer, network);
    void (*update)(layer, update_args);
} layer_plan;

enum { MAX_GRADIENTS = 32 }; /* bits of first_writer_mask */

/* Exists as long as its network, even while it is empty, because Darknet copies networks by value and writes them
 * back. */
struct accel_plan {
    int n, batch, w, h, train; /* the network's, when the plan was made; n = 0: the plan is empty */
    layer_plan *layers;        /* [n] */
};

/* The plan of the layer that is running, net.index. */
static inline const layer_plan *plan_of(network net)
{
    return &net.accel->layers[net.index];
}

/* Whether the running layer accumulates its i-th gradient (1) or stores it (0). */
static inline int accumulates(network net, int i)
{
    return !(plan_of(net)->first_writer_mask >> i & 1);
}

#endif
