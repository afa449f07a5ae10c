#include "commands/deploy.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "commands/portable_network.h"
#include "eval/threshold_file.h"
#include "layers/class_head.h"
#include "network.h"
#include "option_list.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/* The result files. They are discarded if the program ends before they are published, also by an exit() in Darknet. */
static atomic_file out_cfg_file, out_weights_file;

static void discard_results(void)
{
    atomic_discard(&out_cfg_file);
    atomic_discard(&out_weights_file);
}

static void stop_where(int error, const char *path)
{
    if (error) die("cannot write %s: %s", path, strerror(error));
}

/* ---- The cfg alone ----------------------------------------------------------------------------------------------- */

/* Copies a cfg line without blanks, as Darknet reads it; cut to `size`, which is longer than any name here. */
static void squeeze(const char *line, char *out, size_t size)
{
    size_t used = 0;
    for (; *line && used + 1 < size; ++line)
        if (!strchr(" \t\r\n", *line)) out[used++] = *line;
    out[used] = 0;
}

/* Writes the line that begins a section. Stores its type in `type`. */
static void deploy_section_line(const char *line, const char *squeezed, char *type, FILE *out)
{
    strcpy(type, squeezed);
    fputs(strcmp(type, "[ols]") ? line : "[softmax]\n", out);
}

/* Writes any other line of a section. `key` is the line without blanks; this function modifies it. */
static void deploy_line(const char *line, char *key, const char *type, FILE *out)
{
    static char none[] = "";
    char *equals = strchr(key, '='), *value = equals ? equals + 1 : none;
    const char *becomes;
    if (equals) *equals = 0;
    becomes = portable_value(type, key, value);
    if (becomes == value)
        fputs(line, out);
    else if (becomes)
        fprintf(out, "%s=%s\n", key, becomes);
}

/* Ends the program for a line that other programs need other layers for; those are only known with the network. */
static void refuse_line(const char *in_cfg, const char *squeezed, const char *type, int layer)
{
    const int relu6 = !strcmp(squeezed, "activation=relu6");
    const int softmax =
        !strcmp(type, "[yolo]") && !strncmp(squeezed, "class_loss=softmax", strlen("class_loss=softmax"));
    if (relu6 || softmax)
        die("%s: %s (layer %d) has %s, which takes other layers elsewhere: give the weights too, darknet ols deploy "
            "<in.cfg> <out.cfg> <in.weights> <out.weights>",
            in_cfg, type, layer, relu6 ? "activation=relu6" : "class_loss=softmax");
}

void deploy_cfg(const char *in_cfg, const char *out_cfg)
{
    char *line = 0, squeezed[64], type[sizeof squeezed] = "";
    size_t size = 0;
    int layer = -2; /* [net] becomes -1, the section after it 0 */
    FILE *in = fopen(in_cfg, "r");
    if (!in) die("cannot open %s: %s", in_cfg, strerror(errno));
    atexit(discard_results);
    stop_where(atomic_open(&out_cfg_file, out_cfg), out_cfg);
    while (getline(&line, &size, in) >= 0) {
        squeeze(line, squeezed, sizeof squeezed);
        layer += *squeezed == '[';
        refuse_line(in_cfg, squeezed, type, layer);
        if (*squeezed == '[')
            deploy_section_line(line, squeezed, type, out_cfg_file.stream);
        else
            deploy_line(line, squeezed, type, out_cfg_file.stream);
    }
    if (ferror(in)) die("cannot read %s: %s", in_cfg, strerror(errno));
    free(line);
    fclose(in);
    stop_where(atomic_commit(&out_cfg_file), out_cfg);
}

/* ---- Cfg and weights --------------------------------------------------------------------------------------------- */

static void check_files(const char *in_cfg, const char *out_cfg, const char *in_weights, const char *out_weights)
{
    if (access(in_cfg, R_OK)) die("cannot open %s: %s", in_cfg, strerror(errno));
    if (access(in_weights, R_OK)) die("cannot open %s: %s", in_weights, strerror(errno));
    if (!strcmp(out_cfg, out_weights)) die("%s cannot be both the cfg and the weights", out_cfg);
}

/* Writes a section as read_cfg has read it, with all its keys. */
static void write_original(FILE *cfg, const cfg_section *s)
{
    const node *n;
    fprintf(cfg, "%s\n", s->type);
    for (n = s->options->front; n; n = n->next) {
        const kvp *option = (const kvp *)n->val;
        if (option->val) fprintf(cfg, "%s=%s\n", option->key, option->val);
    }
}

/* Loads the original network with batch 1, whatever batch its cfg has. load_network takes only a file, so a cfg with
 * batch=1 is written to the temporary file of out_cfg for the moment. */
static network *load_original(list *sections, const char *out_cfg, const char *in_weights)
{
    const node *n = sections->front;
    network *net;
    stop_where(atomic_open(&out_cfg_file, out_cfg), out_cfg);
    write_net(out_cfg_file.stream, (const cfg_section *)n->val);
    while ((n = n->next)) write_original(out_cfg_file.stream, (const cfg_section *)n->val);
    stop_where(atomic_finish(&out_cfg_file), out_cfg);
    net = load_network(out_cfg_file.temporary, (char *)in_weights, 0);
    atomic_discard(&out_cfg_file);
    return net;
}

/* Gives every head thresh=, which OpenCV's dnn module reads as the score that a box needs. A [yolo] keeps its own:
 * there the key has no other meaning. In a [region] it is a limit of the training, which the deployed network has no
 * use for. Returns whether a head got it; *is_kept: whether one keeps its own. */
