/* Augmentation of a classifier's training images, by keys of [net]. They are 0 where they are absent, and the images
 * are then loaded by Darknet's own function.
 *
 *   pad=N      the image, scaled and cut to the size of the network as in validation, gets N black pixels on each side,
 *              and a random square of the network's size is cut out of it (He et al. 2016, section 4.2, with N = 4). It
 *              takes the place of Darknet's random crop, and so of min_crop, max_crop, min_ratio, max_ratio, angle and
 *              aspect
 *   cutout=N   a square of N x N pixels becomes grey. Its centre is anywhere in the image, so that a part of the square
 *              may lie outside (DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with
 *              Cutout", 2017)
 *   mixup=A    the image is mixed with a second one: lambda of the first, and 1 - lambda of the second, pixels and
 *              truth alike, with lambda from Beta(A, A) for each image anew (Zhang et al., "mixup", ICLR 2018)
 *
 * In this order: crop, Darknet's flip and colours, cutout, and of two images made so mixup. Padding is black, because
 * pixels go into the network as 0 to 1, without a mean subtracted, and because Darknet's own crop is black outside of
 * the image. Cutout's paper sets pixels to 0 after the mean was subtracted, that is, to the mean; CUTOUT_VALUE is the
 * middle of the range, close to the mean of photographs (.47 in CIFAR-10), and what Darknet puts around an image.
 *
 * All random numbers are of the stream of the part of the batch (random_stream.h). The partner in mixup is drawn from
 * the whole list, not from the batch: a part often has only one image, and the parts must not depend on each other. So
 * twice as many images are loaded, and with sampling=epoch every image is once an epoch the first of a pair.
 */
#ifndef AUGMENTATION_H
#define AUGMENTATION_H

#include "darknet.h"
#include "list.h"

#define CUTOUT_VALUE .5f

/* Reads the keys of [net] into the network, after its width, height and crop were read. Ends the program with one line
 * for a value out of its range, or for a key that contradicts pad=. */
void parse_augmentation(list *options, network *net);

/* Whether this is one of the keys: they are for training alone. */
int is_augmentation_key(const char *key);

/* Moves the keys from the n networks of a training into what its images are loaded by. Ends the program with one line
 * where that is not a classifier's images with one label, or where it has a hierarchy of labels and mixup=. */
void use_augmentation(network **nets, int n, load_args *args);

/* Ends the program with one line if the network still has one of the keys: this training would have no use for it.
 * Darknet calls it in every step of every training. */
void refuse_augmentation(const network *net);

/* Whether images are to be loaded by load_augmented in the place of Darknet's load_data_augment, and the part of a
 * batch that it loads: `args->n` images and their truth. The caller frees it with free_data. */
int augments(const load_args *args);
data load_augmented(const load_args *args);

#endif
