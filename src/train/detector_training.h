/* What `detector train` does beside Darknet's own loop: speed and time left, the sizes of random=1, the end of a
 * training that diverges, and with -map the mAP of a validation list, the best weights, a log and a chart.
 *
 * -map N, every N epochs and after the last iteration:
 *     saves   <backup>/<cfg>_last.weights     and runs `detector map` on it
 *     keeps   <backup>/<cfg>_best.weights     those of the highest mAP
 *     adds to <backup>/<cfg>_log.csv          (training_log.h); also a row every tenth of an epoch, some 2000 at most
 *     draws   <backup>/<cfg>_chart.png        also between evaluations, once a minute at most
 * An evaluation or a chart that fails is one line on stderr, and the training goes on. A training that starts from
 * iteration 0 renames an older log and older best weights to *_log.old.csv and *_best.old.weights.
 *
 * Darknet's loop calls these functions without a handle, so a process has one training.
 */
#ifndef DETECTOR_TRAINING_H
#define DETECTOR_TRAINING_H

#include "darknet.h"

/* From the command line, before the training begins: evaluate every `epochs` epochs; 0 (the default): never. */
void detector_training_set_map(int epochs);

/* Called by train_detector before its first batch, with n networks that train in parallel, the length of the training
 * list, the options of the .data file, and its arguments (weightfile may be NULL). Networks and strings stay the
 * caller's and must live as long as the training. Ends the program with one line where weights cannot be saved or -map
 * cannot work. */
void detector_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                             char *weightfile);

/* Where Darknet draws a new size for random=1: draws it (multi_scale.h), prints it and puts it into args->w and
 * args->h, in pixels. */
void detector_training_resize(load_args *args);

/* After every iteration, when Darknet has printed its line without the end of line: ends the line with epoch, speed and
 * time left. Ends the program where the training has diverged (divergence.h). */
void detector_training_step(double loss, double average_loss);

#endif
