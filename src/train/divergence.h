/* Stops a training that has come apart, and knows which of its checkpoints is still good.
 *
 * A training has diverged when
 *     its loss is not finite, or
 *     for DIVERGENCE_ITERATIONS in a row its loss was above ten times the larger of
 *         the number of boxes that the network predicts in an image (an untrained head costs about a quarter each) and
 *         the loss of the first iteration of this run, or
 *     a weight is not finite when a checkpoint is to be written.
 * A single wild batch is none of these. While the loss is that high no checkpoint is written, but for those behind the
 * last iteration: they are named as not to be trusted, and what they replace stays as <file>.before.
 *
 * A checkpoint is good when it is finite and the iteration after it, which is the first to look at those weights, had a
 * loss below that limit. One that is not does not stay in the place of one that was.
 */
#ifndef DIVERGENCE_H
#define DIVERGENCE_H

#include "darknet.h"

enum { DIVERGENCE_ITERATIONS = 20 };

/* ---- The rule ---------------------------------------------------------------------------------------------------- */

typedef struct {
    double boxes; /* that the network predicts in an image */
    double limit; /* 0 before the first iteration */
    int high;     /* iterations in a row above it */
} loss_watch;

typedef enum { LOSS_FINE, LOSS_HIGH, LOSS_EXPLODED, LOSS_NOT_FINITE } loss_state;

/* Judges the loss of the next iteration. `watch` begins as {boxes}. */
loss_state watch_loss(loss_watch *watch, double loss);

/* The first layer that has a weight, bias, scale or rolling average that is not finite, as the host has them; -1: none.
 */
int first_layer_not_finite(const network *net);

/* ---- The training of this process -------------------------------------------------------------------------------- */

/* Begins to watch. `weights` is the file that the training starts from, or NULL; it counts as good. */
void divergence_begin(network *net, const char *weights);

/* After every iteration. Ends the program with one line and status 1 when the training has diverged. Returns 1 when the
 * loss is fine, 0 when it is so high that nothing is saved. */
int divergence_check(size_t iteration, double loss);

/* The weights have proved good otherwise: what was saved since the last iteration counts as good. */
void divergence_accept(void);

/* For checkpoint_commit, before a file takes its name: 1 when it may; 0, with one line on stderr, when the loss is too
 * high at the moment and the training is not over. Ends the program, after unlinking `temporary`, when a weight is not
 * finite. Always 1 where no training is watched. */
int divergence_allows(network *net, const char *filename, const char *temporary);

/* For checkpoint_commit, right before the rename over `filename`: keeps what is there as <filename>.before until the
 * next iteration's loss tells whether the new one is good. If it is not, divergence_check puts the old one back. */
void divergence_replaces(network *net, const char *filename);

#endif
