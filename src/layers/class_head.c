/* Label smoothing in the class scores of [yolo], [region] and [detection]. */
#include "layers/class_head.h"

#include "base/error.h"
#include "base/memory.h"
#include "activations.h"
#include "blas.h"
#include "option_list.h"

#include <stdlib.h>
#include <string.h>

int is_detection_head(const layer *l)
{
    return l->type == YOLO || l->type == REGION || l->type == DETECTION;
}

static const char *section_of(LAYER_TYPE type)
{
    return type == YOLO ? "[yolo]" : type == REGION ? "[region]" : "[detection]";
}

/* Refuses a smoothing key without smoothing=, which would silently train on hard labels. */
static void refuse_companions(list *options, const char *section, int index)
{
    const char *key;
    int i;
    for (i = 0; (key = ols_option_key(i)); ++i)
        if (find_smoothing_option(options, key))
            die("\n%s (layer %d): %s= does nothing without smoothing=; add smoothing=ols, or remove it", section, index,
                key);
}

/* The owner of the soft labels that all heads of the network share: the first head with smoothing before layer
 * `before`. NULL if there is none. */
static label_smoothing *first_head(const network *net, int before)
{
    int i;
    for (i = 0; i < before; ++i) {
        label_smoothing *smoothing = net->layers[i].label_smoothing;
        if (smoothing && is_detection_head(&net->layers[i])) return smoothing->owner;
    }
    return 0;
}

void parse_class_head(layer *l, list *options, network *net, int index)
{
    const char *section = section_of(l->type);
    label_smoothing *first;
    if (!find_smoothing_option(options, "smoothing")) {
        refuse_companions(options, section, index);
        return;
    }
    if (l->softmax_tree)
        die("\n%s (layer %d): smoothing with a tree is not defined: remove smoothing= or tree=", section, index);
    if (l->background)
        die("\n%s (layer %d): smoothing with background=1 is not defined: remove one of them", section, index);
    first = first_head(net, index);
    l->label_smoothing = parse_label_smoothing(options, section, index, l->classes, OLS_OLS, first, 0);
    if (!first) {
        /* Only the owner counts iterations; otherwise three heads would count each iteration three times. */
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
            "before it, not %d",
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
    label_smoothing *smoothing = l.label_smoothing;
    if (!smoothing || smoothing->owner != smoothing || !smoothing->state) return;
    smoothing->objects_per_image = objects_per_image(l);
    free(smoothing->counted); /* set_batch_network may have changed the batch */
    smoothing->counted = (unsigned char *)xcalloc((size_t)l.batch * smoothing->objects_per_image, 1);
    count_images(smoothing, l.batch);
}

/* Marks an object as counted. Returns 1 if no head has counted it in this forward pass, else 0. Heads of one network
 * can have different `max=`: an object beyond the maximum of the owner cannot be marked and is always counted. */
static int first_time(label_smoothing *owner, int b, int object)
{
    unsigned char *counted;
    if (object >= owner->objects_per_image) return 1;
    counted = owner->counted + (size_t)b * owner->objects_per_image + object;
    if (*counted) return 0;
    *counted = 1;
    return 1;
}

/* The distance in floats between the scores of two classes at one anchor. */
static int score_stride(layer l)
{
    return l.type == DETECTION ? 1 : l.w * l.h;
}

void delta_class_head(layer l, int at, int label, float *average)
{
    label_smoothing *smoothing = l.label_smoothing;
    const float scale = l.type == YOLO ? 1 : l.class_scale;
    const int stride = score_stride(l);
    /* A delta that is not 0 shows that another object was already assigned to this anchor. Sigmoid scores are then
     * trained for the classes of both objects. A softmax needs one distribution: the last object wins, as in
     * Darknet. */
    const int has_object = l.delta[at] != 0, merge = has_object && !l.softmax;
    ols_target_spec spec;
    float weight;
    int k;

    if (label < 0 || label >= l.classes)
        die("%s (layer %d): an object has class %d, but classes=%d allows 0 to %d: check the label files of the "
            "training list",
            smoothing->section, smoothing->index, label, l.classes, l.classes - 1);
    spec = ols_make_target_spec(&smoothing->options, smoothing->state, l.classes);
    weight = ols_target(&spec, l.classes, label, smoothing->target);
    if (!l.softmax) weight = ols_target_weight(&spec, label);
    for (k = 0; k < l.classes; ++k) {
        const float delta = scale * (smoothing->target[k] - weight * l.output[at + k * stride]);
        if (!merge || delta > l.delta[at + k * stride]) l.delta[at + k * stride] = delta;
    }
    if (average) *average += l.output[at + label * stride];
}

void train_class_head(layer l, int b, int object, int at, int label, float *average)
{
    label_smoothing *smoothing = l.label_smoothing;
    delta_class_head(l, at, label, average);
    if (smoothing->state && first_time(smoothing->owner, b, object))
        ols_accumulate_scores(smoothing->state, l.output + at, score_stride(l), label);
}

void train_class_cell(layer l, int b, int cell, int at, const float *truth)
{
    int label;
    ols_labels(l.classes, 1, truth, &label);
    /* A cell whose truth is not one class keeps the delta from Darknet. */
    if (label < 0) return;
    l.delta[at] = 0; /* clears the delta from Darknet, which would look like that of an earlier object */
    train_class_head(l, b, cell, at, label, 0);
}

void backward_class_head_region(const layer l, network net)
{
    int b, n, location = l.w * l.h;
    /* Mask coefficients (coords above 4) have no activation in the forward pass on the CPU, so they need no gradient of
     * one. */
    for (b = 0; b < l.batch; ++b) {
        for (n = 0; n < l.n; ++n) {
            int at = b * l.outputs + n * location * (l.coords + l.classes + 1);
            gradient_array(l.output + at, 2 * location, LOGISTIC, l.delta + at);
            gradient_array(l.output + at + l.coords * location, location, LOGISTIC, l.delta + at + l.coords * location);
        }
    }
    axpy_cpu(l.batch * l.inputs, 1, l.delta, 1, net.delta, 1);
}