static int set_threshold(list *sections, const char *text, int *is_kept)
{
    const node *n;
    int is_set = 0;
    *is_kept = 0;
    for (n = sections->front; n; n = n->next) {
        const cfg_section *s = (const cfg_section *)n->val;
        const int is_yolo = !strcmp(s->type, "[yolo]"), is_region = !strcmp(s->type, "[region]");
        node *option = s->options->front;
        while (option && strcmp(((const kvp *)option->val)->key, "thresh")) option = option->next;
        *is_kept |= is_yolo && option;
        if (!(is_region || (is_yolo && !option))) continue;
        if (option)
            ((kvp *)option->val)->val = xstrdup(text);
        else
            option_insert(s->options, xstrdup("thresh"), xstrdup(text));
        is_set = 1;
    }
    return is_set;
}

/* Writes both files, but does not publish them yet. */
static portable_network write_portable(network *source, list *sections, const char *in_cfg, const char *out_cfg)
{
    portable_network p = {.source = source};
    network written = {0};
    stop_where(atomic_open(&out_cfg_file, out_cfg), out_cfg);
    p.cfg = out_cfg_file.stream;
    fprintf(p.cfg, "# Written by: darknet ols deploy %s. For inference: batch normalisation is in the weights.\n\n",
            in_cfg);
    write_net(p.cfg, (const cfg_section *)sections->front->val);
    write_portable_layers(&p, sections);
    stop_where(atomic_finish(&out_cfg_file), out_cfg);

    written.n = (int)p.count;
    written.layers = p.layers;
    written.seen = source->seen;
    written.gpu_index = -1;
    save_weights(&written, out_weights_file.temporary);
    return p;
}

/* Returns an input for a network: random values from 0 to 1, the same in every run. The caller frees it. */
static float *random_image(int inputs)
{
    float *image = (float *)xcalloc(inputs, sizeof *image);
    unsigned random = 1;
    int i;
    for (i = 0; i < inputs; ++i) {
        random = random * 1664525u + 1013904223u;
        image[i] = (float)(random >> 8) / 16777216.f;
    }
    return image;
}

/* Returns the largest absolute difference between two layers' outputs, at least `worst`; not finite if an output is
 * not. */
static double larger_difference(double worst, layer one, layer other)
{
    int k;
    for (k = 0; k < one.outputs && isfinite(worst); ++k) {
        const double difference = fabs((double)one.output[k] - other.output[k]);
        if (!(difference <= worst)) worst = difference;
    }
    return worst;
}

/* Runs both networks on one random image. Returns the largest absolute difference between their outputs, over the
 * detection heads and the last layer; not finite if an output is not. */
static double compare(const portable_network *p, network *deployed)
{
    network *source = p->source;
    float *image = random_image(source->inputs);
    double worst = 0;
    int i;
    for (i = 0; i < source->n; ++i) {
        layer *l = source->layers + i;
        if (l->type == BATCHNORM)
            l->x = (float *)xcalloc(l->outputs, sizeof(float)); /* Darknet does not allocate it without a GPU */
    }
    network_predict(source, image);
    network_predict(deployed, image);
    for (i = 0; i < source->n; ++i) {
        const layer one = source->layers[i], other = deployed->layers[p->place[i]];
        if (!(i == source->n - 1 || is_detection_head(&one)) || !one.output) continue;
        if (one.outputs != other.outputs) die("layer %d has another size when it is deployed: please report this", i);
        worst = larger_difference(worst, one, other);
    }
    free(image);
    return worst;
}

void deploy_network(const char *in_cfg, const char *out_cfg, const char *in_weights, const char *out_weights)
{
    portable_network p;
    network *source;
    list *sections;
    char text[DECIMAL_TEXT];
    double difference, threshold;
    int is_set = 0, is_kept = 0;
    gpu_index = -1;
    check_files(in_cfg, out_cfg, in_weights, out_weights);
    atexit(discard_results);
    stop_where(atomic_open(&out_weights_file, out_weights), out_weights); /* fail before the long work */
    stop_where(atomic_finish(&out_weights_file), out_weights);
    sections = read_cfg((char *)in_cfg);
    if (!sections->front || !is_net_section(((const cfg_section *)sections->front->val)->type))
        die("%s: the first section must be [net] or [network]", in_cfg);
    source = load_original(sections, out_cfg, in_weights);
    if (threshold_of_weights(in_weights, &threshold))
        is_set = set_threshold(sections, format_decimal(threshold, 1, text), &is_kept);
    p = write_portable(source, sections, in_cfg, out_cfg);
    difference = compare(&p, load_network(out_cfg_file.temporary, out_weights_file.temporary, 0));
    if (!isfinite(difference))
        die("%s: the outputs on a random image are not finite: weights that have diverged? Nothing is written",
            in_weights);
    printf("%s, %s: %zu layers in place of %d; on a random image their outputs differ by at most %.1e\n", out_cfg,
           out_weights, p.count, source->n, difference);
    if (is_set)
        printf("thresh=%s in its heads: the score that a box needs in OpenCV; -thresh says it to other Darknets\n",
               text);
    else if (is_kept)
        report_note("the heads keep their own thresh=");
    if (difference > 1e-2)
        report_note("that is much. After a short training the averages of batch normalisation are far off, and "
                    "rounding grows from layer to layer: compare on real images");
    stop_where(atomic_publish(&out_weights_file), out_weights);
    stop_where(atomic_publish(&out_cfg_file), out_cfg);
}
