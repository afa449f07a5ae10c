/* Writes a network for inference as a cfg and layers with weights, using only sections that other Darknets and OpenCV's
 * dnn module (4.6) have. Batch normalisation is folded into the weights.
 *
 * What those programs lack is replaced as follows:
 *
 *     [ols]                          [softmax]; a temperature becomes a scaling before it
 *     [yolo] class_loss=softmax      [region] softmax=1 with the anchors of its mask, in cells. OpenCV
 *                                    takes one of them a network
 *     batch_normalize=1              weights and biases times scale / (sqrt(variance) + 1e-6), as in Darknet. OpenCV
 *                                    adds its epsilon inside the square root: with a small variance that differs
 *     activation=relu6 of a          relu6(z) = relu(6 - relu(6 - z)): negated weights, biases 6 - b, relu; then a
 *     convolution                    depthwise 1x1 convolution with weights -1, biases 6, relu
 *     activation=relu6 elsewhere     linear, then two such depthwise convolutions
 *     [activation], [batchnorm]      a depthwise 1x1 convolution
 *     [shortcut] from a larger layer a [maxpool] of size 1 with the stride, which selects the same pixels
 *     [shortcut] alpha=, beta=       a scaling before it
 *     1x1 convolution with a stride  the same [maxpool] before it, because unpatched Darknet ignores the stride
 *     [conv], [max], ...             the long names; keys with a default are written explicitly
 *     indices of layers              relative indices of the new layers
 */
#ifndef PORTABLE_NETWORK_H
#define PORTABLE_NETWORK_H

#include "darknet.h"

#include <stdio.h>

/* A section of a cfg as Darknet's read_cfg returns it; Darknet declares the type only in parser.c. `type` includes the
 * brackets. */
typedef struct {
    char *type;
    list *options;
} cfg_section;

/* Initialise with zeros, and set `source` and `cfg`. */
typedef struct {
    network *source; /* the original with batch 1, the caller's */
    FILE *cfg;       /* output */
    layer *layers;   /* the new layers, with the fields that save_weights reads: types, sizes and weights */
    size_t count, capacity;
    int *place;     /* [source->n]: index of the new layer with the output of each original layer */
    int *is_vector; /* [source->n]: whether the output of each original layer is a vector, as after [connected] */
} portable_network;

/* Whether the section is [net] or [network]. */
int is_net_section(const char *type);

/* Writes [net] with batch=1. */
void write_net(FILE *cfg, const cfg_section *s);

/* The value of a key, in a section of this type, for other Darknets: a text (maybe `value` itself), or NULL if the line
 * has to be removed. */
const char *portable_value(const char *type, const char *key, const char *value);

/* Writes all layers. `sections` starts with [net], which is skipped. Notes on stderr name what OpenCV cannot read. A
 * layer that cannot be written ends the program with one line. */
void write_portable_layers(portable_network *p, list *sections);

#endif
