/* What `classifier train` does in addition to Darknet's own loop: it prints speed and time left, stops a training that
 * diverges, and with -topk measures top-1, top-k, validation loss and ECE on a validation list, keeps the weights with
 * the highest top-1, and writes a log and a chart (training.h).
 *
 * Darknet's loop calls these functions without a handle, so a process can have only one training.
 */
#ifndef CLASSIFIER_TRAINING_H
#define CLASSIFIER_TRAINING_H

#include "darknet.h"

/* Options, set before the training begins.
 *     topk      evaluate every this many epochs; 0 (the default): never
 *     keep      of the numbered weights, one for every epoch, keep those of every this many epochs (default 1)
 *     patience  end the training when the best top-1 is this many evaluations old; 0 (the default): never */
void classifier_training_set_topk(int epochs);
void classifier_training_set_keep(int epochs);
void classifier_training_set_patience(int evaluations);

/* Begins the training. Called by train_classifier before its first batch. `nets` are the n networks that train in
 * parallel, `images` is the length of the training list, `options` those of the .data file; the others are arguments of
 * train_classifier (weightfile may be NULL). Networks and strings stay the caller's and must live as long as the
 * training. Ends the program with one line if weights cannot be saved or -topk cannot work. */
void classifier_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                               char *weightfile);

/* Called when a batch has been loaded: ends the training where an image of it cannot be decoded (training.h). */
void classifier_training_loaded(void);

/* Called after every iteration, when Darknet has printed its line without the line end: completes the line with epoch,
 * speed and time left. With -topk, also evaluates and logs when due. Ends the program if the training has diverged
 * (divergence.h). */
void classifier_training_step(double loss, double average_loss);

/* Whether the numbered weights of this epoch are kept. Called once for every epoch that has ended, in order. */
int classifier_training_keeps(size_t epoch);

/* Whether the training ends here because of -patience; one line then says so. Called before every iteration. */
int classifier_training_is_over(void);

#endif
