/* Weights files: written whole or not at all, read only when they are whole, with the soft labels at their end.
 *
 *     Darknet's header and weights | one soft-label block (ols.h) per owner of a state, in layer order
 *
 * Unpatched Darknet and OpenCV stop reading before the blocks. Errors end the program with one line and status 1; the
 * file on disk is then the one before.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "layers/label_smoothing.h"

/* For save_weights_upto: opens a temporary file beside `filename`. */
FILE *checkpoint_create(const char *filename);
/* Appends the blocks (when the whole network was saved: cutoff >= net->n), flushes, and renames over `filename`; not
 * while a training is coming apart (divergence.h). */
void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff);

/* For load_weights_upto, before a layer is read: remembers the first layer before which the file ended. */
void checkpoint_mark(FILE *file, int layer);
/* After the last layer: checks that nothing was cut off, and reads the blocks (start = 0 and cutoff >= net->n). */
void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff);

/* Trainers may start from the first layers of another network (`darknet partial`, darknet53.conv.74): then a file that
 * ends between two layers is welcome. Everywhere else it is an error. */
void checkpoint_allow_partial(int allow);

/* Reads the which-th block of a weights file, whatever network it belongs to; the caller frees the state. Ends the
 * program when the file has no sound block. For `darknet ols show`. */
ols_state *checkpoint_read_soft_labels(const char *filename, int which);

#endif
