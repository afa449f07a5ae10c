/* Attacks on a classifier (src/eval/classification_attack.h) on a GPU: the gradient by the image is that of the CPU,
 * which tests/unit/test_classification_attack.c compares with finite differences. */
#include "eval/classification_attack.h"

#include "helpers/test_gpu.h"
#include "helpers/test_networks.h"

#ifdef GPU

enum { BATCH = 3, PIXELS = 16 * 16 * 3 };

static const char cfg[] =
    "[net]\nbatch=3\nwidth=16\nheight=16\nchannels=3\n"
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[convolutional]\nbatch_normalize=1\nfilters=8\ngroups=8\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-2\nactivation=leaky\n"
    "[maxpool]\nsize=2\nstride=2\n"
    "[dropout]\nprobability=.5\n"
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[connected]\noutput=5\nactivation=linear\n"
    "[softmax]\n[cost]\ntype=sse\n";

/* On the device `index`; -1: on the CPU. */
static network *prepared(int index)
{
    network *net;
    uint32_t random = 9;
    int i, f;
    gpu_index = index;
    net = network_of(5, "%s", cfg);
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        for (f = 0; l.batch_normalize && f < l.out_c; ++f) {
            l.scales[f] = 1 + uniform(&random);
            l.biases[f] = uniform(&random) - .5f;
            l.rolling_mean[f] = uniform(&random) - .5f;
            l.rolling_variance[f] = .1f + uniform(&random);
        }
    }
    assert_int_equal(attack_prepare(net, "net.cfg"), 0);
    return net;
}

static void the_gpu_has_the_gradient_and_output_of_the_cpu(void **state)
{
    static const int labels[BATCH] = {4, 0, 2};
    static float input[BATCH * PIXELS], by_cpu[BATCH * PIXELS], by_gpu[BATCH * PIXELS];
    network *gpu = prepared(0), *cpu = prepared(-1);
    const float *output;
    double largest = 0;
    uint32_t random = 77;
    int i;
    (void)state;
    for (i = 0; i < BATCH * PIXELS; ++i) input[i] = uniform(&random);
    gpu_index = -1;
    output = attack_gradient(cpu, input, labels, BATCH, by_cpu);
    gpu_index = 0;
    assert_near("output", attack_gradient(gpu, input, labels, BATCH, by_gpu), output, BATCH * CLASSES, 1e-4);
    for (i = 0; i < BATCH * PIXELS; ++i) largest = fmax(largest, fabs(by_cpu[i]));
    assert_true(largest > .01);
    assert_near("gradient", by_gpu, by_cpu, BATCH * PIXELS, .002 * largest); /* TF32 has ten bits */
}

#endif

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {GPU_TEST(the_gpu_has_the_gradient_and_output_of_the_cpu)};
    (void)argc;
    begin_network_tests(argv);
    skip_without_gpu(tests, 1);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
