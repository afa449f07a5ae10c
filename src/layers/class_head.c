#include "layers/class_head.h"

#include "base/error.h"
#include "activations.h"
#include "blas.h"
#include "option_list.h"

#include <stdlib.h>
#include <string.h>

static const char *section_of(LAYER_TYPE type)
{
    return type == YOLO ? "[yolo]" : type == REGION ? "[region]" : "[detection]";
}

void parse_class_head(layer *l, list *options, network *net, int index)
{
    const char *section = section_of(l->type);
    label_smoothing *first = 0;
    int i;
    if (!find_smoothing_option(options, "smoothing")) {
        /* One of its companions alone would train hard labels, which nobody meant who wrote it. */
        for (i = 0; ols_option_keys[i]; ++i)
            if (find_smoothing_option(options, ols_option_keys[i]))
                die("\n%s (layer %d): %s= does nothing without smoothing=; add smoothing=ols, or remove it", section,
                    index, ols_option_keys[i]);
        return;
    }
    if (l->softmax_tree)
        die("\n%s (layer %d): smoothing with a tree is not defined: remove smoothing= or tree=", section, index);
    if (l->background)
        die("\n%s (layer %d): smoothing with background=1 is not defined: remove one of them", section, index);
    for (i = 0; i < index && !first; ++i) {
        label_smoothing *labels = net->layers[i].label_smoothing;
        if (labels && net->layers[i].type != OLS) first = labels->owner;
    }
    l->label_smoothing = parse_soft_labels(options, section, index, l->classes, OLS_OLS, first);
    if (!first) {
        /* Only the owner counts iterations, or three heads would count each one three times. */
        l->update = update_soft_labels;
#ifdef GPU
        l->update_gpu = update_soft_labels;
#endif
    }
    if (l->type == REGION) l->backward = backward_class_head_region;
}

static int objects_per_image(layer l)
{
    return l.type == DETECTION ? l.side * l.side : l.max_boxes;
}

void check_head_sizes(const layer *l, list *options, int inputs, int index)
{
    const char *section = l->type == YOLO ? "[yolo]" : "[region]";
    const int anchors = l->type == YOLO ? l->total : l->n;
    const char *text = option_find_str(options, (char *)"anchors", 0);
    int i, numbers = 1;
    if (l->w < 1 || l->h < 1) die("%s (layer %d): needs a [convolutional] before it", section, index);
    if (l->outputs != inputs)
        die("%s (layer %d): with classes=%d and %d anchors of its own it needs filters=%d in the [convolutional] "
            "before "
            "it, not %d",
            section, index, l->classes, l->n, l->outputs / (l->w * l->h), inputs / (l->w * l->h));
    for (i = 0; l->type == YOLO && i < l->n; ++i)
        if (l->mask[i] < 0 || l->mask[i] >= anchors)
            die("%s (layer %d): mask has a %d: must be below num=%d", section, index, l->mask[i], anchors);
    if (!text) return;
    for (i = 0; text[i]; ++i) numbers += text[i] == ',';
    if (numbers != 2 * anchors)
        die("%s (layer %d): num=%d needs %d numbers in anchors=, not %d", section, index, anchors, 2 * anchors,
            numbers);
}

void begin_class_head(layer l)
{
    label_smoothing *labels = l.label_smoothing;
    size_t size;
    if (!labels || labels->owner != labels || !labels->state) return;
    labels->objects = objects_per_image(l);
    size = (size_t)l.batch * labels->objects;
    free(labels->counted); /* set_batch_network may have changed the batch */
    labels->counted = (unsigned char *)calloc(size, 1);
    if (!labels->counted) die("out of memory");
    count_images(labels, l.batch);
}

/* Heads of one network can have different `max=`: an object past the owner's belongs to the other head alone. */
static int first_time(label_smoothing *owner, int b, int object)
{
    unsigned char *counted = owner->counted + (size_t)b * owner->objects + object;
    if (object >= owner->objects) return 1;
    if (*counted) return 0;
    *counted = 1;
    return 1;
}

void delta_class_head(layer l, int b, int object, int at, int label, float *average)
{
    label_smoothing *labels = l.label_smoothing;
    float scale = l.type == YOLO ? 1 : l.class_scale;
    int stride = l.type == DETECTION ? 1 : l.w * l.h;
    /* A softmax needs one distribution: the last object wins, as in Darknet. Class 0's delta tells, as there, whether
     * the anchor has an object already. */
    int merge = !l.softmax && l.delta[at] != 0;
    ols_mix mix;
    float mass;
    int k;

    if (label < 0 || label >= l.classes)
        die("%s (layer %d): an object has class %d, but classes=%d allows 0 to %d: check the label files of the "
            "training list",
            labels->section, labels->index, label, l.classes, l.classes - 1);
    mix = ols_target_mix(&labels->options, labels->state, l.classes);
    mass = ols_target(&mix, l.classes, label, labels->target);
    for (k = 0; k < l.classes; ++k) {
        float delta = scale * (labels->target[k] - mass * l.output[at + k * stride]);
        if (!merge || delta > l.delta[at + k * stride]) l.delta[at + k * stride] = delta;
    }
    if (average) *average += l.output[at + label * stride];
    if (object < 0 || !labels->state) return;
    if (first_time(labels->owner, b, object)) ols_accumulate_scores(labels->state, l.output + at, stride, label);
}

void delta_class_cell(layer l, int b, int cell, int at, const float *truth)
{
    int label;
    ols_labels(l.classes, 1, truth, &label);
    /* Cells whose truth is no single class keep the delta that Darknet gave them. */
    if (label < 0) return;
    l.delta[at] = 0;
    delta_class_head(l, b, cell, at, label, 0);
}

void backward_class_head_region(const layer l, network net)
{
    int b, n, location = l.w * l.h;
    /* Masks (coords above 4) stay linear in the CPU's forward pass, so they need no gradient of an activation. */
    for (b = 0; b < l.batch; ++b) {
        for (n = 0; n < l.n; ++n) {
            int at = b * l.outputs + n * location * (l.coords + l.classes + 1);
            gradient_array(l.output + at, 2 * location, LOGISTIC, l.delta + at);
            gradient_array(l.output + at + l.coords * location, location, LOGISTIC, l.delta + at + l.coords * location);
        }
    }
    axpy_cpu(l.batch * l.inputs, 1, l.delta, 1, net.delta, 1);
}
