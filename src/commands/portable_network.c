#include "commands/portable_network.h"

#include "activations.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/augmentation.h"
#include "layers/class_head.h"
#include "network.h"
#include "option_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sections ---------------------------------------------------------------------------------------------------- */

static int is_one_of(const char *text, const char *const *texts)
{
    while (*texts && strcmp(text, *texts)) ++texts;
    return *texts != 0;
}

int is_net_section(const char *type)
{
    static const char *const names[] = {"[net]", "[network]", 0};
    return is_one_of(type, names);
}

const char *portable_value(const char *type, const char *key, const char *value)
{
    if (may_smooth(type) && is_smoothing_key(key)) return 0;
    if (!strcmp(type, "[yolo]") && is_head_key(key)) return 0;
    if (is_net_section(type) && (is_augmentation_key(key) || !strcmp(key, "nesterov"))) return 0;
    if (is_net_section(type) && !strcmp(key, "policy") && !strcmp(value, "cosine")) return "constant";
    return value;
}

/* Writes the lines of a section, except the keys in `left_out`. */
static void write_options(FILE *cfg, const cfg_section *s, const char *const *left_out)
{
    node *n;
    for (n = s->options->front; n; n = n->next) {
        const kvp *option = (kvp *)n->val;
        const char *value = option->val ? portable_value(s->type, option->key, option->val) : 0;
        if (value && !is_one_of(option->key, left_out)) fprintf(cfg, "%s=%s\n", option->key, value);
    }
}

void write_net(FILE *cfg, const cfg_section *s)
{
    static const char *const replaced[] = {"batch", "subdivisions", 0};
    fprintf(cfg, "[net]\nbatch=1\nsubdivisions=1\n");
    write_options(cfg, s, replaced);
}

static int has_relu6(const cfg_section *s)
{
    const char *activation = option_find(s->options, (char *)"activation");
    return activation && !strcmp(activation, "relu6");
}

/* Keys about training, or about how weights are loaded. */
#define LOADING_KEYS "dontsave", "dontload", "dontloadscales", "numload", "flipped"

/* Writes a section unchanged, except that it has none of those keys, and activation=linear instead of relu6. */
static void write_as_it_is(FILE *cfg, const cfg_section *s)
{
    static const char *const left_out[] = {LOADING_KEYS, 0}, *const left_out_with_relu6[] = {LOADING_KEYS, "activation",
                                                                                             0};
    const int relu6 = has_relu6(s);
    fprintf(cfg, "\n%s\n", s->type);
    write_options(cfg, s, relu6 ? left_out_with_relu6 : left_out);
    if (relu6) fprintf(cfg, "activation=linear\n");
}

/* Writes a key with its default value if the section does not have it. */
static void write_if_missing(FILE *cfg, const cfg_section *s, const char *key, int value)
{
    if (!option_find(s->options, (char *)key)) fprintf(cfg, "%s=%d\n", key, value);
}

/* ---- New layers -------------------------------------------------------------------------------------------------- */

static void add_layer(portable_network *p, layer l)
{
    /* so that save_weights writes no soft labels, and skips no layer */
    l.label_smoothing = 0;
    l.dontsave = 0;
    p->layers = (layer *)grow_array(p->layers, p->count, &p->capacity, sizeof l);
    p->layers[p->count++] = l;
}

/* Converts the index of a new layer to an index relative to the layer that is written next. */
static int relative(const portable_network *p, int index)
{
    return index - (int)p->count;
}

/* Prints a note about something that not every program can read. */
static void note(const portable_network *p, int i, const char *what)
{
    report_note("layer %d (%s): %s", i, get_layer_string(p->source->layers[i].type), what);
}

static int has_swish(const layer *l)
{
    return l->activation_input != 0;
}

static int is_scale_channels(const layer *l)
{
    return l->type == SCALE_CHANNELS;
}

/* The same for something that many layers have, at the first of them alone. */
static void note_first(const portable_network *p, int i, int (*has)(const layer *), const char *what)
{
    int k = 0;
    while (k < i && !has(&p->source->layers[k])) ++k;
    if (k == i) note(p, i, what);
}

/* Adds a [route] to the new layer `to`. */
static void add_route(portable_network *p, int to)
{
    layer l = {0};
    l.type = ROUTE;
    fprintf(p->cfg, "\n[route]\nlayers=%d\n", relative(p, to));
    add_layer(p, l);
}

