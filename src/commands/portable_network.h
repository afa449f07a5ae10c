/* A network written anew, as a cfg and the layers for its weights, in sections that other Darknets and OpenCV's dnn
 * module (4.6) have. It is for inference: batch normalisation is folded into the weights.
 *
 * What they lack, and what is written in its place:
 *
 *     [ols]                          [softmax]; its temperature as a scaling before it
 *     batch_normalize=1              weights and biases times scale / (sqrt(variance) + 1e-6); OpenCV has its epsilon
 *                                    inside of the square root, which a small variance makes visible
 *     activation=relu6 of a          relu6(z) = relu(6 - relu(6 - z)): weights negated, biases 6 - b, relu; then a
 *     convolution                    depthwise 1x1 convolution with weights -1, biases 6, relu
 *     activation=relu6 elsewhere     linear, and two such convolutions
 *     [activation], [batchnorm]      a depthwise 1x1 convolution
 *     [shortcut] from a larger layer a [maxpool] of size 1 and that stride, which takes the same pixels
 *     [shortcut] alpha=, beta=       a scaling before it
 *     1x1 convolution with a stride  the same [maxpool] before it: unpatched Darknet forgets the stride
 *     [conv], [max], ...             the long names; keys that have a default are written out
 *     indices of layers              relative ones, counted anew
 */
#ifndef PORTABLE_NETWORK_H
#define PORTABLE_NETWORK_H

#include "darknet.h"

#include <stdio.h>

/* A section of a cfg as Darknet's read_cfg returns it; the type is private to its parser.c. `type` has the brackets. */
typedef struct {
    char *type;
    list *options;
} cfg_section;

/* Starts as zeros with `source` and `cfg` set. */
typedef struct {
    network *source; /* the original, loaded for one image; stays the caller's */
    FILE *cfg;       /* where the sections go */
    layer *layers;   /* the new layers with what save_weights looks at: types, sizes and weights */
    size_t count, capacity;
    int *place;     /* source->n: which of the new layers has the output of each original one */
    int *is_vector; /* source->n: the output of each original layer has no width and height, as behind a [connected] */
} portable_network;

/* 1 for [net] and [network]. */
int is_net_section(const char *type);

/* Writes [net] for one image at a time. */
void write_net(FILE *cfg, const cfg_section *s);

/* What becomes of a line `key=value` in a section of this type: the value that other Darknets read, which may be
 * `value` itself, or NULL where the line is left out. */
const char *portable_value(const char *type, const char *key, const char *value);

/* Writes all layers; `sections` begins with [net], which is passed over. Notes on stderr say what OpenCV will not
 * read. What cannot be written ends the program with one line. */
void write_portable_layers(portable_network *p, list *sections);

#endif
