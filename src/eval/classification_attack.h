/* Adversarial attacks on a classifier: images changed by at most eps a pixel so that its loss grows.
 *
 * FGSM (Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial Examples", 2015; Eq. 11 and 12 of the
 * OLS paper): x' = x + eps sign(dL/dx). PGD (Madry et al., "Towards Deep Learning Models Resistant to Adversarial
 * Attacks", 2018): several such steps of step_size, after each of which x' is put back to within eps of x; with
 * random_start the first one starts from x plus uniform noise in [-eps, eps]. Every x' is cut to [0, 1]. L = -log p[y],
 * the cross entropy of the true label, whatever the network was trained with.
 */
#ifndef CLASSIFICATION_ATTACK_H
#define CLASSIFICATION_ATTACK_H

#include "darknet.h"

#include <stdint.h>

/* FGSM is one step with step_size = eps. Pixels are 0 to 1, so the papers' 8/255 is 8./255. */
typedef struct {
    int steps;
    double eps, step_size;
    int random_start;
    uint64_t seed; /* of the random start; each image of a list has a stream of its own */
} attack_options;

/* Makes the backward pass of a classifier (classify.h) that of inference, where batch normalisation is a fixed factor
 * and shift, and dropout does nothing. Darknet's own backward pass of batch normalisation, also outside of training,
 * holds the derivatives of the batch's mean and variance. So the factor and shift go into the weights and biases; what
 * the network predicts stays the same but for rounding. It cannot be trained or saved afterwards.
 *
 * Returns 0, or 1 after one line on stderr where a section is of a kind that this does not know. */
int attack_prepare(network *net, const char *cfg);

/* gradient[net->batch][net->inputs] = dL/dx for the images of `input`, the first `count` of which have labels; 0 for
 * the others. Returns the network's output for them, [net->batch][net->outputs], which is the network's. */
const float *attack_gradient(network *net, float *input, const int *labels, int count, float *gradient);

/* Changes the images of `input` as above. `first` is the place of the first one in its list. Returns the network's
 * output for the changed images, as attack_gradient does. */
const float *attack_images(network *net, float *input, const int *labels, int count, int first,
                           const attack_options *options);

#endif
