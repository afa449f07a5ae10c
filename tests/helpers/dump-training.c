/* Trains a network on reproducible pseudo-random data and writes all of its numbers to a file; or predicts with a
 * network; or loads batches of images as the trainers do.
 *
 *     dump-training train <cfg> <iterations> <out> [<weights>]    everything, after every iteration
 *     dump-training learn <cfg> <iterations> <out> [<weights>]    predictions on the way, and the final weights
 *     dump-training predict <cfg> <weights> <out>
 *     dump-training load classifier|detector <list> <out>
 *
 * unpatched.t builds it with an unpatched Darknet and with ours, and compares the two outputs; accel.t does so with
 * ours, with and without the fast paths. Therefore it includes only Darknet's own header.
 */
#include "darknet.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float uniform(void)
{
    static uint32_t random = 7;
    random = random * 1664525u + 1013904223u;
    return (float)(random >> 8) / 16777216.f;
}

static int with_lengths; /* whether the number of floats is written before every array, as uint64_t */

static void write_floats(FILE *out, const float *x, size_t n)
{
    uint64_t length = n;
    if (x && ((with_lengths && fwrite(&length, sizeof length, 1, out) != 1) || fwrite(x, sizeof *x, n, out) != n)) {
        perror("dump-training");
        exit(1);
    }
}

/* Writes the truth of one image in the form that the last layer reads: boxes, cells, or one class. There are three
 * objects; the first two have the same box and different classes. */
static void put_truth(layer l, float *truth, int truths)
{
    int t, cells = l.type == DETECTION ? l.side * l.side : 0;
    memset(truth, 0, truths * sizeof *truth);
    if (cells) {
        for (t = 0; t < 3; ++t) {
            float *cell = truth + (int)(uniform() * cells) * (1 + l.coords + l.classes);
            int k;
            if (cell[0] != 0) continue; /* a cell holds one object */
            cell[0] = 1;
            cell[1 + (int)(uniform() * l.classes)] = 1;
            for (k = 0; k < 4; ++k) cell[1 + l.classes + k] = .2f + .6f * uniform();
        }
    } else if (l.type == YOLO || l.type == REGION) {
        for (t = 0; t < 3; ++t) {
            float *object = truth + 5 * t;
            object[0] = .1f + .8f * uniform();
            object[1] = .1f + .8f * uniform();
            object[2] = .1f + .8f * uniform();
            object[3] = .1f + .8f * uniform();
            if (t == 1) memcpy(object, truth, 4 * sizeof *truth);
            object[4] = (float)(int)(uniform() * l.classes);
        }
    } else {
        truth[(int)(uniform() * truths)] = 1;
    }
}

static void put_batch(network *net)
{
    int b, i;
    for (b = 0; b < net->batch; ++b) {
        for (i = 0; i < net->inputs; ++i) net->input[b * net->inputs + i] = uniform() - .5f;
        put_truth(net->layers[net->n - 1], net->truth + b * net->truths, net->truths);
    }
}

static void write_weights(FILE *out, network *net)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        size_t weights = l.type == CONNECTED ? (size_t)l.inputs * l.outputs : (size_t)l.nweights;
        size_t biases = l.type == CONNECTED ? (size_t)l.outputs : (size_t)l.n;
        if (l.type != CONNECTED && l.type != CONVOLUTIONAL) continue;
        write_floats(out, l.weights, weights);
        write_floats(out, l.biases, biases);
        write_floats(out, l.scales, biases);
        write_floats(out, l.rolling_mean, biases);
        write_floats(out, l.rolling_variance, biases);
        write_floats(out, l.weight_updates, weights);
        write_floats(out, l.bias_updates, biases);
    }
    write_floats(out, net->cost, 1);
}

static void write_network(FILE *out, network *net)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        write_floats(out, l.output, (size_t)l.outputs * l.batch);
        write_floats(out, l.delta, (size_t)l.outputs * l.batch);
    }
    write_weights(out, net);
}

/* Writes the output of the last layer for one batch. */
static void write_predictions(FILE *out, network *net)
{
    put_batch(net);
    write_floats(out, network_predict(net, net->input), (size_t)net->outputs * net->batch);
}

static void train(char *cfg, int iterations, FILE *out, char *weights, int all)
{
    network *net;
    int i, s;
    srand(7);
    net = parse_network_cfg(cfg);
    srand(7); /* for dropout, because the heads call srand(0) */
    for (i = 0; i < iterations; ++i) {
        for (s = 0; s < net->subdivisions; ++s) {
            put_batch(net);
            train_network_datum(net);
        }
        if (all) write_network(out, net);
        /* as in a training with random=1; and a prediction in between must not change the weights */
        if (!all && i == iterations / 2 && net->layers[net->n - 1].random)
            resize_network(net, net->w + 32, net->h + 32);
        if (!all) write_predictions(out, net);
    }
    if (!all) {
        write_weights(out, net);
        set_batch_network(net, 1);
        write_predictions(out, net);
    }
    if (weights) save_weights(net, weights);
}

static void predict(char *cfg, char *weights, FILE *out)
{
    network *net = load_network(cfg, weights, 0);
    set_batch_network(net, 1);
    put_batch(net);
    write_floats(out, network_predict(net, net->input), net->outputs);
}

/* Loads with one thread, so that the random numbers are the same in every run. */
static void load(char *trainer, char *list_file, FILE *out)
{
    static char *labels[] = {"red", "green", "blue"};
    list *paths = get_paths(list_file);
    load_args args = {0};
    data batch;
    int i, b;
    args.paths = (char **)list_to_array(paths);
    args.m = paths->size;
    args.n = 8;
    args.d = &batch;
    args.classes = 3;
    args.labels = labels;
    args.hue = .1f;
    args.saturation = args.exposure = 1.5f;
    if (!strcmp(trainer, "classifier")) {
        args.w = args.h = args.size = 32;
        args.min = 28;
        args.max = 40;
        args.angle = 7;
        args.aspect = .75f;
        args.type = CLASSIFICATION_DATA;
    } else {
        args.w = 64;
        args.h = 48;
        args.jitter = .3f;
        args.num_boxes = 4;
        args.type = DETECTION_DATA;
    }
    srand(7);
    for (i = 0; i < 20; ++i) {
        pthread_join(load_data(args), 0);
        for (b = 0; b < args.n; ++b) {
            write_floats(out, batch.X.vals[b], batch.X.cols);
            write_floats(out, batch.y.vals[b], batch.y.cols);
        }
        free_data(batch);
    }
}

int main(int argc, char **argv)
{
    int learning = argc >= 5 && !strcmp(argv[1], "learn");
    int training = argc >= 5 && (learning || !strcmp(argv[1], "train"));
    FILE *out;
    if (!training && (argc != 5 || (strcmp(argv[1], "predict") && strcmp(argv[1], "load")))) {
        fprintf(
            stderr,
            "usage: %s train|learn CFG ITERATIONS OUT [WEIGHTS] | predict CFG WEIGHTS OUT | load TRAINER LIST OUT\n",
            argv[0]);
        return 1;
    }
    gpu_index = -1;
    with_lengths = learning;
    out = fopen(argv[4], "wb");
    if (!out) {
        perror(argv[4]);
        return 1;
    }
    if (training)
        train(argv[2], atoi(argv[3]), out, argc > 5 ? argv[5] : 0, !learning);
    else if (!strcmp(argv[1], "load"))
        load(argv[2], argv[3], out);
    else
        predict(argv[2], argv[3], out);
    return fclose(out) ? 1 : 0;
}
