/* The class heads of [yolo], [region] and [detection] with label smoothing.
 *
 * Darknet's own code finds which object belongs to which anchor or cell and trains boxes and objectness; these
 * functions take over the class scores where the section has `smoothing=`. All of it runs on the CPU, as Darknet's own
 * does, in GPU builds too.
 *
 * A sigmoid head trains every class as its own binary cross entropy against q[k]; a softmax head as one cross entropy.
 * Both have delta = q - target_sum p (see ols.h), times the section's class_scale.
 */
#ifndef CLASS_HEAD_H
#define CLASS_HEAD_H

#include "layers/label_smoothing.h"

/* Whether a layer is [yolo], [region] or [detection], with smoothing or without. */
int is_detection_head(const layer *l);

/* Called at the end of parse_yolo, parse_region and parse_detection. Without `smoothing=` it changes nothing. */
void parse_class_head(layer *l, list *options, network *net, int index);

/* Called in parse_yolo and parse_region, with or without smoothing: ends the program with one line where the layer
 * before puts out another number of channels than the head takes, a mask is no anchor, or there are not two numbers an
 * anchor, which Darknet writes behind its array. `inputs` is what the layer before puts out for an image. */
void check_head_sizes(const layer *l, list *options, int inputs, int index);

/* Called at the start of a training forward pass of a head with smoothing. */
void begin_class_head(layer l);

/* Writes the delta of the class scores at one anchor, l.output[at + k * w * h] for class k, whose object has the class
 * `label`. Sigmoid heads: where an earlier object has the same anchor, the larger delta of the two stays for every
 * class, as Darknet does it with hard labels. Adds the score of `label` to `average` (may be NULL). */
void delta_class_head(layer l, int at, int label, float *average);

/* The same, and the scores go into the statistics of the soft labels: once in a forward pass for every object, however
 * many anchors or heads it was assigned to. `object` is its index in the truth of image `b` of the batch. */
void train_class_head(layer l, int b, int object, int at, int label, float *average);

/* The same for a cell of [detection], whose scores are adjacent and whose truth is one-hot (K floats). */
void train_class_cell(layer l, int b, int cell, int at, const float *truth);

/* Unpatched Darknet's backward_region_layer is empty on the CPU; this is what its GPU twin does. Used where a [region]
 * has smoothing, so that a CPU trains what a GPU trains. */
void backward_class_head_region(const layer l, network net);

#endif
