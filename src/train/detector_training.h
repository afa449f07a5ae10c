/* What `detector train` does in addition to Darknet's own loop: it prints speed and time left, draws the sizes for
 * random=1, stops a training that diverges, and with -map measures the mAP on a validation list, keeps the best
 * weights, and writes a log and a chart (training.h).
 *
 * Darknet's loop calls these functions without a handle, so a process can have only one training.
 */
#ifndef DETECTOR_TRAINING_H
#define DETECTOR_TRAINING_H

#include "darknet.h"

/* Sets how often to evaluate: every `epochs` epochs; 0 (the default): never. Called before the training begins. */
void detector_training_set_map(int epochs);

/* Begins the training. Called by train_detector before its first batch. `nets` are the n networks that train in
 * parallel, `images` is the length of the training list, `options` those of the .data file; the others are arguments of
 * train_detector (weightfile may be NULL). Networks and strings stay the caller's and must live as long as the
 * training. Ends the program with one line if weights cannot be saved or -map cannot work. */
void detector_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                             char *weightfile);

/* Draws a new size for random=1 (multi_scale.h) instead of Darknet, prints it and writes it to args->w and args->h, in
 * pixels. */
void detector_training_resize(load_args *args);

/* Called when a batch has been loaded: ends the training where an image of it cannot be decoded (training.h). */
void detector_training_loaded(void);

/* Called after every iteration, when Darknet has printed its line without the line end: completes the line with epoch,
 * speed and time left. With -map, also evaluates and logs when due. Ends the program if the training has diverged
 * (divergence.h). */
void detector_training_step(double loss, double average_loss);

#endif
