/* What other Darknets and OpenCV's dnn module (4.6) lack, and what is written in its place:
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
#include "commands/deploy.h"

#include "base/error.h"
#include "activations.h"
#include "network.h"
#include "option_list.h"
#include "layers/label_smoothing.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As read_cfg makes them; the type is private to Darknet's parser.c. */
typedef struct {
    char *type;
    list *options;
} section;

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/* Both appear under their names when they are complete. */
static char temporary_cfg[PATH_MAX], temporary_weights[PATH_MAX];

static void remove_temporaries(void)
{
    if (*temporary_cfg) unlink(temporary_cfg);
    if (*temporary_weights) unlink(temporary_weights);
}

static void name_temporary(char *temporary, const char *filename)
{
    if (snprintf(temporary, PATH_MAX, "%s.%ld.tmp", filename, (long)getpid()) >= PATH_MAX)
        die("cannot write %s: the path is too long", filename);
}

static FILE *create(const char *temporary, const char *filename)
{
    FILE *out = fopen(temporary, "w");
    if (!out) die("cannot write %s: %s", filename, strerror(errno));
    return out;
}

static void finish(FILE *out, const char *filename)
{
    int bad = ferror(out);
    errno = bad ? EIO : 0;
    if (bad | fclose(out)) die("cannot write %s: %s", filename, strerror(errno));
}

static void publish(char *temporary, const char *filename)
{
    if (rename(temporary, filename)) die("cannot write %s: %s", filename, strerror(errno));
    *temporary = 0;
}

