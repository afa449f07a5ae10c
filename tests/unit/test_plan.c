/* Compares networks with a plan (src/accel/cpu/layer_plan.h) with the same networks without one, in everything that a
 * program does with a network between passes: predicting, resizing, other batch sizes, leaving out layers. accel.t
 * compares the numbers of many layers with Darknet's own code; these tests also check memory, in a sanitized build. */
#include "accel/cpu/accel_cpu.h"
#include "helpers/leaks_of_darknet.h"

#include <darknet.h>

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NET "[net]\nbatch=4\nwidth=32\nheight=32\nchannels=3\nlearning_rate=.01\nmomentum=.9\ndecay=.0005\n"
#define CONVOLUTION(filters, more)                                                                                     \
    "[convolutional]\nbatch_normalize=1\nsize=3\npad=1\nactivation=relu\nfilters=" #filters "\n" more
#define CONVOLUTION6(filters, more)                                                                                    \
    "[convolutional]\nbatch_normalize=1\nsize=3\npad=1\nactivation=relu6\nfilters=" #filters "\n" more
#define HEAD                                                                                                           \
    "[convolutional]\nfilters=24\nsize=1\nactivation=linear\n[yolo]\nanchors=4,6, 9,9, 20,14\nnum=3\nclasses=3\n"

/* 20 and 24 channels, which are no multiple of a block. */
static const char *detector = NET CONVOLUTION(16, "stride=2\n") CONVOLUTION(20, "")
    CONVOLUTION(20, "") "[shortcut]\nfrom=-2\nactivation=leaky\n[maxpool]\nsize=2\nstride=2\n" CONVOLUTION(
        24, "groups=2\n") "[upsample]\nstride=2\n[route]\nlayers=0,-1\n" CONVOLUTION(32, "stride=2\n") HEAD;
static const char *classifier = NET CONVOLUTION(16, "stride=2\n")
    CONVOLUTION(20, "") "[avgpool]\n[connected]\noutput=5\nactivation=linear\n[softmax]\n";

static const char *mobile = NET CONVOLUTION(16, "stride=2\n") CONVOLUTION6(48, "") CONVOLUTION6(48, "groups=48\n")
    CONVOLUTION(16, "") "[shortcut]\nfrom=-4\nactivation=relu6\n"
                        "[convolutional]\nfilters=24\nsize=3\npad=1\nactivation=relu6\n" CONVOLUTION6(20, "") HEAD;

/* The [avgpool] and the [scale_channels] both read the second layer, of which the latter needs Darknet's layout. The
 * second layer's swish keeps an array that has the layer's size. */
#define SQUEEZING                                                                                                      \
    CONVOLUTION(16, "stride=2\n")                                                                                      \
    "[convolutional]\nbatch_normalize=1\nsize=3\npad=1\nactivation=swish\nfilters=20\n[avgpool]\n"                     \
    "[convolutional]\nfilters=4\nsize=1\nactivation=swish\n[convolutional]\nfilters=20\nsize=1\nactivation=logistic\n" \
    "[scale_channels]\nfrom=1\n" CONVOLUTION(24, "") CONVOLUTION(32, "stride=2\n") HEAD
static const char *squeezing = NET SQUEEZING;
static const char *squeezing_large = "[net]\nbatch=4\nwidth=96\nheight=64\nchannels=3\n" SQUEEZING;

static float noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / 16777216.f;
}

static int quiet(int on)
{
    static int before[2];
    int i;
    fflush(stdout);
    fflush(stderr);
    for (i = 0; i < 2; ++i) {
        if (on) {
            int nothing = open("/dev/null", O_WRONLY);
            before[i] = dup(i + 1);
            dup2(nothing, i + 1);
            close(nothing);
        } else {
            dup2(before[i], i + 1);
            close(before[i]);
        }
    }
    return on;
}

static network *parse(const char *text, int planned)
{
    char path[] = "/tmp/test_plan.XXXXXX";
    int file = mkstemp(path);
    network *net;
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    quiet(1);
    srand(3);
    net = parse_network_cfg(path);
    quiet(0);
    unlink(path);
    if (!planned) { /* a network without a place for a plan gets none */
        accel_free_plan(net);
        net->accel = 0;
    }
    return net;
}

static void put_batch(network *net, int seed)
{
    layer last = net->layers[net->n - 1];
    uint32_t random = (uint32_t)seed;
    int i;
    for (i = 0; i < net->batch * net->inputs; ++i) net->input[i] = noise(&random) - .5f;
    for (i = 0; i < net->batch; ++i) {
        float *truth = net->truth + i * net->truths;
        memset(truth, 0, net->truths * sizeof *truth);
        if (last.type != YOLO) {
            truth[i % net->truths] = 1;
        } else {
            truth[0] = truth[1] = .5f;
            truth[2] = truth[3] = .1f + .2f * i;
            truth[4] = (float)(i % 3);
        }
    }
}

static float train(network *net, int seed)
{
    float loss;
    put_batch(net, seed);
    quiet(1);
    loss = train_network_datum(net);
    quiet(0);
    return loss;
}

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-4 * (1 + fabs(expected)))) fail_msg("loss %.9g, not %.9g", value, expected);
}

