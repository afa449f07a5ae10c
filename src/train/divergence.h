/* Stops a training that diverges, and knows which of its checkpoints can be trusted.
 *
 * A training has diverged when
 *     its loss is not finite, or
 *     its loss was above the limit for DIVERGENCE_ITERATIONS iterations in a row, or
 *     a weight is not finite when a checkpoint is to be written.
 * The limit is ten times the larger of the number of boxes that the network predicts in an image (an untrained head
 * costs about a quarter a box) and the loss of the first iteration of this run. A single wild batch is below that, or
 * is alone above it.
 *
 * The iteration after a save is the first that runs with the saved weights. So a checkpoint is unverified at first, and
 * verified as soon as an iteration after it has a loss that is not above the limit. Until then the file that it has
 * replaced stays beside it, as <file>.before; when the training diverges, that file gets its name back.
 *
 * While the loss is above the limit no checkpoint is written. After the last iteration it is written nevertheless,
 * since the weights would be lost: one line says that the file is not to be trusted, and what it has replaced stays as
 * <file>.before.
 */
#ifndef DIVERGENCE_H
#define DIVERGENCE_H

#include "base/atomic_file.h"

#include "darknet.h"

enum { DIVERGENCE_ITERATIONS = 20 };

/* ---- The rule ---------------------------------------------------------------------------------------------------- */

typedef struct {
    double boxes;   /* that the network predicts in an image */
    double limit;   /* of the loss; 0 before the first iteration */
    int high_count; /* how many iterations in a row were above it, up to now */
} loss_watch;

typedef enum { LOSS_FINE, LOSS_HIGH, LOSS_EXPLODED, LOSS_NOT_FINITE } loss_state;

/* Judges the loss of the next iteration. A watch starts as {boxes}. */
loss_state watch_loss(loss_watch *watch, double loss);

/* The index of the first layer that has a weight, bias, scale or rolling average that is not finite, as they are in
 * host memory; -1: none. */
int first_layer_not_finite(const network *net);

/* ---- The training of this process -------------------------------------------------------------------------------- */

/* Begins to watch. `weights` is the file that the training starts from, or NULL; it counts as verified. */
void divergence_begin(network *net, const char *weights);

/* After every iteration. Verifies the checkpoints when the loss is not above the limit. Returns 1 then; 0 where it is
 * above, and nothing will be saved. When the training has diverged: puts back what unverified checkpoints have
 * replaced, and ends the program with one line and status 1. */
int divergence_check(size_t iteration, double loss);

/* For who knows by other means that the weights are good (an mAP above 0): verifies the checkpoints. */
void divergence_mark_verified(void);

/* Gives a checkpoint its name: `file` was written and finished (atomic_finish), and holds the weights of `net`, which
 * are current in host memory. Frees what `file` holds. Returns 0, or a value of errno where it cannot be renamed.
 *
 * Where a training is watched,
 *     it ends the program with one line when a weight is not finite; the file is then removed;
 *     it removes the file and returns 0, after one line on stderr, when the loss is above the limit and this is not the
 *     last iteration;
 *     it keeps what the file replaces as <file>.before, as said at the top. */
int publish_checkpoint(network *net, atomic_file *file);

#endif