static void refuse_same_file(const char *in, const char *out)
{
    struct stat a, b;
    if (!stat(in, &a) && !stat(out, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        die("%s would be overwritten: give the deployed file another name", in);
}

/* ---- The cfg alone ----------------------------------------------------------------------------------------------- */

/* A cfg line as Darknet reads it, without blanks; cut to `size`, which is more than any name here has. */
static void squeeze(const char *line, char *out, size_t size)
{
    size_t used = 0;
    for (; *line && used + 1 < size; ++line)
        if (!strchr(" \t\r\n", *line)) out[used++] = *line;
    out[used] = 0;
}

/* 1 when the text before '=' is one of the keys. */
static int is_key(const char *line, const char *const *keys)
{
    size_t length = strcspn(line, "=");
    for (; *keys; ++keys)
        if (strlen(*keys) == length && !strncmp(line, *keys, length)) return 1;
    return 0;
}

/* 1 when the text before '=' is a key of ols.h. */
static int is_option_key(const char *line)
{
    const size_t length = strcspn(line, "=");
    int i;
    for (i = 0; ols_option_key(i); ++i)
        if (strlen(ols_option_key(i)) == length && !strncmp(line, ols_option_key(i), length)) return 1;
    return 0;
}

/* alpha also means something else in other sections, so only these lose their keys. */
static int may_smooth(const char *type)
{
    return !strcmp(type, "[ols]") || !strcmp(type, "[yolo]") || !strcmp(type, "[region]") ||
           !strcmp(type, "[detection]");
}

static int is_net(const char *type)
{
    return !strcmp(type, "[net]") || !strcmp(type, "[network]");
}

void deploy_cfg(const char *in_cfg, const char *out_cfg)
{
    char line[65536], squeezed[64], type[64] = "";
    int layer = -2;
    FILE *in = fopen(in_cfg, "r"), *out;
    if (!in) die("cannot open %s: %s", in_cfg, strerror(errno));
    refuse_same_file(in_cfg, out_cfg);
    atexit(remove_temporaries);
    name_temporary(temporary_cfg, out_cfg);
    out = create(temporary_cfg, out_cfg);
    while (fgets(line, sizeof line, in)) {
        squeeze(line, squeezed, sizeof squeezed);
        if (squeezed[0] == '[') {
            ++layer;
            memcpy(type, squeezed, sizeof type);
            if (!strcmp(type, "[ols]")) {
                fputs("[softmax]\n", out);
                continue;
            }
        }
        if (!strcmp(squeezed, "activation=relu6"))
            die("%s: %s (layer %d) has activation=relu6, which takes other layers elsewhere: give the weights too, "
                "darknet ols deploy <in.cfg> <out.cfg> <in.weights> <out.weights>",
                in_cfg, type, layer);
        if (may_smooth(type) && is_option_key(squeezed)) continue;
        if (is_net(type) && !strcmp(squeezed, "policy=cosine"))
            fputs("policy=constant\n", out);
        else
            fputs(line, out);
    }
    if (ferror(in)) die("cannot read %s: %s", in_cfg, strerror(errno));
    fclose(in);
    finish(out, out_cfg);
    publish(temporary_cfg, out_cfg);
}

/* ---- Cfg and weights --------------------------------------------------------------------------------------------- */

/* The network that is being written. */
typedef struct {
    FILE *cfg;
    layer *layers; /* what save_weights looks at: types, sizes and weights */
    int n;         /* of them */
    int capacity;
    int *place;      /* where the output of each layer of the original comes from here */
    network *source; /* the original */
    int notes;       /* how many there were */
} portable;

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (!memory) die("out of memory");
    return memory;
}

static void add_layer(portable *p, layer l)
{
    if (p->n == p->capacity) {
        p->capacity = 2 * p->capacity + 64;
        p->layers = (layer *)realloc(p->layers, p->capacity * sizeof *p->layers);
        if (!p->layers) die("out of memory");
    }
    /* save_weights writes no soft labels for it, and leaves nothing out */
    l.label_smoothing = 0;
    l.dontsave = 0;
    p->layers[p->n++] = l;
}

/* For what only some programs read. */
static void note(portable *p, int i, const char *what)
{
    fprintf(stderr, "darknet: note: layer %d (%s): %s\n", i, get_layer_string(p->source->layers[i].type), what);
    ++p->notes;
}

static int is_vector(const network *net, int i)
{
    for (; i >= 0; --i) {
        switch (net->layers[i].type) {
        case CONNECTED:
            return 1;
        case ROUTE:
            i = net->layers[i].input_layers[0] + 1;
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
            break;
        default:
            return 0;
        }
    }
    return 0;
}

/* [route] to a layer of the network that is being written. */
static void add_route(portable *p, int to)
{
    layer l = {0};
    l.type = ROUTE;
    fprintf(p->cfg, "\n[route]\nlayers=%d\n", to - p->n);
    add_layer(p, l);
}

/* Every stride-th pixel, from the first. */
static void add_subsampling(portable *p, int stride)
{
    layer l = {0};
    l.type = MAXPOOL;
    fprintf(p->cfg, "\n[maxpool]\nsize=1\nstride=%d\npadding=0\n", stride);
    add_layer(p, l);
}

/* activation(weight[k] * x + bias[k]) in channel k of the layer before: a depthwise 1x1 convolution. After [connected]
 * OpenCV has no image to convolve, so there it is a [connected] with a diagonal matrix. Takes both arrays over. */
static void add_scaling(portable *p, int channels, int vector, float *weight, float *bias, const char *activation)
{
    layer l = {0};
    l.biases = bias;
    if (vector) {
        int k;
        l.type = CONNECTED;
        l.inputs = l.outputs = channels;
        l.weights = (float *)allocate((size_t)channels * channels, sizeof(float));
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

/* The same with one weight and one bias for all channels. */
static void add_plain_scaling(portable *p, int channels, int vector, float weight, float bias, const char *activation)
{
    float *weights = (float *)allocate(channels, sizeof(float)), *biases = (float *)allocate(channels, sizeof(float));
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

/* One half of relu6(z) = relu(6 - relu(6 - z)), after original layer i. */
static void add_six_minus(portable *p, int i)
{
    add_plain_scaling(p, channels_of(p->source->layers[i]), is_vector(p->source, i), -1, 6, "relu");
}

/* The weights and biases of a layer without its batch normalisation, of 6 - z where six_minus is set. */
static layer fold(layer l, int filters, size_t per_filter, int six_minus)
{
    layer folded = l;
    int k;
    size_t j;
    folded.biases = (float *)allocate(filters, sizeof(float));
    folded.weights = (float *)allocate(filters * per_filter, sizeof(float));
    folded.batch_normalize = 0;
    for (k = 0; k < filters; ++k) {
        double factor = 1, bias = l.biases[k];
        if (l.batch_normalize) {
            factor = l.scales[k] / (sqrt((double)l.rolling_variance[k]) + 1e-6);
            bias -= factor * l.rolling_mean[k];
        }
        if (six_minus) {
            factor = -factor;
            bias = 6 - bias;
        }
        folded.biases[k] = (float)bias;
        for (j = 0; j < per_filter; ++j)
            folded.weights[k * per_filter + j] = (float)(factor * l.weights[k * per_filter + j]);
    }
    return folded;
}

/* Keys that say how to train, or what was done to the weights when they were loaded. */
static const char *const dropped[] = {"dontsave", "dontload", "dontloadscales", "numload", "flipped", 0};

/* A section as it is, but for these keys, and with `activation` where it is not NULL. */
static void print_section(portable *p, const section *s, const char *activation)
{
    node *n;
    fprintf(p->cfg, "\n%s\n", s->type);
    for (n = s->options->front; n; n = n->next) {
        kvp *option = (kvp *)n->val;
        if (!option->val || is_key(option->key, dropped) || (may_smooth(s->type) && is_option_key(option->key)))
            continue;
        if (activation && !strcmp(option->key, "activation")) continue;
        fprintf(p->cfg, "%s=%s\n", option->key, option->val);
    }
    if (activation) fprintf(p->cfg, "activation=%s\n", activation);
}

static void print_missing(portable *p, const section *s, const char *key, int value)
{
    if (!option_find(s->options, (char *)key)) fprintf(p->cfg, "%s=%d\n", key, value);
}

static int has_relu6(const section *s)
{
    const char *activation = option_find(s->options, "activation");
    return activation && !strcmp(activation, "relu6");
}

static const char *name_activation(portable *p, int i)
{
    ACTIVATION a = p->source->layers[i].activation;
    if (a != LINEAR && a != LEAKY && a != RELU && a != LOGISTIC && a != TANH)
        note(p, i, "OpenCV's dnn module does not know its activation");
    return get_activation_string(a);
}

static void add_convolutional(portable *p, int i, int relu6)
{
    layer l = p->source->layers[i];
    int stride = l.stride;
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
}

static void add_connected(portable *p, int i, int relu6)
{
    layer l = p->source->layers[i];
    fprintf(p->cfg, "\n[connected]\noutput=%d\nactivation=%s\n", l.outputs, relu6 ? "relu" : name_activation(p, i));
    add_layer(p, fold(l, l.outputs, l.inputs, relu6));
    if (relu6) add_six_minus(p, i);
}

/* Darknet adds where both layers have a channel and a pixel; from a larger one it takes every stride-th pixel. */
static void add_shortcut(portable *p, int i, int relu6)
{
    layer l = p->source->layers[i];
    int from = p->place[l.index], k;
    int stride = l.out_w ? l.w / l.out_w : 0;
    if (!stride || l.w != stride * l.out_w || l.h != stride * l.out_h) {
        note(p, i, "OpenCV's dnn module cannot add layers of these sizes");
        stride = 1;
    }
    if (l.alpha != 1) {
        int channels = channels_of(l);
        float *weights = (float *)allocate(channels, sizeof(float));
        for (k = 0; k < channels; ++k) weights[k] = k < l.c ? l.alpha : 1;
        add_scaling(p, channels, is_vector(p->source, i - 1), weights, (float *)allocate(channels, sizeof(float)),
                    "linear");
    }
    if (stride > 1 || l.beta != 1) {
        int here = p->n - 1;
        add_route(p, from);
        if (stride > 1) add_subsampling(p, stride);
        if (l.beta != 1) add_plain_scaling(p, l.c, is_vector(p->source, l.index), l.beta, 0, "linear");
        from = p->n - 1;
        add_route(p, here);
    }
    fprintf(p->cfg, "\n[shortcut]\nfrom=%d\nactivation=%s\n", from - p->n, relu6 ? "linear" : name_activation(p, i));
    add_layer(p, l);
    if (relu6) {
        add_six_minus(p, i);
        add_six_minus(p, i);
    }
}

static void add_softmax(portable *p, int i)
{
    layer l = p->source->layers[i], before = p->source->layers[i - 1];
    int groups = l.type == SOFTMAX ? l.groups : 1;
    if (l.temperature != 1)
        add_plain_scaling(p, channels_of(before), is_vector(p->source, i - 1), 1 / l.temperature, 0, "linear");
    fprintf(p->cfg, "\n[softmax]\n");
    if (groups > 1) fprintf(p->cfg, "groups=%d\n", groups);
    if (groups > 1 || before.out_w * before.out_h > 1)
        note(p, i, "OpenCV's dnn module takes a softmax over the channels of a pixel alone");
    l.type = SOFTMAX;
    add_layer(p, l);
}

static void add_batchnorm(portable *p, int i)
{
    layer l = p->source->layers[i];
    float *weights = (float *)allocate(l.c, sizeof(float)), *biases = (float *)allocate(l.c, sizeof(float));
    int k;
    for (k = 0; k < l.c; ++k) {
        double factor = l.scales[k] / (sqrt((double)l.rolling_variance[k]) + 1e-6);
        weights[k] = (float)factor;
        biases[k] = (float)(l.biases[k] - factor * l.rolling_mean[k]);
    }
    add_scaling(p, l.c, is_vector(p->source, i), weights, biases, "linear");
}

static void add_head(portable *p, int i, const section *s)
{
    layer l = p->source->layers[i];
    int k;
    print_section(p, s, 0);
    print_missing(p, s, "classes", l.classes);
    if (l.type == YOLO) {
        print_missing(p, s, "num", l.total);
        if (!option_find(s->options, "mask")) {
            fprintf(p->cfg, "mask=0");
            for (k = 1; k < l.n; ++k) fprintf(p->cfg, ",%d", k);
            fprintf(p->cfg, "\n");
        }
    } else {
        print_missing(p, s, "num", l.n);
        if (!l.softmax || l.softmax_tree || l.background || l.coords != 4)
            note(p, i, "OpenCV's dnn module reads [region] with softmax=1, coords=4, and neither background nor tree");
    }
    if (!option_find(s->options, "anchors")) note(p, i, "OpenCV's dnn module does not read a head without anchors=");
    add_layer(p, l);
}

static void add_section(portable *p, int i, const section *s)
{
    layer l = p->source->layers[i];
    int relu6 = has_relu6(s), k;
    switch (l.type) {
    case CONVOLUTIONAL:
        if (l.xnor || l.binary) break;
        add_convolutional(p, i, relu6);
        return;
    case CONNECTED:
        add_connected(p, i, relu6);
        return;
    case SHORTCUT:
        add_shortcut(p, i, relu6);
        return;
    case ACTIVE:
        if (relu6)
            add_six_minus(p, i), add_six_minus(p, i);
        else
            add_plain_scaling(p, channels_of(l), is_vector(p->source, i), 1, 0, name_activation(p, i));
        return;
    case BATCHNORM:
        add_batchnorm(p, i);
        return;
    case SOFTMAX:
        if (l.softmax_tree) break;
        add_softmax(p, i);
        return;
    case OLS:
        add_softmax(p, i);
        return;
    case ROUTE:
        fprintf(p->cfg, "\n[route]\nlayers=");
        for (k = 0; k < l.n; ++k) fprintf(p->cfg, "%s%d", k ? "," : "", p->place[l.input_layers[k]] - p->n);
        fprintf(p->cfg, "\n");
        add_layer(p, l);
        return;
    case MAXPOOL:
        fprintf(p->cfg, "\n[maxpool]\nsize=%d\nstride=%d\npadding=%d\n", l.size, l.stride, l.pad);
        add_layer(p, l);
        return;
    case AVGPOOL:
        fprintf(p->cfg, "\n[avgpool]\n");
        add_layer(p, l);
        return;
    case UPSAMPLE:
        if (l.reverse) break;
        if (l.scale != 1) add_plain_scaling(p, l.c, 0, l.scale, 0, "linear");
        fprintf(p->cfg, "\n[upsample]\nstride=%d\n", l.stride);
        add_layer(p, l);
        return;
    case REORG:
        if (l.reverse || l.flatten || l.extra) break;
        fprintf(p->cfg, "\n[reorg]\nstride=%d\n", l.stride);
        add_layer(p, l);
        return;
    case REGION:
    case YOLO:
        add_head(p, i, s);
        return;
    case COST:
    case DROPOUT:
        print_section(p, s, 0);
        add_layer(p, l);
        return;
    default:
        break;
    }
    /* what only Darknets know stays as it is */
    if (relu6 && (l.type == RNN || l.type == CRNN || l.xnor || l.binary))
        die("layer %d, %s: activation=relu6 cannot be written for other programs there; use relu", i, s->type);
    note(p, i, "OpenCV's dnn module does not know this layer, or not in this form");
    print_section(p, s, relu6 ? "linear" : 0);
    add_layer(p, l);
    if (relu6) add_six_minus(p, i), add_six_minus(p, i);
}

/* [net] for one image at a time, with a schedule that every Darknet knows. */
static void print_net(FILE *out, const section *s)
{
    static const char *const replaced[] = {"batch", "subdivisions", 0};
    node *n;
    fprintf(out, "[net]\nbatch=1\nsubdivisions=1\n");
    for (n = s->options->front; n; n = n->next) {
        kvp *option = (kvp *)n->val;
        if (!option->val || is_key(option->key, replaced)) continue;
        if (!strcmp(option->key, "policy") && !strcmp(option->val, "cosine"))
            fprintf(out, "policy=constant\n");
        else
            fprintf(out, "%s=%s\n", option->key, option->val);
    }
}

/* The original for one image, whatever batch it is trained with: its cfg is written anew for that. */
static network *load_original(list *sections, const char *out_cfg, const char *in_weights)
{
    FILE *out = create(temporary_cfg, out_cfg);
    node *n, *o;
    print_net(out, (const section *)sections->front->val);
    for (n = sections->front->next; n; n = n->next) {
        const section *s = (const section *)n->val;
        fprintf(out, "%s\n", s->type);
        for (o = s->options->front; o; o = o->next) {
            kvp *option = (kvp *)o->val;
            if (option->val) fprintf(out, "%s=%s\n", option->key, option->val);
        }
    }
    finish(out, out_cfg);
    return load_network(temporary_cfg, (char *)in_weights, 0);
}

static int is_head(const network *net, int i)
{
    LAYER_TYPE type = net->layers[i].type;
    return i == net->n - 1 || type == YOLO || type == REGION || type == DETECTION;
}

/* The largest difference between the outputs of both networks for one random image; not finite where an output is not.
 */
static double compare(const portable *p, network *deployed)
{
    network *source = p->source;
    float *image = (float *)allocate(source->inputs, sizeof(float));
    unsigned random = 1;
    double worst = 0;
    int i, k;
    for (i = 0; i < source->inputs; ++i) {
        random = random * 1664525u + 1013904223u;
        image[i] = (float)(random >> 8) / 16777216.f;
    }
    for (i = 0; i < source->n; ++i) {
        layer *l = source->layers + i;
        if (l->type == BATCHNORM)
            l->x = (float *)allocate(l->outputs, sizeof(float)); /* Darknet forgets it on the CPU */
    }
    network_predict(source, image);
    network_predict(deployed, image);
    for (i = 0; i < source->n; ++i) {
        layer one = source->layers[i], other = deployed->layers[p->place[i]];
        if (!is_head(source, i) || !one.output) continue;
        if (one.outputs != other.outputs) die("layer %d has another size when it is deployed: please report this", i);
        for (k = 0; k < one.outputs; ++k) {
            double difference = fabs((double)one.output[k] - other.output[k]);
            if (difference <= worst) continue;
            worst = difference;
            if (!isfinite(worst)) goto done; /* the next would hide it */
        }
    }
done:
    free(image);
    return worst;
}

void deploy_network(const char *in_cfg, const char *out_cfg, const char *in_weights, const char *out_weights)
{
    portable p = {0};
    network written = {0}, *deployed;
    list *sections;
    node *n;
    double difference;
    int i;
    gpu_index = -1;
    if (access(in_cfg, R_OK)) die("cannot open %s: %s", in_cfg, strerror(errno));
    if (access(in_weights, R_OK)) die("cannot open %s: %s", in_weights, strerror(errno));
    refuse_same_file(in_cfg, out_cfg);
    refuse_same_file(in_cfg, out_weights);
    refuse_same_file(in_weights, out_cfg);
    refuse_same_file(in_weights, out_weights);
    atexit(remove_temporaries);
    name_temporary(temporary_cfg, out_cfg);
    name_temporary(temporary_weights, out_weights);
    finish(create(temporary_weights, out_weights), out_weights); /* so that it is known before the work is done */
    sections = read_cfg((char *)in_cfg);
    if (!sections->front || !is_net(((section *)sections->front->val)->type))
        die("%s: the first section must be [net] or [network]", in_cfg);
    p.source = load_original(sections, out_cfg, in_weights);
    p.place = (int *)allocate(p.source->n, sizeof(int));

    p.cfg = create(temporary_cfg, out_cfg);
    fprintf(p.cfg, "# Written by: darknet ols deploy %s. For inference: batch normalisation is in the weights.\n\n",
            in_cfg);
    print_net(p.cfg, (const section *)sections->front->val);
    for (i = 0, n = sections->front->next; n; n = n->next, ++i) {
        add_section(&p, i, (const section *)n->val);
        p.place[i] = p.n - 1;
    }
    finish(p.cfg, out_cfg);

    written.n = p.n;
    written.layers = p.layers;
    written.seen = p.source->seen;
    written.gpu_index = -1;
    save_weights(&written, temporary_weights);
    deployed = load_network(temporary_cfg, temporary_weights, 0);
    difference = compare(&p, deployed);
    if (!isfinite(difference))
        die("%s: the outputs on a random image are not finite: weights that have diverged? Nothing is written",
            in_weights);
    printf("%s, %s: %d layers in place of %d; on a random image their outputs differ by at most %.1e\n", out_cfg,
           out_weights, p.n, p.source->n, difference);
    if (difference > 1e-2)
        fprintf(stderr,
                "darknet: note: that is much. After a short training the averages of batch normalisation are far "
                "off, and rounding grows from layer to layer: compare on real images\n");
    publish(temporary_weights, out_weights);
    publish(temporary_cfg, out_cfg);
}
