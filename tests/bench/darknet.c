/* One contestant of `make bench`: a Darknet, ours or an unpatched one, that takes a step whenever it is told to.
 *
 *     darknet train|predict|head <cfg> [gpu]    one step of training, of inference, or of the last layer alone
 *     darknet sgemm <n>                         one product of n x n matrices: the rate of the machine
 *
 * It answers every line of stdin with one line: "step" with the seconds that one step took, "about" with the number of
 * trained parameters, the floating-point operations of a step and the peak memory so far in bytes. The input is noise.
 * Knows Darknet's own headers alone, so that an unpatched Darknet can be linked to it.
 */
#include "darknet.h"

#include "gemm.h"

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
        else if (net->truths) {
            int k = (int)(uniform() * net->truths);
            truth[k] = 1;
            /* seen by [ols] alone: three of four are classified correctly, as in the course of a training */
            if (net->inputs == net->truths && b % 4) net->input[b * net->inputs + k] = 3;
        }
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
    net.train = 1;
    net.index = net.n - 1;
    net.delta = delta;
#ifdef GPU
    if (gpu_index >= 0) {
        net.delta_gpu = delta;
        fill_gpu(l.outputs * l.batch, 0, l.delta_gpu, 1);
        l.forward_gpu(l, net);
        l.backward_gpu(l, net);
        return;
    }
#endif
    fill_cpu(l.outputs * l.batch, 0, l.delta, 1);
    l.forward(l, net);
    l.backward(l, net);
}

typedef enum { TRAIN, PREDICT, HEAD, SGEMM } mode;

typedef struct {
    mode mode;
    network *net;
    float *delta; /* HEAD: by the input, on the device that computes */
    int n;        /* SGEMM: and its matrices */
    float *a, *b, *c;
} contestant;

static void step(contestant *p)
{
    switch (p->mode) {
    case TRAIN:
        train_network_datum(p->net);
        break;
    case PREDICT:
        network_predict(p->net, p->net->input);
        break;
    case HEAD:
        head(*p->net, p->delta);
        break;
    case SGEMM:
        gemm(0, 0, p->n, p->n, p->n, 1, p->a, p->n, p->b, p->n, 0, p->c, p->n);
    }
#ifdef GPU
    if (gpu_index >= 0) cudaDeviceSynchronize();
#endif
}

static float *noise(size_t n)
{
    float *x = (float *)malloc(n * sizeof *x);
    while (n--) x[n] = uniform();
    return x;
}

static void prepare(contestant *p, char *what)
{
    network *net;
    if (p->mode == SGEMM) {
        p->n = atoi(what);
        p->a = noise((size_t)p->n * p->n);
        p->b = noise((size_t)p->n * p->n);
        p->c = noise((size_t)p->n * p->n);
        return;
    }
    srand(7);
    p->net = net = parse_network_cfg(what);
    if (p->mode == PREDICT) set_batch_network(net, 1);
    put_batch(net);
    p->delta = (float *)calloc((size_t)net->inputs * net->batch, sizeof(float));
#ifdef GPU
    if (gpu_index >= 0) {
        p->delta = cuda_make_array(p->delta, (size_t)net->inputs * net->batch);
        cuda_push_array(net->input_gpu, net->input, net->inputs * net->batch);
        if (net->truth) cuda_push_array(net->truth_gpu, net->truth, net->truths * net->batch);
    }
#endif
}

int main(int argc, char **argv)
{
    static const char *modes[] = {"train", "predict", "head", "sgemm"};
    contestant p;
    FILE *answers = fdopen(dup(1), "w");
    char line[64];
    int m = 0;
    while (m < 4 && argc > 1 && strcmp(argv[1], modes[m])) ++m;
    if (argc < 3 || argc > 4 || m == 4 || (argc == 4 && strcmp(argv[3], "gpu"))) {
        fprintf(stderr, "usage: %s train|predict|head CFG [gpu] | sgemm N\n", argv[0]);
        return 1;
    }
    memset(&p, 0, sizeof p);
    p.mode = (mode)m;
    gpu_index = argc == 4 ? 0 : -1;
#ifdef GPU
    if (gpu_index >= 0) cuda_set_device(gpu_index);
#endif
    /* Darknet prints as it goes. */
    if (!answers || !freopen("/dev/null", "w", stdout)) return 1;
    prepare(&p, argv[2]);
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "about\n")) {
            double flop = p.mode == SGEMM ? 2. * p.n * p.n * p.n : operations(p.net, p.mode == TRAIN);
            fprintf(answers, "%zu %.0f %.0f\n", p.net ? parameters(p.net) : 0, flop, peak_memory());
        } else {
            double start = what_time_is_it_now();
            step(&p);
            fprintf(answers, "%.9f\n", what_time_is_it_now() - start);
        }
        fflush(answers);
    }
    return 0;
}
