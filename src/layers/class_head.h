/* The class scores of the detection heads [yolo], [region] and [detection]: label smoothing, and the keys that only
 * [yolo] has, for the weight of the class scores, for a softmax over them, and for several anchors an object.
 *
 * Darknet's own code assigns objects to anchors or cells and trains boxes and objectness. In a section with
 * `smoothing=`, these functions train the class scores instead of Darknet's code. They run on the CPU, also in GPU
 * builds, as that code does.
 *
 * A softmax head has one cross entropy: delta = q - target_sum p. A sigmoid head has one binary cross entropy per
 * class: delta[k] = q[k] - target_weight p[k] (see ols.h), and so does a linear one, with half the squared error. Both
 * times the class_scale of the section. For [yolo] that is class_gain=, and scale_class_head does it afterwards, with
 * smoothing and without; class_loss=softmax makes it a softmax head. Both are kept in the members of the layer that
 * Darknet has for [region]: class_scale and softmax; iou_thresh= is in thresh.
 */
#ifndef CLASS_HEAD_H
#define CLASS_HEAD_H

#include "layers/label_smoothing.h"

/* Whether a layer is [yolo], [region] or [detection], with or without smoothing. */
int is_detection_head(const layer *l);

/* The i-th key that only [yolo] has, of those that are read here; NULL past the last. And whether `key` is one. */
const char *head_key(int i);
int is_head_key(const char *key);

/* Reads the keys of a section: those of smoothing into l->label_smoothing, those of [yolo] into l->class_scale,
 * l->softmax and l->thresh. Called at the end of parse_yolo, parse_region and parse_detection; `index` is the number of
 * the layer. Ends the program with one line if a key is not valid. Without any of these keys it changes nothing. A
 * [yolo] with class_loss=softmax but without smoothing= is one with smoothing=hard. */
void parse_class_head(layer *l, list *options, network *net, int index);

/* Checks the sizes of a head with or without smoothing, in parse_yolo and parse_region. Ends the program with one line
 * if the layer before has another number of channels than the head needs, if `mask` names an anchor that does not
 * exist, or if `anchors` does not hold two numbers per anchor, which Darknet would write past the end of its array.
 * `inputs` is the number of outputs of the layer before, per image. */
void check_head_sizes(const layer *l, list *options, int inputs, int index);

/* The same for a [detection], whose assertion says nothing. */
void check_detection_sizes(int inputs, int side, int num, int classes, int coords, int index);

/* For a [yolo] with class_loss=softmax: writes, for every anchor, the softmax over its K class logits into the class
 * scores of l.output. `logits` is the input of the layer, batch * l.inputs floats. */
void softmax_class_head(layer l, float *logits);
#ifdef GPU
/* The same on the device, into l.output_gpu. */
void softmax_class_head_gpu(layer l, float *logits);
#endif

/* Multiplies the class deltas of a [yolo] with class_gain=, at the end of a training forward pass. They are 0 at
 * anchors without an object. */
void scale_class_head(layer l);

/* Counts the images of a batch, and forgets which objects were counted and which anchors have objects. Called at the
 * start of a training forward pass of a head with smoothing. */
void begin_class_head(layer l);

/* Writes the delta of the class scores at one anchor, for an object of class `label`. The score of class k is
 * l.output[at + k * w * h]. If the anchor of a sigmoid head was given other objects since begin_class_head, each class
 * is trained for the object whose target q of it is highest, as in Darknet with hard labels; in a softmax head the last
 * object wins. Adds the score of `label` to
 * `average` (may be NULL). Ends the program with one line if `label` is not a class of the head. */
void delta_class_head(layer l, int at, int label, float *average);

/* The same, and adds the scores to the statistics of the soft labels. An object is counted once in a forward pass, for
 * any number of anchors or heads that it is assigned to. `object` is its index in the truth of image `b` of the
 * batch. */
void train_class_head(layer l, int b, int object, int at, int label, float *average);

/* The same for a cell of [detection]. Its scores are adjacent, and its truth is one-hot (K floats). */
void train_class_cell(layer l, int b, int cell, int at, const float *truth);

/* For a [yolo] with iou_thresh= below 1, after Darknet has trained the best anchor of every object of image `b`: trains
 * the objects at every anchor of the head that is their best one, or whose IoU with them, both with the same centre, is
 * above the threshold. In the order of the truth, and as AlexeyAB's Darknet does it: an anchor that is an object's best
 * one is not spared. Its box is then trained on the mean over its objects, its objectness to 1, and its classes as
 * those of any anchor with several objects. Statistics of the soft labels and the line of the head are of best anchors
 * alone. */
void train_other_anchors(layer l, network net, int b);

/* The backward pass of a [region] with smoothing on the CPU. It does what Darknet's GPU version does; Darknet's
 * backward_region_layer for the CPU is empty. */
void backward_class_head_region(const layer l, network net);

#endif