static void assert_near_array(const char *what, const float *got, const float *expected, size_t n)
{
    double largest = .01;
    size_t i;
    for (i = 0; i < n; ++i) largest = fabs(expected[i]) > largest ? fabs(expected[i]) : largest;
    for (i = 0; i < n; ++i)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-4 * largest))
            fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, got[i], expected[i]);
}

static void assert_same_predictions(network *one, network *other)
{
    put_batch(one, 77);
    put_batch(other, 77);
    assert_int_equal(one->outputs, other->outputs);
    assert_near_array("prediction", network_predict(one, one->input), network_predict(other, other->input),
                      (size_t)one->outputs * one->batch);
}

static void assert_same_weights(network *one, network *other)
{
    int i;
    for (i = 0; i < one->n; ++i)
        if (one->layers[i].type == CONVOLUTIONAL)
            assert_near_array("weights", one->layers[i].weights, other->layers[i].weights, one->layers[i].nweights);
}

static int is_planned(network *net)
{
#ifdef ONEDNN
    network *plain = parse(classifier, 0);
    int differs = 0, i;
    for (i = 0; i < net->n; ++i)
        if (net->layers[i].type == CONVOLUTIONAL) differs |= net->layers[i].forward != plain->layers[0].forward;
    free_network(plain);
    return differs;
#else
    (void)net;
    return 1; /* this build has no plans */
#endif
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void predict_between_iterations(const char *cfg)
{
    network *planned = parse(cfg, 1), *plain = parse(cfg, 0);
    int i;
    for (i = 0; i < 6; ++i) {
        assert_close(train(planned, i), train(plain, i));
        assert_true(is_planned(planned));
        if (i % 2) assert_same_predictions(planned, plain);
    }
    assert_same_weights(planned, plain);
    free_network(planned);
    free_network(plain);
}

static void predicting_between_iterations_changes_nothing(void **state)
{
    (void)state;
    predict_between_iterations(detector);
    predict_between_iterations(squeezing);
}

/* Smaller, larger, and the original size. Darknet reallocates every layer, even if its size stays the same. */
static void resize_while_training(const char *cfg)
{
    static const int sizes[] = {64, 32, 32, 96, 64, 64, 32};
    network *planned = parse(cfg, 1), *plain = parse(cfg, 0);
    int i;
    for (i = 0; i < 7; ++i) {
        assert_close(train(planned, i), train(plain, i));
        quiet(1);
        resize_network(planned, sizes[i], sizes[i]);
        resize_network(plain, sizes[i], sizes[i]);
        quiet(0);
        if (i % 3 == 1) assert_same_predictions(planned, plain);
    }
    train(planned, 99);
    train(plain, 99);
    assert_same_weights(planned, plain);
    free_network(planned);
    free_network(plain);
}

static void a_network_is_resized_in_the_midst_of_training(void **state)
{
    (void)state;
    resize_while_training(detector);
    resize_while_training(squeezing);
}

/* Also what is behind an [avgpool] that a [scale_channels] follows. */
static void a_resized_network_is_the_one_that_a_cfg_of_that_size_makes(void **state)
{
    network *resized = parse(squeezing, 1), *made = parse(squeezing_large, 1);
    (void)state;
    quiet(1);
    resize_network(resized, 96, 64);
    quiet(0);
    assert_same_predictions(resized, made);
    free_network(resized);
    free_network(made);
}

static void the_batch_may_shrink_and_come_back(void **state)
{
    network *planned = parse(detector, 1), *plain = parse(detector, 0);
    int i, batches[] = {1, 4, 2, 4};
    (void)state;
    for (i = 0; i < 4; ++i) {
        set_batch_network(planned, batches[i]);
        set_batch_network(plain, batches[i]);
        assert_same_predictions(planned, plain);
        assert_close(train(planned, i), train(plain, i));
    }
    assert_same_weights(planned, plain);
    free_network(planned);
    free_network(plain);
}

/* As in `nightmare`: only the layers up to one that was blocked, and a gradient of the image with net->train = 0. */
static void a_layer_in_the_middle_can_be_the_last_and_hand_back_a_gradient(void **state)
{
    network *planned = parse(classifier, 1), *plain = parse(classifier, 0), *nets[2];
    int i, k;
    (void)state;
    nets[0] = planned;
    nets[1] = plain;
    train(planned, 1);
    train(plain, 1);
    for (i = 0; i < 2; ++i) {
        network *net = nets[i];
        layer last;
        net->n = 2;
        put_batch(net, 5);
        net->train = 0;
        net->delta = (float *)calloc((size_t)net->inputs * net->batch, sizeof(float));
        forward_network(net);
        last = net->layers[1];
        memcpy(last.delta, last.output, (size_t)last.outputs * last.batch * sizeof(float));
        backward_network(net);
    }
    for (k = 0; k < 2; ++k)
        assert_near_array("output", planned->layers[k].output, plain->layers[k].output,
                          (size_t)plain->layers[k].outputs * plain->batch);
    assert_near_array("gradient by the image", planned->delta, plain->delta, (size_t)plain->inputs * plain->batch);
    for (i = 0; i < 2; ++i) {
        nets[i]->n = 5;
        free(nets[i]->delta);
        nets[i]->delta = 0;
    }
    assert_close(train(planned, 2), train(plain, 2));
    free_network(planned);
    free_network(plain);
}

/* Sets scales of a layer so that many of its values are above 6. */
static void make_large(layer l)
{
    int k;
    for (k = 0; k < l.out_c; ++k) l.scales[k] = 5;
}

/* Sets the rolling averages to the last batch's statistics. After few batches they would be far too small, and dividing
 * by them would magnify rounding errors. */
static void settle(network *net, const network *by)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i], from = by->layers[i];
        if (!l.batch_normalize) continue;
        memcpy(l.rolling_mean, from.mean, l.out_c * sizeof(float));
        memcpy(l.rolling_variance, from.variance, l.out_c * sizeof(float));
    }
}