/* Adds a layer that selects every stride-th pixel, starting with the first. */
static void add_subsampling(portable_network *p, int stride)
{
    layer l = {0};
    l.type = MAXPOOL;
    fprintf(p->cfg, "\n[maxpool]\nsize=1\nstride=%d\npadding=0\n", stride);
    add_layer(p, l);
}

static float *floats(size_t n)
{
    return (float *)xcalloc(n, sizeof(float));
}

/* Adds activation(weight[k] * x + bias[k]) in channel k, as a depthwise 1x1 convolution. After [connected] (`vector`)
 * OpenCV has no image to convolve; there it is a [connected] with a diagonal matrix. Takes ownership of both arrays. */
static void add_scaling(portable_network *p, int channels, int vector, float *weight, float *bias,
                        const char *activation)
{
    layer l = {0};
    l.biases = bias;
    if (vector) {
        int k;
        l.type = CONNECTED;
        l.inputs = l.outputs = channels;
        l.weights = floats((size_t)channels * channels);
        for (k = 0; k < channels; ++k) l.weights[(size_t)k * channels + k] = weight[k];
        free(weight);
        fprintf(p->cfg, "\n[connected]\noutput=%d\nactivation=%s\n", channels, activation);
    } else {
        l.type = CONVOLUTIONAL;
        l.n = l.nweights = l.groups = channels;
        l.weights = weight;
        fprintf(p->cfg, "\n[convolutional]\nfilters=%d\nsize=1\nstride=1\ngroups=%d\nactivation=%s\n", channels,
                channels, activation);
    }
    add_layer(p, l);
}

/* The same, with one weight and one bias for all channels. */
static void add_plain_scaling(portable_network *p, int channels, int vector, float weight, float bias,
                              const char *activation)
{
    float *weights = floats(channels), *biases = floats(channels);
    int k;
    for (k = 0; k < channels; ++k) {
        weights[k] = weight;
        biases[k] = bias;
    }
    add_scaling(p, channels, vector, weights, biases, activation);
}

static int channels_of(layer l)
{
    return l.out_c ? l.out_c : l.outputs;
}

/* Adds relu(6 - x) after original layer i: half of relu6(z) = relu(6 - relu(6 - z)). */
static void add_six_minus(portable_network *p, int i)
{
    add_plain_scaling(p, channels_of(p->source->layers[i]), p->is_vector[i], -1, 6, "relu");
}

static void add_relu6(portable_network *p, int i)
{
    add_six_minus(p, i);
    add_six_minus(p, i);
}

/* ---- Batch normalisation ----------------------------------------------------------------------------------------- */

/* y = factor * x + shift */
typedef struct {
    double factor, shift;
} linear_function;

/* Batch normalisation of channel k in inference, as a linear function; without it, only the bias is added. */
static linear_function normalisation(const layer *l, int k)
{
    linear_function f = {1, l->biases[k]};
    if (l->type != BATCHNORM && !l->batch_normalize) return f;
    f.factor = l->scales[k] / (sqrt((double)l->rolling_variance[k]) + 1e-6);
    f.shift -= f.factor * l->rolling_mean[k];
    return f;
}

/* Folds the batch normalisation of a [convolutional] or [connected] into new weights and biases. With `six_minus` the
 * layer computes 6 - z in place of z. */
static layer fold(layer l, int filters, size_t per_filter, int six_minus)
{
    layer folded = l;
    int k;
    size_t j;
    folded.biases = floats(filters);
    folded.weights = floats(filters * per_filter);
    folded.batch_normalize = 0;
    for (k = 0; k < filters; ++k) {
        linear_function f = normalisation(&l, k);
        if (six_minus) {
            f.factor = -f.factor;
            f.shift = 6 - f.shift;
        }
        folded.biases[k] = (float)f.shift;
        for (j = 0; j < per_filter; ++j)
            folded.weights[k * per_filter + j] = (float)(f.factor * l.weights[k * per_filter + j]);
    }
    return folded;
}

/* ---- One original layer ------------------------------------------------------------------------------------------ */

/* Each of these functions writes original layer i from its section `s`. Returns 0, and writes nothing, if other
 * programs have no such layer. */

