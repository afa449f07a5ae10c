/* Label smoothing in the detection heads: the class scores of [yolo], [region] and [detection].
 *
 * Darknet's own code assigns objects to anchors or cells and trains boxes and objectness. In a section with
 * `smoothing=`, these functions train the class scores instead of Darknet's code. They run on the CPU, also in GPU
 * builds, as that code does.
 *
 * A softmax head has one cross entropy: delta = q - target_sum p. A sigmoid head has one binary cross entropy per
 * class: delta[k] = q[k] - target_weight p[k] (see ols.h), and so does a linear one, with half the squared error. Both
 * times the class_scale of the section.
 */
#ifndef CLASS_HEAD_H
#define CLASS_HEAD_H

#include "layers/label_smoothing.h"

/* Whether a layer is [yolo], [region] or [detection], with or without smoothing. */
int is_detection_head(const layer *l);

/* Reads the smoothing keys of a section into l->label_smoothing. Called at the end of parse_yolo, parse_region and
 * parse_detection; `index` is the number of the layer. Ends the program with one line if a key is not valid. Without
 * any of these keys it changes nothing. */
void parse_class_head(layer *l, list *options, network *net, int index);

/* Checks the sizes of a head with or without smoothing, in parse_yolo and parse_region. Ends the program with one line
 * if the layer before has another number of channels than the head needs, if `mask` names an anchor that does not
 * exist, or if `anchors` does not hold two numbers per anchor, which Darknet would write past the end of its array.
 * `inputs` is the number of outputs of the layer before, per image. */
void check_head_sizes(const layer *l, list *options, int inputs, int index);

/* Counts the images of a batch and forgets which objects were counted. Called at the start of a training forward pass
 * of a head with smoothing. */
void begin_class_head(layer l);

/* Writes the delta of the class scores at one anchor, for an object of class `label`. The score of class k is
 * l.output[at + k * w * h]. If an earlier object has the same anchor of a sigmoid head, each class keeps the larger of
 * the two deltas, as in Darknet with hard labels. Adds the score of `label` to `average` (may be NULL). Ends the
 * program with one line if `label` is not a class of the head. */
void delta_class_head(layer l, int at, int label, float *average);

/* The same, and adds the scores to the statistics of the soft labels. An object is counted once in a forward pass, for
 * any number of anchors or heads that it is assigned to. `object` is its index in the truth of image `b` of the
 * batch. */
void train_class_head(layer l, int b, int object, int at, int label, float *average);

/* The same for a cell of [detection]. Its scores are adjacent, and its truth is one-hot (K floats). */
void train_class_cell(layer l, int b, int cell, int at, const float *truth);

/* The backward pass of a [region] with smoothing on the CPU. It does what Darknet's GPU version does; Darknet's
 * backward_region_layer for the CPU is empty. */
void backward_class_head_region(const layer l, network net);

#endif
