/* One prediction by Darknet, in the terms of OpenCV's dnn module: for deploy.t, which builds this with an unpatched
 * Darknet and with ours. So it knows Darknet's own header alone.
 *
 *     predict <cfg> <weights> <input> <out>
 *
 * <input> holds the floats of one image, channel by channel. <out> gets, one after the other: of [yolo] and [region]
 * layers a row per cell and anchor: x, y, w, h in parts of the image, objectness, the score of every class; without
 * such layers the network's output.
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

int main(int argc, char **argv)
{
    network *net;
    FILE *in, *out;
    int i, heads = 0, boxes, entry;
    if (argc != 5) {
        fprintf(stderr, "usage: %s CFG WEIGHTS INPUT OUT\n", argv[0]);
        return 1;
    }
    gpu_index = -1;
    net = load_network(argv[1], argv[2], 0);
    set_batch_network(net, 1);
    in = open_or_leave(argv[3], "rb");
    if (fread(net->input, sizeof(float), net->inputs, in) != (size_t)net->inputs || fgetc(in) != EOF) {
        fprintf(stderr, "%s: not the size of the network's input\n", argv[3]);
        return 1;
    }
    fclose(in);
    out = open_or_leave(argv[4], "wb");
    network_predict(net, net->input);
    for (i = 0; i < net->n; ++i) heads += net->layers[i].type == YOLO || net->layers[i].type == REGION;
    if (heads) {
        /* all of them: no score is below this */
        detection *found = get_network_boxes(net, net->w, net->h, -1, -1, 0, 1, &boxes);
        for (i = 0; i < boxes; ++i) {
            fwrite(&found[i].bbox, sizeof(float), 4, out);
            fwrite(&found[i].objectness, sizeof(float), 1, out);
            for (entry = 0; entry < found[i].classes; ++entry) fwrite(found[i].prob + entry, sizeof(float), 1, out);
        }
    } else {
        fwrite(net->output, sizeof(float), net->outputs, out);
    }
    return ferror(out) || fclose(out) ? 1 : 0;
}
