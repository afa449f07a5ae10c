/* One contestant of `make bench`: a Darknet, ours or an unpatched one, that takes a step whenever it is told to.
 *
 *     darknet train|predict|head <cfg>      one step of training, of inference, or of the last layer alone
 *
 * It answers every line of stdin with one line: "step" with the seconds that one step took, "about" with the number of
 * trained parameters, the floating-point operations of a step and the peak memory so far in bytes. The input is the
 * same noise in every contestant. Knows Darknet's own header alone, so that an unpatched Darknet can be linked to it.
 */
#include "darknet.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OBJECTS = 5 }; /* in every image of a detector */

static float uniform(void)
{
    static uint32_t random = 7;
    random = random * 1664525u + 1013904223u;
    return (float)(random >> 8) / 16777216.f;
}

static void put_batch(network *net)
{
    layer last = net->layers[net->n - 1];
    int b, i, t;
    for (b = 0; b < net->batch; ++b) {
        float *truth = net->truth + b * net->truths;
        for (i = 0; i < net->inputs; ++i) net->input[b * net->inputs + i] = uniform();
        if (last.type == YOLO)
            for (t = 0; t < OBJECTS; ++t, truth += 5) {
                for (i = 0; i < 4; ++i) truth[i] = .1f + .8f * uniform();
                truth[4] = (float)(int)(uniform() * last.classes);
            }
        else if (net->truths)
            truth[(int)(uniform() * net->truths)] = 1;
    }
}

static size_t parameters(const network *net)
{
    size_t n = 0;
    int i;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        if (l.type == CONVOLUTIONAL) n += (size_t)l.nweights + l.n * (l.batch_normalize ? 2 : 1);
        if (l.type == CONNECTED) n += (size_t)l.inputs * l.outputs + l.outputs;
    }
    return n;
}

/* Two for a multiplication with its addition; the backward pass costs the forward one twice, but for the first layer,
 * whose input needs no gradient. Layers other than these do next to no arithmetic. */
static double operations(const network *net, int training)
{
    double n = 0;
    int i;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        double once = 0;
        if (l.type == CONVOLUTIONAL) once = 2. * l.nweights * l.out_w * l.out_h * l.batch;
        if (l.type == CONNECTED) once = 2. * l.inputs * l.outputs * l.batch;
        n += once * (!training ? 1 : i ? 3 : 2);
    }
    return n;
}

static double peak_memory(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %lf", &kilobytes);
    if (status) fclose(status);
    return 1024 * kilobytes;
}

/* What forward_network and backward_network do for the last layer. */
static void head(network net, float *delta)
{
    layer l = net.layers[net.n - 1];
    fill_cpu(l.outputs * l.batch, 0, l.delta, 1);
    net.train = 1;
    net.index = net.n - 1;
    net.delta = delta;
    l.forward(l, net);
    l.backward(l, net);
}

int main(int argc, char **argv)
{
    FILE *answers = fdopen(dup(1), "w");
    int training, alone;
    network *net;
    float *delta;
    char line[64];
    if (argc != 3) {
        fprintf(stderr, "usage: %s train|predict|head CFG\n", argv[0]);
        return 1;
    }
    training = !strcmp(argv[1], "train");
    alone = !strcmp(argv[1], "head");
    gpu_index = -1;
    /* Darknet prints as it goes. */
    if (!freopen("/dev/null", "w", stdout)) return 1;
    srand(7);
    net = parse_network_cfg(argv[2]);
    if (!training && !alone) set_batch_network(net, 1);
    put_batch(net);
    delta = (float *)calloc((size_t)net->inputs * net->batch, sizeof *delta);
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "about\n")) {
            fprintf(answers, "%zu %.0f %.0f\n", parameters(net), operations(net, training), peak_memory());
        } else {
            double start = what_time_is_it_now();
            if (alone)
                head(*net, delta);
            else if (training)
                train_network_datum(net);
            else
                network_predict(net, net->input);
            fprintf(answers, "%.9f\n", what_time_is_it_now() - start);
        }
        fflush(answers);
    }
    return 0;
}