static const char *name_activation(const portable_network *p, int i)
{
    const ACTIVATION a = p->source->layers[i].activation;
    if (a == SWISH)
        note_first(p, i, has_swish, "unpatched Darknet does not know activation=swish, AlexeyAB's and OpenCV do");
    else if (a != LINEAR && a != LEAKY && a != RELU && a != LOGISTIC && a != TANH)
        note(p, i, "OpenCV's dnn module does not know its activation");
    return get_activation_string(a);
}

static int add_convolutional(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    const int relu6 = has_relu6(s);
    int stride = l.stride;
    if (l.xnor || l.binary) return 0;
    if (l.size == 1 && l.stride > 1 && !l.pad) {
        add_subsampling(p, l.stride);
        stride = 1;
    }
    if (l.size == 1 && l.pad) note(p, i, "unpatched Darknet forgets the padding of a 1x1 convolution");
    fprintf(p->cfg, "\n[convolutional]\nfilters=%d\nsize=%d\nstride=%d\n", l.n, l.size, stride);
    if (l.pad) fprintf(p->cfg, l.pad == l.size / 2 ? "pad=1\n" : "padding=%d\n", l.pad);
    if (l.groups > 1) fprintf(p->cfg, "groups=%d\n", l.groups);
    fprintf(p->cfg, "activation=%s\n", relu6 ? "relu" : name_activation(p, i));
    add_layer(p, fold(l, l.n, l.nweights / l.n, relu6));
    if (relu6) add_six_minus(p, i);
    return 1;
}

static int add_connected(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    const int relu6 = has_relu6(s);
    fprintf(p->cfg, "\n[connected]\noutput=%d\nactivation=%s\n", l.outputs, relu6 ? "relu" : name_activation(p, i));
    add_layer(p, fold(l, l.outputs, l.inputs, relu6));
    if (relu6) add_six_minus(p, i);
    return 1;
}

/* Darknet adds the channels and pixels that both layers have; of a larger layer it uses every stride-th pixel. */
static int add_shortcut(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    const int relu6 = has_relu6(s);
    int from = p->place[l.index], k;
    int stride = l.out_w ? l.w / l.out_w : 0;
    if (!stride || l.w != stride * l.out_w || l.h != stride * l.out_h) {
        note(p, i, "OpenCV's dnn module cannot add layers of these sizes");
        stride = 1;
    }
    if (l.alpha != 1) {
        const int channels = channels_of(l);
        float *weights = floats(channels);
        for (k = 0; k < channels; ++k) weights[k] = k < l.c ? l.alpha : 1;
        add_scaling(p, channels, i > 0 && p->is_vector[i - 1], weights, floats(channels), "linear");
    }
    if (stride > 1 || l.beta != 1) {
        const int here = (int)p->count - 1;
        add_route(p, from);
        if (stride > 1) add_subsampling(p, stride);
        if (l.beta != 1) add_plain_scaling(p, l.c, p->is_vector[l.index], l.beta, 0, "linear");
        from = (int)p->count - 1;
        add_route(p, here);
    }
    fprintf(p->cfg, "\n[shortcut]\nfrom=%d\nactivation=%s\n", relative(p, from),
            relu6 ? "linear" : name_activation(p, i));
    add_layer(p, l);
    if (relu6) add_relu6(p, i);
    return 1;
}

static int add_activation(portable_network *p, int i, const cfg_section *s)
{
    if (has_relu6(s))
        add_relu6(p, i);
    else
        add_plain_scaling(p, channels_of(p->source->layers[i]), p->is_vector[i], 1, 0, name_activation(p, i));
    return 1;
}

static int add_batchnorm(portable_network *p, int i, const cfg_section *s)
{
    const layer *l = &p->source->layers[i];
    float *weights = floats(l->c), *biases = floats(l->c);
    int k;
    (void)s;
    for (k = 0; k < l->c; ++k) {
        const linear_function f = normalisation(l, k);
        weights[k] = (float)f.factor;
        biases[k] = (float)f.shift;
    }
    add_scaling(p, l->c, p->is_vector[i], weights, biases, "linear");
    return 1;
}

