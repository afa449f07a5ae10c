/* Weights files with soft labels at their end. They are written atomically; a file that is cut off or damaged is
 * refused.
 *
 *     Darknet's header and weights | one soft-label block (ols.h) per owner of a state, in layer order
 *
 * Unpatched Darknet and OpenCV stop reading before the blocks. Every error here ends the program with one line and
 * status 1; a file that was to be replaced is then unchanged.
 *
 * The first four functions are hooks in Darknet's save_weights_upto and load_weights_upto, in the order of their calls.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "layers/label_smoothing.h"

/* Opens the temporary file, beside `filename`, for the weights. It belongs to this module; only one can be open at a
 * time. */
FILE *checkpoint_create(const char *filename);

/* Completes the file of checkpoint_create: appends the blocks (if the whole network was saved: cutoff >= net->n),
 * flushes it to the disk, and renames it to `filename`. publish_checkpoint (divergence.h) may hold back the weights of
 * a training that diverges. */
void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff);

/* Called before layer `layer` is read: remembers the first layer at which the file has already ended. */
void checkpoint_mark(FILE *file, int layer);

/* Called after the last layer: refuses a file that is cut off or belongs to another cfg. Reads the blocks if the whole
 * network was loaded (start = 0 and cutoff >= net->n). */
void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff);

/* Sets whether a file that ends between two layers may be loaded: 0 (the default) or 1. Trainers allow it, because they
 * may start from the first layers of another network (`darknet partial`, darknet53.conv.74). */
void checkpoint_allow_partial(int allow);

/* Reads block number `which`, from 0, of a weights file of any network. Never returns NULL; the caller frees the result
 * with ols_free_state. */
ols_state *checkpoint_read_soft_labels(const char *filename, int which);

#endif
