/* Weights files with soft labels and a checksum at their end. They are written atomically; a file that is cut off or
 * damaged is refused.
 *
 *     Darknet's header and weights | one soft-label block (ols.h) per owner of a state, in layer order | trailer
 *
 * The trailer (trailer.h) has a checksum of the whole file. Unpatched Darknet and OpenCV stop reading before the
 * blocks. The first layers of a network, which `darknet partial` saves, are saved as Darknet does, with neither.
 *
 * A soft-label block has a checksum of its own, too, and may stand alone in a file, without weights and trailer. The
 * images seen are in Darknet's header and in the trailer, and must be the same. The block counts those since its last
 * update, which cannot be compared with them: updates may be by iterations (period=), or by the images of several GPUs.
 *
 * Every error here ends the program with one line and status 1; a file that was to be replaced is then unchanged.
 *
 * The first five functions are hooks in Darknet's save_weights_upto and load_weights_upto, in the order of their calls.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "layers/label_smoothing.h"

/* Opens the temporary file, beside `filename`, for the weights. It belongs to this module; only one can be open at a
 * time. */
FILE *checkpoint_create(const char *filename);

/* The third number of Darknet's header: TRAILER_MARK if the whole network is saved (cutoff >= net->n), otherwise 0 as
 * in unpatched Darknet. */
int checkpoint_revision(const network *net, int cutoff);

/* Completes the file of checkpoint_create: appends blocks and trailer (if the whole network was saved), flushes it to
 * the disk, and renames it to `filename`. publish_checkpoint (divergence.h) may hold back the weights of a training
 * that diverges. */
void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff);

/* Called before layer `layer` is read: remembers the first layer at which the file's weights have already ended. */
void checkpoint_mark(FILE *file, int layer);

/* Called after the last layer: refuses a file that is cut off, damaged, or belongs to another cfg. The whole file is
 * read once more for that, if it has a trailer; of a pipe only its weights are taken. Reads the blocks if the whole
 * network was loaded (start = 0 and cutoff >= net->n). */
void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff);

/* What networks are loaded for. */
typedef enum {
    LOAD_TO_USE,   /* the default: all weights must be there */
    LOAD_TO_TRAIN, /* a file that ends between two layers will do, because a training may start from the first layers of
                      another network (`darknet partial`, darknet53.conv.74) */
    LOAD_TO_RESUME /* as LOAD_TO_TRAIN; and the state of the optimiser is read, if the file has it and all weights of
                      the network are loaded. That of another network is refused */
} checkpoint_purpose;

/* Sets it for all that is loaded from now on. */
void checkpoint_load_for(checkpoint_purpose what);

/* From now on, files of these names are saved with the state of the optimiser: those that a training is resumed from.
 * The strings stay the caller's and must live as long as anything is saved; NULL: no such file. */
void checkpoint_keep_optimiser_in(const char *backup, const char *last);

/* Reads block number `which`, from 0, of a weights file of any network. Never returns NULL; the caller frees the result
 * with ols_free_state. */
ols_state *checkpoint_read_soft_labels(const char *filename, int which);

#endif
