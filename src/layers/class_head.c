/* The class scores of [yolo], [region] and [detection]: label smoothing, and what else can be said of them in a cfg. */
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

/* ---- Keys that only [yolo] has ------------------------------------------------------------------------------------
 */

enum { CLASS_GAIN, CLASS_LOSS, IOU_THRESH, HEAD_KEYS };

/* The same in a [region] or [detection] is another key, or is not there. */
static const struct {
    const char *key, *elsewhere;
} head_keys[HEAD_KEYS] = {
    {"class_gain", "here it is class_scale="},
    {"class_loss", "here it is softmax="},
    {"iou_thresh", "here an object is trained in one place"},
};

const char *head_key(int i)
{
    return i < HEAD_KEYS ? head_keys[i].key : 0;
}

int is_head_key(const char *key)
{
    int i;
    for (i = 0; i < HEAD_KEYS; ++i)
        if (!strcmp(key, head_keys[i].key)) return 1;
    return 0;
}

static void refuse_head_keys(list *options, const char *section, int index)
{
    int i;
    for (i = 0; i < HEAD_KEYS; ++i)
        if (find_smoothing_option(options, head_keys[i].key))
            die("%s (layer %d): %s= is a key of [yolo]; %s", section, index, head_keys[i].key, head_keys[i].elsewhere);
}

/* The class_gain of a [yolo] that has none. The softer the targets, the less the class scores train the layers that
 * they share with boxes and objectness, and the worse they tell classes apart; with twice the weight nothing is lost
 * (measured: docs/studies/heads.md). The papers have 1. */
static double default_class_gain(const label_smoothing *smoothing)
{
    return smoothing && ols_softens(&smoothing->options) ? 2 : 1;
}

static float parse_class_gain(list *options, const label_smoothing *smoothing, const char *section, int index)
{
    const char *text = find_smoothing_option(options, "class_gain");
    double gain = default_class_gain(smoothing);
    if (text && (ols_parse_number(text, 0, 100, &gain) || (float)gain == 0))
        die("%s (layer %d): class_gain=%s is not valid: must be a number above 0, up to 100", section, index, text);
    if (!text && gain != 1) fprintf(stderr, "           class_gain=%g, the default with these labels\n", gain);
    return (float)gain;
}

/* Whether a value is this word, maybe with a comment behind it. */
static int is_word(const char *value, const char *word)
{
    const size_t length = strlen(word);
    return !strncmp(value, word, length) && (!value[length] || strchr("# \t\r", value[length]));
}

/* Returns whether class_loss= says softmax. */
static int parse_class_loss(list *options, const char *section, int index)
{
    const char *text = find_smoothing_option(options, "class_loss");
    const int softmax = text && is_word(text, "softmax");
    if (text && !softmax && !is_word(text, "sigmoid"))
        die("%s (layer %d): class_loss=%s is not valid: must be sigmoid or softmax", section, index, text);
    return softmax;
}

static float parse_iou_thresh(list *options, const char *section, int index)
{
    const char *text = find_smoothing_option(options, "iou_thresh");
    double threshold = 1;
    if (text && ols_parse_number(text, 0, 1, &threshold))
        die("%s (layer %d): iou_thresh=%s is not valid: must be a number from 0 to 1", section, index, text);
    return (float)threshold;
}

/* Ends the program where a softmax over the classes makes no sense in this head. */
static void check_softmax(const layer *l, const network *net, const char *section, int index)
{
    int i;
    for (i = 0; i < index; ++i)
        if (net->layers[i].type == YOLO && net->layers[i].softmax != l->softmax)
            die("%s (layer %d): class_loss= differs from that of [yolo] (layer %d); the scores of one network's "
                "heads are compared with each other, so it must be equal",
                section, index, i);
    if (!l->softmax) return;
    if (l->classes < 2)
        die("%s (layer %d): class_loss=softmax needs at least 2 classes, not %d: the softmax of one class is always "
            "1",
            section, index, l->classes);
    fprintf(stderr, "           softmax over %d classes\n", l->classes);
}

/* Puts the values into the members of the layer that [region] has for the same. That of class_gain= depends on the
 * labels, which are read after this. */
