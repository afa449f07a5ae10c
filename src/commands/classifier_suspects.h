/* `darknet classifier suspects`: the images whose label a trained classifier disbelieves most. */
#ifndef CLASSIFIER_SUSPECTS_H
#define CLASSIFIER_SUSPECTS_H

/* darknet classifier suspects <data> <cfg> <weights> [options]
 *
 * The options are explained by `classifier suspects --help` (`usage` in classifier_suspects.c), the score in
 * eval/suspect_labels.h, how an image is seen in eval/classify.h. Trains nothing.
 *
 * The arguments are those of main (argv[2] is "suspects"), before any other function took options out of them. Writes
 * the result to stdout, progress and errors (one line) to stderr. Returns the exit status: 0, or 1 on any error. */
int classifier_suspects(int argc, char **argv);

#endif
