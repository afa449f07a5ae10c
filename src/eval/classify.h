/* Running a Darknet classifier over a list of images. */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "eval/classification_attack.h"

#include "darknet.h"

/* Checks that a network is one to classify with: three channels, two pixels a side or more, and its last section, but
 * for a [cost] behind it, is an [ols] or a [softmax] over all classes (no groups=, tree= or spatial=). Sets *classes.
 * `cfg` is the name of its file. Returns 0, or 1 after one line on stderr. */
int check_classifier(const network *net, const char *cfg, int *classes);

/* Loads such a network. Both files must be there: Darknet ends the program where they are not. Its batch is batch= /
 * subdivisions= of the cfg. Sets *classes. Free with free_network. Null after one line on stderr. */
network *load_classifier(const char *cfg_file, const char *weights_file, int *classes);

/* How images are predicted; zeros: as they are. */
typedef struct {
    int flip;                     /* the mean of the predictions for the image and its mirror image */
    const attack_options *attack; /* not NULL: each image is attacked before, and `flip` is not looked at. The network
                                   * has gone through attack_prepare */
    const int *labels;            /* [count] true ones, for the attack */
} classify_options;

/* Predicts `count` images. Each is seen as `classifier valid` sees it: the largest square in its middle, scaled to the
 * size of the network's input.
 *
 * probabilities: [count][classes], filled in.
 *
 * A batch is decoded by threads while the network works on the one before. Shows progress on stderr. Returns 0, or 1
 * after one line on stderr. */
int classify_images(network *net, char **paths, int count, const classify_options *how, float *probabilities);

#endif
