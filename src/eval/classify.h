/* Running a Darknet classifier over a list of images. */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "eval/classification_attack.h"

#include "darknet.h"

/* Checks that a network is one to classify with: three channels, two pixels a side or more, and its last section, but
 * for a [cost] behind it, is an [ols] or a [softmax] over all classes (no groups=, tree= or spatial=). Sets *classes.
 * `cfg` is the name of its file. Returns 0, or 1 after one line on stderr. */
int check_classifier(const network *net, const char *cfg, int *classes);

/* Loads such a network, which must have as many classes as the .data file `data` says. Both files must be there:
 * Darknet ends the program where they are not. Its batch is batch= / subdivisions= of the cfg. Free with free_network.
 * Null after one line on stderr. */
network *load_classifier(const char *cfg_file, const char *weights_file, const char *data, int classes);

/* How many features an image has: the numbers that the last section with weights makes the classes' scores of. Of a
 * [connected] they are its input. Of a [convolutional], which is as a rule 1x1 with an [avgpool] behind it, a feature
 * is the mean of an input channel: such a convolution and the mean can change places. 0 after one line on stderr where
 * no section comes before it. `cfg` is the name of its file. */
int classifier_features(const network *net, const char *cfg);

/* How images are predicted; zeros: as they are. */
typedef struct {
    int flip;                     /* the mean of the predictions for the image and its mirror image */
    const attack_options *attack; /* not NULL: each image is attacked before, and `flip` is not looked at. The network
                                   * has gone through attack_prepare */
    const int *labels;            /* [count] true ones, for the attack */
    float *features;              /* not NULL: [count][classifier_features], filled in, for neither flip nor attack.
                                   * accel_allow_plans(0) came before the network was loaded */
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