static void relu6_keeps_to_its_ceiling_in_training_and_in_use(void **state)
{
    network *planned = parse(mobile, 1), *plain = parse(mobile, 0);
    layer l;
    int i, at_ceiling = 0;
    (void)state;
    make_large(planned->layers[1]);
    make_large(plain->layers[1]);
    for (i = 0; i < 2; ++i) { /* later, rounding decides which values are at the ceiling */
        assert_close(train(planned, i), train(plain, i));
        assert_true(is_planned(planned));
        settle(planned, plain);
        settle(plain, plain);
        assert_same_predictions(planned, plain);
    }
    assert_same_weights(planned, plain);
    l = plain->layers[1];
    for (i = 0; i < l.outputs * l.batch; ++i) {
        assert_true(l.output[i] >= 0 && l.output[i] <= 6);
        at_ceiling += l.output[i] == 6;
    }
    assert_in_range(at_ceiling, l.outputs * l.batch / 20, l.outputs * l.batch / 2);
    free_network(planned);
    free_network(plain);
}

/* NaN must stay visible, in training and in inference, so that a diverged network is noticed. */
static void what_is_not_a_number_stays_so(void **state)
{
    network *net = parse(classifier, 1);
    float *output;
    int i;
    (void)state;
    train(net, 1);
    for (i = 0; i < net->layers[0].nweights; ++i) net->layers[0].weights[i] = NAN;
    put_batch(net, 2);
    output = network_predict(net, net->input);
    assert_true(isnan(output[0]));
    net->layers[0].rolling_mean[0] = 0;
    train(net, 3);
    assert_true(isnan(net->layers[1].rolling_mean[0]));
    free_network(net);
}

/* In inference, and only there, relu6 may turn NaN into infinity. */
static void what_is_not_a_number_passes_relu6(void **state)
{
    network *net = parse(mobile, 1);
    float *output;
    int i, finite = 0;
    (void)state;
    train(net, 1);
    net->layers[1].weights[7] = NAN;
    put_batch(net, 2);
    output = network_predict(net, net->input);
    for (i = 0; i < net->outputs; ++i) finite += isfinite(output[i]) != 0;
    assert_true(finite < net->outputs);
    net->layers[1].rolling_mean[0] = 0;
    train(net, 3);
    assert_true(isnan(net->layers[2].rolling_mean[0]));
    free_network(net);
}

/* Threads may run in any order, but the order within a sum is fixed. */
static void a_plan_gives_the_same_bits_again(void **state)
{
    network *one = parse(detector, 1), *other = parse(detector, 1);
    int i, k;
    (void)state;
    for (i = 0; i < 3; ++i) {
        train(one, i);
        train(other, i);
    }
    for (k = 0; k < one->n; ++k)
        if (one->layers[k].type == CONVOLUTIONAL)
            assert_memory_equal(one->layers[k].weights, other->layers[k].weights,
                                one->layers[k].nweights * sizeof(float));
    free_network(one);
    free_network(other);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicting_between_iterations_changes_nothing),
        cmocka_unit_test(a_network_is_resized_in_the_midst_of_training),
        cmocka_unit_test(a_resized_network_is_the_one_that_a_cfg_of_that_size_makes),
        cmocka_unit_test(the_batch_may_shrink_and_come_back),
        cmocka_unit_test(a_layer_in_the_middle_can_be_the_last_and_hand_back_a_gradient),
        cmocka_unit_test(relu6_keeps_to_its_ceiling_in_training_and_in_use),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(what_is_not_a_number_passes_relu6),
        cmocka_unit_test(a_plan_gives_the_same_bits_again),
    };
    (void)argc;
    /* On a busy machine threads that spin while they wait make this test slow. OpenMP reads the variable at program
     * start. */
    if (!getenv("OMP_WAIT_POLICY")) {
        setenv("OMP_WAIT_POLICY", "passive", 1);
        execv("/proc/self/exe", argv);
    }
    gpu_index = -1;
    return cmocka_run_group_tests(tests, 0, 0);
}