/* [softmax] and [ols] */
static int add_softmax(portable_network *p, int i, const cfg_section *s)
{
    layer l = p->source->layers[i], before = p->source->layers[i > 0 ? i - 1 : 0];
    const int groups = l.type == SOFTMAX ? l.groups : 1;
    (void)s;
    if (l.type == SOFTMAX && l.softmax_tree) return 0;
    if (l.temperature != 1)
        add_plain_scaling(p, channels_of(before), i > 0 && p->is_vector[i - 1], 1 / l.temperature, 0, "linear");
    fprintf(p->cfg, "\n[softmax]\n");
    if (groups > 1) fprintf(p->cfg, "groups=%d\n", groups);
    if (groups > 1 || before.out_w * before.out_h > 1)
        note(p, i, "OpenCV's dnn module takes a softmax over the channels of a pixel alone");
    l.type = SOFTMAX;
    add_layer(p, l);
    return 1;
}

static int add_original_route(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    int k;
    (void)s;
    fprintf(p->cfg, "\n[route]\nlayers=");
    for (k = 0; k < l.n; ++k) fprintf(p->cfg, "%s%d", k ? "," : "", relative(p, p->place[l.input_layers[k]]));
    fprintf(p->cfg, "\n");
    add_layer(p, l);
    return 1;
}

static int add_maxpool(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    (void)s;
    fprintf(p->cfg, "\n[maxpool]\nsize=%d\nstride=%d\npadding=%d\n", l.size, l.stride, l.pad);
    add_layer(p, l);
    return 1;
}

static int add_avgpool(portable_network *p, int i, const cfg_section *s)
{
    (void)s;
    fprintf(p->cfg, "\n[avgpool]\n");
    add_layer(p, p->source->layers[i]);
    return 1;
}

/* OpenCV takes a number for each channel, and no activation behind the product. */
static int add_scale_channels(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    note_first(p, i, is_scale_channels, "unpatched Darknet does not know [scale_channels], AlexeyAB's and OpenCV do");
    fprintf(p->cfg, "\n[scale_channels]\nfrom=%d\n", relative(p, p->place[l.index]));
    if (l.scale_wh) fprintf(p->cfg, "scale_wh=1\n");
    add_layer(p, l);
    return l.activation == LINEAR || add_activation(p, i, s);
}

static int add_upsample(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    (void)s;
    if (l.reverse) return 0;
    if (l.scale != 1) add_plain_scaling(p, l.c, 0, l.scale, 0, "linear");
    fprintf(p->cfg, "\n[upsample]\nstride=%d\n", l.stride);
    add_layer(p, l);
    return 1;
}

static int add_reorg(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    (void)s;
    if (l.reverse || l.flatten || l.extra) return 0;
    fprintf(p->cfg, "\n[reorg]\nstride=%d\n", l.stride);
    add_layer(p, l);
    return 1;
}

/* Whether a layer is written as [region]. */
static int becomes_region(const layer *l)
{
    return l->type == REGION || (l->type == YOLO && l->softmax);
}

static void note_second_region(const portable_network *p, int i)
{
    int k = 0;
    while (k < i && !becomes_region(&p->source->layers[k])) ++k;
    if (k < i) note(p, i, "OpenCV's dnn module reads a network with one [region] only");
}

/* A [yolo] with class_loss=softmax is a [region] whose anchors are those of its mask, in cells: [region] has the same
 * x, y, w, h and objectness, and other programs know it with a softmax. The size of a cell in pixels does not depend on
 * that of the network. OpenCV reads thresh= there, and has no nms_threshold=. */
static void add_softmax_head(portable_network *p, const layer *l, const cfg_section *s)
{
    const char *thresh = option_find(s->options, (char *)"thresh");
    const double cell_w = (double)p->source->w / l->w, cell_h = (double)p->source->h / l->h;
    int k;
    fprintf(p->cfg, "\n[region]\nclasses=%d\nnum=%d\ncoords=4\nsoftmax=1\nanchors=", l->classes, l->n);
    for (k = 0; k < l->n; ++k) {
        const float *anchor = l->biases + 2 * l->mask[k];
        fprintf(p->cfg, "%s%.9g,%.9g", k ? ", " : "", anchor[0] / cell_w, anchor[1] / cell_h);
    }
    fprintf(p->cfg, "\n");
    if (thresh) fprintf(p->cfg, "thresh=%s\n", thresh);
    add_layer(p, *l);
}

