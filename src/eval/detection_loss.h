/* The loss of a detector on an image that it has just seen: what its heads would report in training, with hard labels.
 *
 * A head of Darknet reports the sum of the squares of its delta, over box, objectness and class scores; this is the sum
 * for one image, and the mean over the heads, as the trainer's lines have it per image. It is the same quantity of the
 * predictions whatever a [yolo] is trained with, so that runs can be compared: hard labels also where a head has
 * smoothing= (and the loss of ols does not move with the soft labels), class_gain=1, and one anchor an object. With
 * class_loss=softmax, too, the class term is the sum of squares of target minus score; where two objects have one
 * anchor, the target is 1 for either class, as for sigmoids. Nothing of the network changes: no weight, no statistics,
 * no count of images.
 */
#ifndef DETECTION_LOSS_H
#define DETECTION_LOSS_H

#include "eval/average_precision.h"

#include "darknet.h"

/* Why the loss of this network is not defined; NULL where it is. */
const char *detection_loss_problem(const network *net);

/* The loss of the image of w x h pixels that network_predict has just seen with batch 1. `letterbox`: whether it lay in
 * the middle of the input; otherwise it filled it. objects[count] are those of its label file, in the order of the
 * file; boxes are fractions of the image. Boxes are placed, cut and, if they are tiny, left out as the trainer does; a
 * head takes as many as it has room for. Those that are `difficult` are left out: a training does not see them. */
double detection_loss(const network *net, const ap_object *objects, size_t count, int w, int h, int letterbox);

#endif
