/* The class heads of [yolo], [region] and [detection] with label smoothing.
 *
 * Darknet's own code finds which object belongs to which anchor or cell and trains boxes and objectness; these
 * functions take over the class scores where the section has `smoothing=`. All of it runs on the CPU, as Darknet's own
 * does, in GPU builds too.
 *
 * A sigmoid head trains every class as its own binary cross entropy against q[k]; a softmax head as one cross entropy.
 * Both have delta = q - m p (see ols.h), times the section's class_scale.
 */
#ifndef CLASS_HEAD_H
#define CLASS_HEAD_H

#include "layers/label_smoothing.h"

/* Called at the end of parse_yolo, parse_region and parse_detection. Without `smoothing=` it changes nothing. */
void parse_class_head(layer *l, list *options, network *net, int index);

/* Called in parse_yolo and parse_region, with or without smoothing: ends the program with one line where the layer
 * before puts out another number of channels than the head takes, a mask is no anchor, or there are not two numbers an
 * anchor, which Darknet writes behind its array. `inputs` is what the layer before puts out for an image. */
void check_head_sizes(const layer *l, list *options, int inputs, int index);

/* Called at the start of a training forward pass of a head with smoothing. */
void begin_class_head(layer l);

/* Delta of the class scores at one anchor of image `b`: scores at l.output[at + k * stride], class `label`. `object` is
 * the index of the object in the image's truth; its scores go into the statistics once per forward pass, however many
 * anchors or heads it was assigned to. -1: no statistics. Sigmoid heads: where another object has the same anchor, q is
 * the larger of the two for every class, as Darknet's own code does with hard labels. Adds the score of `label` to
 * `average` (may be NULL). */
void delta_class_head(layer l, int b, int object, int at, int label, float *average);

/* The same for a cell of [detection], whose scores are adjacent and whose truth is one-hot (K floats). */
void delta_class_cell(layer l, int b, int cell, int at, const float *truth);

/* Unpatched Darknet's backward_region_layer is empty on the CPU; this is what its GPU twin does. Used where a [region]
 * has smoothing, so that a CPU trains what a GPU trains. */
void backward_class_head_region(const layer l, network net);

#endif
