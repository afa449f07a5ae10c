/* Evaluates a checkpoint during a training. The program's own command, `detector map` or `classifier metrics`, runs in
 * a process of its own, so that the training keeps its memory and random numbers, and goes on if an evaluation fails.
 */
#ifndef VALIDATION_H
#define VALIDATION_H

#include "eval/threshold_search.h"

#include <stddef.h>

/* What is evaluated. */
typedef struct {
    const char *data_file, *cfg_file, *weights; /* the images are those of the data file's valid= list */
    int gpu;                                    /* its number; below 0: on the CPU */
} validation_input;

/* What a detector is worth on the validation list. */
typedef struct {
    double map;  /* 0 to 1 */
    double loss; /* mean over the images, with hard labels (eval/detection_loss.h); -1: none, or not finite */
    double *ap;  /* [classes] of the caller: 0 to 1; -1: the list has no object of the class */
    int classes;
    best_threshold best;     /* one threshold for all classes; of F1 0: no box was right */
    best_threshold *best_of; /* [classes] of the caller; NULL: not asked for */
} detector_scores;

/* What a classifier is worth on the validation list. */
typedef struct {
    double top1, top_k; /* accuracy, 0 to 1 */
    double nll;         /* mean negative log-likelihood of the labels, in nats: the cross entropy with hard labels */
    double ece;         /* expected calibration error, 0 to 1 */
} classifier_scores;

/* The errors of a classifier on training images whose label noise has changed, as shares of these images. */
typedef struct {
    double given; /* the prediction is not the wrong label that it was trained with */
    double clean; /* the prediction is not the true label */
} noise_errors;

/* Each runs the command and waits for the result. Prints the child's progress on stderr: on a terminal in one line that
 * is overwritten, elsewhere a line every ten seconds. The child writes its results to a file beside the weights, which
 * is removed afterwards. The reason of an error is in `why` (`size` bytes, one line without its end). */

/* Measures a detector: sets all but `classes` and the arrays themselves. `has_loss`: whether it has a loss
 * (detection_loss_problem). Returns 0, or -1 after an error. */
int validation_detector(const validation_input *input, int has_loss, detector_scores *scores, char *why, size_t size);

/* Measures a classifier, with top-k for this k. Returns 0, or -1 after an error. */
int validation_scores(const validation_input *input, int k, classifier_scores *scores, char *why, size_t size);

/* Measures a classifier on the images of train= whose label noise has changed, on `most` of them at most, always the
 * same. Returns 0, or -1 after an error; there must be such images. */
int validation_noise(const validation_input *input, int most, noise_errors *errors, char *why, size_t size);

/* The same from a file that was written by `detector map -json` and by `classifier metrics -json`. */
int validation_read_detector(const char *json_file, detector_scores *scores, char *why, size_t size);
int validation_read_scores(const char *json_file, classifier_scores *scores, char *why, size_t size);
int validation_read_noise(const char *json_file, noise_errors *errors, char *why, size_t size);

#endif
