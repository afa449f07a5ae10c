/* `darknet classifier metrics`: what a classifier is worth on a list of images, beyond top-1. */
#ifndef CLASSIFIER_METRICS_H
#define CLASSIFIER_METRICS_H

/* darknet classifier metrics <data> <cfg> <weights> [<weights> ...] [options]
 *
 * The options are explained by `classifier metrics --help` (`usage` in classifier_metrics.c), the numbers in
 * eval/classification_metrics.h, how an image is seen in eval/classify.h. Several weights of one cfg are each evaluated
 * alone, and then as an ensemble: the mean of the distributions that they predict (Eq. 10 of the OLS paper).
 *
 * The arguments are those of main (argv[2] is "metrics"), before any other function took options out of them. Writes
 * the result to stdout, progress and errors (one line) to stderr. Returns the exit status: 0, or 1 on any error. */
int classifier_metrics(int argc, char **argv);

#endif
