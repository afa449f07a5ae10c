/* nesterov=1 on a GPU: the weights of a training are those of the CPU, which tests/nesterov.t compares with PyTorch. */
#include "train/nesterov.h"

#include "helpers/test_gpu.h"
#include "helpers/test_networks.h"

#ifdef GPU

#include "connected_layer.h"
#include "convolutional_layer.h"
#include "train/layer_weights.h"

enum { ITERATIONS = 5 };

/* Inputs of one size, so that the images of both networks are the same; a rate that changes. */
static const char cfg[] =
    "[net]\nbatch=4\nsubdivisions=2\nwidth=8\nheight=8\nchannels=3\nmomentum=.9\ndecay=.01\nlearning_rate=.02\n"
    "policy=steps\nsteps=3\nscales=.5\nmax_batches=100\n%s"
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[connected]\noutput=5\nactivation=linear\n[softmax]\n";

/* On the device `index`; -1: on the CPU. */
static network *trained(int index, const char *key)
{
    network *net;
    int i;
    gpu_index = index;
    net = network_of(5, cfg, key);
    if (index >= 0) {
        push_convolutional_layer(net->layers[0]);
        push_connected_layer(net->layers[1]);
    }
    for (i = 0; i < ITERATIONS; ++i) iterate(net, i);
    if (index >= 0) {
        pull_convolutional_layer(net->layers[0]);
        pull_connected_layer(net->layers[1]);
    }
    return net;
}

/* The largest difference of two networks' trained weights. */
static double difference(const network *one, const network *other)
{
    weight_array a[MAX_WEIGHT_ARRAYS], b[MAX_WEIGHT_ARRAYS];
    double most = 0;
    size_t i;
    int l, k;
    for (l = 0; l < one->n; ++l) {
        layer_weight_arrays(&other->layers[l], b);
        for (k = layer_weight_arrays(&one->layers[l], a); k-- > 0;)
            for (i = 0; a[k].updates && i < a[k].count; ++i) most = fmax(most, fabs(a[k].values[i] - b[k].values[i]));
    }
    return most;
}

static void the_gpu_takes_the_steps_of_the_cpu(void **state)
{
    network *cpu = trained(-1, "nesterov=1\n"), *plain = trained(-1, ""), *gpu = trained(0, "nesterov=1\n");
    (void)state;
    assert_true(difference(cpu, plain) > 1e-2);
    assert_true(difference(gpu, cpu) < 1e-3); /* TF32 has ten bits */
    gpu_index = 0;
    free_network(gpu);
    gpu_index = -1;
    free_network(cpu);
    free_network(plain);
}

#endif

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {GPU_TEST(the_gpu_takes_the_steps_of_the_cpu)};
    (void)argc;
    begin_network_tests(argv);
    skip_without_gpu(tests, 1);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
