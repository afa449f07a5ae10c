/* Weights files: written whole or not at all, read only when they are whole, with the soft labels at their end.
 *
 *     Darknet's header and weights | one soft-label block (ols.h) per owner of a state, in layer order
 *
 * Unpatched Darknet and OpenCV stop reading before the blocks. Every error here ends the program with one line and
 * status 1; the file on disk is then the one before.
 *
 * The first four are hooks in Darknet's save_weights_upto and load_weights_upto, in the order of their calls.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "layers/label_smoothing.h"

/* Opens the temporary file beside `filename` that the weights are written to. It belongs to this module; one can be
 * open at a time. */
FILE *checkpoint_create(const char *filename);

/* Ends what checkpoint_create began: appends the blocks (when the whole network was saved: cutoff >= net->n), flushes
 * to the disk, and gives the file its name, except where divergence.h holds back the weights of a training that
 * diverges. */
void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff);

/* Before layer number `layer` is read: remembers the first layer at which nothing of the file was left. */
void checkpoint_mark(FILE *file, int layer);

/* After the last layer: refuses a file that was cut off or is of another cfg, and reads the blocks, when the whole
 * network was loaded (start = 0 and cutoff >= net->n). */
void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff);

/* Whether a file that ends between two layers may be loaded (0, as at first, or 1). Trainers allow it, since they may
 * start from the first layers of another network (`darknet partial`, darknet53.conv.74). */
void checkpoint_allow_partial(int allow);

/* Reads block number `which`, from 0, of a weights file, whatever network it belongs to. Never NULL; the caller frees
 * it with ols_free_state. */
ols_state *checkpoint_read_soft_labels(const char *filename, int which);

#endif
