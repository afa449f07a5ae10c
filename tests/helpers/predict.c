/* One prediction by Darknet, written in the format of OpenCV's dnn module; for deploy.t, which builds it with an
 * unpatched Darknet and with ours. Therefore it includes only Darknet's own header.
 *
 *     predict <cfg> <weights> <input> <out>
 *     predict <cfg> <weights>                  writes random weights, with statistics as after a training
 *
 * <input> has the floats of one image, channel by channel. <out> gets, if there are [yolo] or [region] layers, one row
 * per cell and anchor: x, y, w, h as fractions of the image, objectness, the score of every class; otherwise the output
 * of the network.
 */
#include "darknet.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *open_or_leave(const char *name, const char *mode)
{
    FILE *file = fopen(name, mode);
    if (file) return file;
    perror(name);
    exit(1);
}

static void put_random(float *x, int n, float low, float high)
{
    static unsigned random = 7;
    int i;
    for (i = 0; x && i < n; ++i) {
        random = random * 1664525u + 1013904223u;
        x[i] = low + (high - low) * (float)(random >> 8) / 16777216.f;
    }
}

/* Writes random weights. The scales are so large that values leave [0, 6] at both ends, for relu6. */
static int make_weights(char *cfg, char *weights)
{
    network *net;
    int i;
    srand(7);
    net = parse_network_cfg(cfg);
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        int filters = l.type == CONVOLUTIONAL ? l.n : l.type == CONNECTED ? l.outputs : l.c;
        int head = i + 1 < net->n && (net->layers[i + 1].type == YOLO || net->layers[i + 1].type == REGION), k;
        if (l.type != CONVOLUTIONAL && l.type != CONNECTED && l.type != BATCHNORM) continue;
        if (l.type != BATCHNORM) put_random(l.biases, filters, -1, 1);
        put_random(l.scales, filters, 1, 5);
        put_random(l.rolling_mean, filters, -.5, .5);
        put_random(l.rolling_variance, filters, .2, 2);
        /* in every fourth filter all values are small, so that the place of the normalisation's epsilon matters */
        for (k = 0; l.scales && l.type != BATCHNORM && k < filters; k += 4) {
            int per_filter = (l.type == CONNECTED ? l.inputs * l.outputs : l.nweights) / filters, j;
            for (j = 0; j < per_filter; ++j) l.weights[k * per_filter + j] *= .01f;
            l.rolling_mean[k] *= .01f;
            l.rolling_variance[k] *= .0001f;
        }
        for (k = 0; head && k < l.nweights; ++k) l.weights[k] *= .1f; /* box sizes are exponentials of these */
    }
    save_weights(net, weights);
    return 0;
}

int main(int argc, char **argv)
{
    network *net;
    FILE *in, *out;
    int i, heads = 0, classes = 0, boxes;
    gpu_index = -1;
    if (argc == 3) return make_weights(argv[1], argv[2]);
    if (argc != 5) {
        fprintf(stderr, "usage: %s CFG WEIGHTS [INPUT OUT]\n", argv[0]);
        return 1;
    }
    net = load_network(argv[1], argv[2], 0);
    set_batch_network(net, 1);
    in = open_or_leave(argv[3], "rb");
    if (fread(net->input, sizeof(float), net->inputs, in) != (size_t)net->inputs || fgetc(in) != EOF) {
        fprintf(stderr, "%s: not the size of the network's input\n", argv[3]);
        return 1;
    }
    fclose(in);
    out = open_or_leave(argv[4], "wb");
    for (i = 0; i < net->n; ++i) {
        layer *l = net->layers + i;
        if (l->type == BATCHNORM) l->x = (float *)calloc(l->outputs, sizeof(float)); /* Darknet forgets it on the CPU */
        if (l->type == YOLO || l->type == REGION) {
            ++heads;
            classes = l->classes;
        }
    }
    network_predict(net, net->input);
    if (heads) {
        /* all boxes, as no score is below -1 */
        detection *found = get_network_boxes(net, net->w, net->h, -1, -1, 0, 1, &boxes);
        layer last = net->layers[net->n - 1];
        for (i = 0; i < boxes; ++i) {
            /* [region] orders its boxes by anchor, then cell; [yolo] and OpenCV by cell, then anchor */
            int cells = last.w * last.h, at = last.type == REGION ? i % last.n * cells + i / last.n : i;
            fwrite(&found[at].bbox, sizeof(float), 4, out);
            fwrite(&found[at].objectness, sizeof(float), 1, out);
            fwrite(found[at].prob, sizeof(float), classes, out);
        }
    } else {
        fwrite(net->output, sizeof(float), net->outputs, out);
    }
    return ferror(out) || fclose(out) ? 1 : 0;
}
