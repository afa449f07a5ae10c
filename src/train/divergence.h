/* Stops a training that diverges, and knows which of its checkpoints can be trusted.
 *
 * A training has diverged when
 *     its loss is not finite, or
 *     its loss was above the limit for DIVERGENCE_ITERATIONS iterations in a row, or
 *     a weight is not finite when a checkpoint is to be written.
 * The limit is ten times the largest of three numbers: the number of boxes that the network predicts per image (the
 * loss of an untrained head is about a quarter per box; a classifier has no boxes), the loss of the first iteration of
 * this run, and 1. A classifier that guesses has a loss of ln K for K classes, which is below 10. One batch
 * with a very high loss does not stop a training.
 *
 * The first iteration after a save is the first to run with the saved weights. So a checkpoint is unverified at first.
 * It becomes verified when an iteration after it has a loss that is not above the limit. Until then the file that it
 * replaced is kept as <file>.before. If the training diverges, that file gets its name back.
 *
 * While the loss is above the limit, no checkpoint is written, except after the last iteration, because its weights
 * would be lost. One line then says that the file is not to be trusted, and the file that it replaced stays as
 * <file>.before.
 */
#ifndef DIVERGENCE_H
#define DIVERGENCE_H

#include "base/atomic_file.h"

#include "darknet.h"

enum { DIVERGENCE_ITERATIONS = 20 };

/* ---- The rule ---------------------------------------------------------------------------------------------------- */

typedef struct {
    double boxes;   /* that the network predicts per image */
    double limit;   /* for the loss; 0 before the first iteration */
    int high_count; /* number of iterations in a row with a loss above the limit, up to now */
} loss_watch;

typedef enum { LOSS_FINE, LOSS_HIGH, LOSS_EXPLODED, LOSS_NOT_FINITE } loss_state;

/* Judges the loss of the next iteration. Initialize a watch as {boxes}. */
loss_state watch_loss(loss_watch *watch, double loss);

/* The index of the first layer with a weight, bias, scale or rolling average that is not finite, in host memory; -1 if
 * there is none. */
int first_layer_not_finite(const network *net);

/* ---- The training of this process -------------------------------------------------------------------------------- */

/* Begins to watch a training. `weights` is the file that it starts from, which counts as verified, or NULL.
 * `last_iteration` is the number of the iteration that the training ends with. */
void divergence_begin(network *net, const char *weights, size_t last_iteration);

/* The training ends with this iteration, the one that was judged last, and not later as divergence_begin was told. */
void divergence_end(size_t iteration);

/* Judges the loss of an iteration; called after each. If it is not above the limit, verifies the checkpoints and
 * returns 1. If it is, returns 0, and nothing will be saved. If the training has diverged, restores the files that
 * unverified checkpoints replaced, and ends the program with one line and status 1. */
int divergence_check(size_t iteration, double loss);

/* Verifies the checkpoints. For callers that know the weights are good from something other than the loss, such as an
 * mAP above 0. */
void divergence_mark_verified(void);

/* Renames a checkpoint to its final name. `file` is complete (atomic_finish) and holds the weights of `net`, which are
 * up to date in host memory. Frees what `file` holds. Returns 0, or a value of errno if the file cannot be renamed.
 *
 * In a training that is watched, this depends on the weights and the loss:
 *     If a weight is not finite, it removes the file and ends the program with one line.
 *     If the loss is above the limit before the last iteration, it removes the file, prints one line and returns 0.
 *     Otherwise it keeps the file that is replaced as <file>.before, as described at the top. */
int publish_checkpoint(network *net, atomic_file *file);

#endif