/* [yolo] and [region] */
static int add_head(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    int k;
    if (becomes_region(&l)) note_second_region(p, i);
    if (l.type == YOLO && l.softmax) {
        add_softmax_head(p, &l, s);
        return 1;
    }
    write_as_it_is(p->cfg, s);
    write_if_missing(p->cfg, s, "classes", l.classes);
    write_if_missing(p->cfg, s, "num", l.type == YOLO ? l.total : l.n);
    if (l.type == YOLO && !option_find(s->options, (char *)"mask")) {
        fprintf(p->cfg, "mask=0");
        for (k = 1; k < l.n; ++k) fprintf(p->cfg, ",%d", k);
        fprintf(p->cfg, "\n");
    }
    if (l.type == REGION && (!l.softmax || l.softmax_tree || l.background || l.coords != 4))
        note(p, i, "OpenCV's dnn module reads [region] with softmax=1, coords=4, and neither background nor tree");
    if (!option_find(s->options, (char *)"anchors"))
        note(p, i, "OpenCV's dnn module does not read a head without anchors=");
    add_layer(p, l);
    return 1;
}

/* [cost] and [dropout], which other programs ignore */
static int add_unchanged(portable_network *p, int i, const cfg_section *s)
{
    write_as_it_is(p->cfg, s);
    add_layer(p, p->source->layers[i]);
    return 1;
}

static const struct {
    LAYER_TYPE type;
    int (*add)(portable_network *p, int i, const cfg_section *s);
} writers[] = {
    {CONVOLUTIONAL, add_convolutional},
    {CONNECTED, add_connected},
    {SHORTCUT, add_shortcut},
    {ACTIVE, add_activation},
    {BATCHNORM, add_batchnorm},
    {SOFTMAX, add_softmax},
    {OLS, add_softmax},
    {ROUTE, add_original_route},
    {SCALE_CHANNELS, add_scale_channels},
    {MAXPOOL, add_maxpool},
    {AVGPOOL, add_avgpool},
    {UPSAMPLE, add_upsample},
    {REORG, add_reorg},
    {REGION, add_head},
    {YOLO, add_head},
    {COST, add_unchanged},
    {DROPOUT, add_unchanged},
};
enum { WRITERS = sizeof writers / sizeof *writers };

/* Writes a layer that exists only in Darknet. */
static void add_foreign(portable_network *p, int i, const cfg_section *s)
{
    const layer l = p->source->layers[i];
    const int relu6 = has_relu6(s);
    if (relu6 && (l.type == RNN || l.type == CRNN || l.xnor || l.binary))
        die("layer %d, %s: activation=relu6 cannot be written for other programs there; use relu", i, s->type);
    note(p, i, "OpenCV's dnn module does not know this layer, or not in this form");
    add_unchanged(p, i, s);
    if (relu6) add_relu6(p, i);
}

/* Finds the layers whose output is a vector: [connected], and layers that keep the shape of a vector before them. */
static int *find_vectors(const network *net)
{
    int *is_vector = (int *)xcalloc(net->n, sizeof *is_vector), i;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        switch (l->type) {
        case CONNECTED:
            is_vector[i] = 1;
            break;
        case ROUTE:
            is_vector[i] = is_vector[l->input_layers[0]];
            break;
        case ACTIVE:
        case BATCHNORM:
        case COST:
        case DROPOUT:
        case L2NORM:
        case LOGXENT:
        case OLS:
        case SHORTCUT:
        case SOFTMAX:
            is_vector[i] = i > 0 && is_vector[i - 1];
            break;
        default:
            break;
        }
    }
    return is_vector;
}

void write_portable_layers(portable_network *p, list *sections)
{
    const node *n;
    int i, k;
    p->is_vector = find_vectors(p->source);
    p->place = (int *)xcalloc(p->source->n, sizeof *p->place);
    for (i = 0, n = sections->front->next; n; n = n->next, ++i) {
        const cfg_section *s = (const cfg_section *)n->val;
        for (k = 0; k < WRITERS && writers[k].type != p->source->layers[i].type;) ++k;
        if (k == WRITERS || !writers[k].add(p, i, s)) add_foreign(p, i, s);
        p->place[i] = (int)p->count - 1;
    }
}