static void parse_yolo_keys(layer *l, list *options, const network *net, const char *section, int index)
{
    l->softmax = parse_class_loss(options, section, index);
    l->thresh = parse_iou_thresh(options, section, index);
    check_softmax(l, net, section, index);
}

/* ---- Smoothing ----------------------------------------------------------------------------------------------------
 */

/* Refuses a smoothing key without smoothing=, which would silently train on hard labels. */
static void refuse_companions(list *options, const char *section, int index)
{
    const char *key;
    int i;
    for (i = 0; (key = ols_option_key(i)); ++i)
        if (find_smoothing_option(options, key))
            die("%s (layer %d): %s= does nothing without smoothing=; add smoothing=ols, or remove it", section, index,
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

static ols_scores scores_of(const layer *l)
{
    if (l->softmax) return OLS_SOFTMAX_HEAD;
    return l->type == DETECTION ? OLS_LINEAR_HEAD : OLS_SIGMOID_HEAD;
}

static void parse_head_smoothing(layer *l, list *options, network *net, const char *section, int index)
{
    label_smoothing *first;
    if (!find_smoothing_option(options, "smoothing")) {
        refuse_companions(options, section, index);
        /* Darknet's own code trains independent classes, and of two objects at an anchor both */
        if (l->type != YOLO || !l->softmax) return;
    }
    if (l->softmax_tree)
        die("%s (layer %d): smoothing with a tree is not defined: remove smoothing= or tree=", section, index);
    if (l->background)
        die("%s (layer %d): smoothing with background=1 is not defined: remove one of them", section, index);
    first = first_head(net, index);
    l->label_smoothing = parse_label_smoothing(options, section, index, l->classes, OLS_HARD, first, 0);
    check_scores(l->label_smoothing, scores_of(l));
    fprintf(stderr, "           labels: %s\n", ols_smoothing_name(l->label_smoothing->options.smoothing));
    if (!first) {
        /* Only the owner counts iterations; otherwise three heads would count each iteration three times. */
        l->update = update_soft_labels;
#ifdef GPU
        l->update_gpu = update_soft_labels;
#endif
    }
    if (l->type == REGION) l->backward = backward_class_head_region;
}

void parse_class_head(layer *l, list *options, network *net, int index)
{
    const char *section = section_of(l->type);
    if (l->type == YOLO)
        parse_yolo_keys(l, options, net, section, index);
    else
        refuse_head_keys(options, section, index);
    parse_head_smoothing(l, options, net, section, index);
    if (l->type == YOLO) l->class_scale = parse_class_gain(options, l->label_smoothing, section, index);
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
    if (!text && l->type == YOLO) die("%s (layer %d): anchors= is missing", section, index);
    if (!text) return;
    for (i = 0; text[i]; ++i) numbers += text[i] == ',';
    if (numbers != 2 * anchors)
        die("%s (layer %d): num=%d needs %d numbers in anchors=, not %d", section, index, anchors, 2 * anchors,
            numbers);
}

void check_detection_sizes(int inputs, int side, int num, int classes, int coords, int index)
{
    const long long outputs = (long long)side * side * ((1 + coords) * num + classes);
    if (outputs != inputs)
        die("[detection] (layer %d): with side=%d, num=%d, classes=%d and coords=%d it needs %lld values from the "
            "layer "
            "before it, not %d",
            index, side, num, classes, coords, outputs, inputs);
}

/* ---- Forward ------------------------------------------------------------------------------------------------------
 */

/* Where the class scores of the first anchor begin: behind x, y, w, h and objectness. */
static int first_class(layer l)
{
    return 5 * l.w * l.h;
}

void softmax_class_head(layer l, float *logits)
{
    const int at = first_class(l), place = l.w * l.h;
    softmax_cpu(logits + at, l.classes, l.batch * l.n, l.inputs / l.n, place, 1, place, 1, l.output + at);
}

#ifdef GPU
void softmax_class_head_gpu(layer l, float *logits)
{
    const int at = first_class(l), place = l.w * l.h;
    softmax_gpu(logits + at, l.classes, l.batch * l.n, l.inputs / l.n, place, 1, place, 1, l.output_gpu + at);
}
#endif

/* ---- Training -----------------------------------------------------------------------------------------------------
 */

void scale_class_head(layer l)
{
    const int anchors = l.batch * l.n;
    int i;
    if (l.class_scale == 1) return;
    for (i = 0; i < anchors; ++i)
        scal_cpu(l.classes * l.w * l.h, l.class_scale, l.delta + (size_t)i * (l.outputs / l.n) + first_class(l), 1);
}

/* Whether classes are trained each by itself, so that an anchor can have objects of several. In [detection] a cell has
 * one object. */
static int merges_objects(layer l)
{
    return l.type != DETECTION && !l.softmax;
}

/* In a sigmoid head: forgets the objects of the last forward pass. The batch and the size may have changed since. */
static void forget_objects(layer l)
{
    label_smoothing *smoothing = l.label_smoothing;
    if (!merges_objects(l)) return;
    free(smoothing->last_object);
    smoothing->last_object = (int *)xcalloc((size_t)l.batch * l.n * l.w * l.h, sizeof *smoothing->last_object);
    smoothing->object_count = 0;
}

void begin_class_head(layer l)
{
    label_smoothing *smoothing = l.label_smoothing;
    if (!smoothing) return;
    forget_objects(l);
    if (smoothing->owner != smoothing || !smoothing->state) return;
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

/* What the method's term adds to the delta of an object of class `label`: K floats, or NULL if it has no term. */
static const float *term_of(layer l, const ols_target_spec *spec, int at, int label)
{
    label_smoothing *smoothing = l.label_smoothing;
    const int stride = score_stride(l);
    int k;
    if (!spec->term) return 0;
    for (k = 0; k < l.classes; ++k) smoothing->scores[k] = l.output[at + k * stride];
    ols_term_delta(spec, l.classes, label, l.softmax, smoothing->scores, smoothing->term);
    return smoothing->term;
}

/* Adds an object to those of the anchor whose class scores begin at `at`. Returns the number of the last of them. */
static int add_object(layer l, int at, int label)
{
    label_smoothing *smoothing = l.label_smoothing;
    const int place = l.w * l.h;
    int *last = smoothing->last_object + (size_t)(at / (l.outputs / l.n)) * place + at % place;
    if (smoothing->object_count == smoothing->object_room) {
        smoothing->object_room = 2 * smoothing->object_room + 64;
        smoothing->objects =
            (anchor_object *)xrealloc(smoothing->objects, smoothing->object_room * sizeof *smoothing->objects);
    }
    smoothing->objects[smoothing->object_count].label = label;
    smoothing->objects[smoothing->object_count].earlier = *last;
    return *last = ++smoothing->object_count;
}

/* Writes the delta of those classes whose target for an object of class `label` is not below that of the objects
 * before, which is in `highest`. */
static void train_on_label(layer l, const ols_target_spec *spec, int at, int label)
{
    label_smoothing *smoothing = l.label_smoothing;
    const float *target = smoothing->target, scale = l.type == YOLO ? 1 : l.class_scale;
    const float sum = ols_target(spec, l.classes, label, smoothing->target);
    const float weight = l.softmax ? sum : ols_target_weight(spec, label);
    const float *term = term_of(l, spec, at, label);
    const int stride = score_stride(l);
    int k;
    for (k = 0; k < l.classes; ++k) {
        if (target[k] < smoothing->highest[k]) continue;
        smoothing->highest[k] = target[k];
        l.delta[at + k * stride] = scale * (target[k] - weight * l.output[at + k * stride]);
        if (term) l.delta[at + k * stride] += scale * term[k];
    }
}

void delta_class_head(layer l, int at, int label, float *average)
{
    label_smoothing *smoothing = l.label_smoothing;
    ols_target_spec spec;
    int k, number, drawn;
    if (label < 0 || label >= l.classes)
        die("%s (layer %d): an object has class %d, but classes=%d allows 0 to %d: check the label files of the "
            "training list",
            smoothing->section, smoothing->index, label, l.classes, l.classes - 1);
    spec = current_target_spec(smoothing, 0, 1);
    drawn = ols_draw_class(&spec, l.classes, label, (uint64_t)at * l.classes + label);
    for (k = 0; k < l.classes; ++k) smoothing->highest[k] = 0;
    if (merges_objects(l)) {
        /* from the last to the first, so that the first wins where targets are equal */
        for (number = add_object(l, at, drawn); number; number = smoothing->objects[number - 1].earlier)
            train_on_label(l, &spec, at, smoothing->objects[number - 1].label);
    } else {
        train_on_label(l, &spec, at, drawn);
    }
    if (average) *average += l.output[at + label * score_stride(l)];
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
    train_class_head(l, b, cell, at, label, 0);
}

/* ---- Further anchors ----------------------------------------------------------------------------------------------
 */

/* of Darknet's yolo_layer.c; no header declares them */
float delta_yolo_box(box truth, float *x, float *biases, int n, int index, int i, int j, int lw, int lh, int w, int h,
                     float *delta, float scale, int stride);
void delta_yolo_class(float *output, float *delta, int index, int label, int classes, int stride, float *avg_cat);

/* IoU of an anchor and an object, both with the same centre. */
static float shape_overlap(layer l, network net, int anchor, box truth)
{
    const box shape = {0, 0, l.biases[2 * anchor] / net.w, l.biases[2 * anchor + 1] / net.h};
    truth.x = truth.y = 0;
    return box_iou(shape, truth);
}

/* The anchor that Darknet gives an object to: of all anchors, not only those of the head. */
static int best_anchor(layer l, network net, box truth)
{
    int n, best = 0;
    float most = 0;
    for (n = 0; n < l.total; ++n) {
        const float overlap = shape_overlap(l, net, n, truth);
        if (overlap > most) most = overlap, best = n;
    }
    return best;
}

/* Trains an anchor, of which x is at `at`, on an object, after `earlier` other objects of the image. The delta of its
 * box becomes the mean over these objects. */
static void train_anchor(layer l, network net, int anchor, int at, box truth, int label, int earlier)
{
    const int place = l.w * l.h, object_at = at + 4 * place, class_at = at + 5 * place;
    float before[4];
    int k;
    for (k = 0; k < 4; ++k) before[k] = l.delta[at + k * place];
    delta_yolo_box(truth, l.output, l.biases, anchor, at, (int)(truth.x * l.w), (int)(truth.y * l.h), l.w, l.h, net.w,
                   net.h, l.delta, 2 - truth.w * truth.h, place);
    for (k = 0; k < 4; ++k) l.delta[at + k * place] += (before[k] - l.delta[at + k * place]) * earlier / (earlier + 1);
    l.delta[object_at] = 1 - l.output[object_at];
    if (l.label_smoothing)
        delta_class_head(l, class_at, label, 0);
    else
        delta_yolo_class(l.output, l.delta, class_at, label, l.classes, place, 0);
}

void train_other_anchors(layer l, network net, int b)
{
    const int place = l.w * l.h;
    const float *row = net.truth + (size_t)b * l.truths;
    int *objects, t, n; /* objects: how many an anchor has, by anchor of the head and cell */
    if (l.thresh >= 1) return;
    objects = (int *)xcalloc((size_t)l.n * place, sizeof *objects);
    for (t = 0; t < l.max_boxes && row[0] != 0; ++t, row += 5) {
        const box truth = {row[0], row[1], row[2], row[3]};
        const int label = l.map ? l.map[(int)row[4]] : (int)row[4], best = best_anchor(l, net, truth);
        const int cell = (int)(truth.y * l.h) * l.w + (int)(truth.x * l.w);
        for (n = 0; n < l.n; ++n) {
            const int at = b * l.outputs + n * place * (5 + l.classes) + cell;
            if (l.mask[n] == best || shape_overlap(l, net, l.mask[n], truth) > l.thresh)
                train_anchor(l, net, l.mask[n], at, truth, label, objects[n * place + cell]++);
        }
    }
    free(objects);
}

/* ---- Backward -----------------------------------------------------------------------------------------------------
 */

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
