/* Nesterov momentum: nesterov=1 in [net].
 *
 * Darknet's SGD, for the gradient g (with weight decay), momentum mu and rate lr:
 *
 *     v <- mu v + g,   w <- w - lr v
 *
 * With nesterov=1, as in PyTorch's SGD(nesterov=True, dampening=0) (Sutskever et al. 2013, with the weights at the
 * point that is looked ahead to):
 *
 *     v <- mu v + g,   w <- w - lr (g + mu v)
 *
 * Darknet keeps -batch v in one array, adds gradients to it, and multiplies it by mu after the step, so that g is not
 * there by itself. But g + mu v = v + (mu v - mu v_before): Darknet's own step, and then the difference between what
 * the array holds after this update and what it held after the one before. So any layer's update may run first, and a
 * copy of the array is all that is kept. Between two iterations both are the same, so that no checkpoint needs the
 * copy. Networks that train in parallel have each its own, as they have each its own momentum.
 */
#ifndef NESTEROV_H
#define NESTEROV_H

#include "darknet.h"
#include "list.h"

/* Reads `nesterov` of [net]: 0 (the default) or 1. Called in parser.c at the end of [net]. Ends the program with one
 * line for another value, and for 1 together with adam=1 or clip=. */
void parse_nesterov(list *options, network *net);

/* Called after the update of layer `index` with the arguments of that update. Without nesterov=1 it does nothing.
 * Covers every array that Darknet's updates train, on the CPU and the GPU: those of layer_weight_arrays that have
 * updates. */
void nesterov_step(network *net, int index, update_args a);

/* Called where the updates were read from a checkpoint, between two iterations: what nesterov_step keeps begins with
 * them. */
void nesterov_resume(network *net);

/* Frees what nesterov_step has kept. */
void free_nesterov(network *net);

#endif
