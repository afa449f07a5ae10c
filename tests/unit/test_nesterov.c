/* Tests of nesterov=1: every array that Darknet's updates train takes the steps of PyTorch's SGD(nesterov=True), for
 * gradients that are given. tests/nesterov.t compares whole trainings with PyTorch. */
#include "helpers/leaks_of_darknet.h"
#include "helpers/test_networks.h"

#include "network.h"
#include "train/layer_weights.h"
#include "train/nesterov.h"

#include <math.h>

/* One layer of every type that has weights. Batch 6 in two subdivisions; the rate changes after the second step. */
static const char layers_with_weights[] =
    "[net]\nbatch=6\nsubdivisions=2\nheight=4\nwidth=4\nchannels=2\nmomentum=.9\ndecay=0\nlearning_rate=.05\n"
    "policy=steps\nsteps=3\nscales=.2\nmax_batches=9\n%s"
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=relu\nlearning_rate=.5\n"
    "[deconvolutional]\nbatch_normalize=1\nfilters=2\nsize=2\nstride=2\nactivation=relu\n"
    "[local]\nfilters=2\nsize=2\nstride=2\npad=0\nactivation=linear\n"
    "[crnn]\nbatch_normalize=0\nhidden_filters=2\noutput_filters=2\nactivation=leaky\n"
    "[batchnorm]\n"
    "[connected]\noutput=6\nbatch_normalize=1\nactivation=relu\n"
    "[rnn]\noutput=5\nhidden=4\nactivation=leaky\nbatch_normalize=1\n[gru]\noutput=4\n[lstm]\noutput=3\n"
    "[softmax]\n";

static float gradient(int step, size_t array, size_t i)
{
    return (float)sin(1. + 3 * step + .7 * array + 1.3 * i);
}

/* Gives the same gradients to every array that has updates, as a backward pass does: -batch times, added. */
static void add_gradients(network *net, int step)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int l, k;
    size_t i;
    for (l = 0; l < net->n; ++l)
        for (k = layer_weight_arrays(&net->layers[l], arrays); k-- > 0;)
            for (i = 0; arrays[k].updates && i < arrays[k].count; ++i)
                arrays[k].updates[i] -= 6 * gradient(step, MAX_WEIGHT_ARRAYS * l + k, i);
}

/* Compares the weights with those of the equations, in double, after `steps` steps from `before`. */
static void assert_steps(const network *net, const weight_array *array, size_t id, const float *before, int steps,
                         int nesterov)
{
    size_t i;
    for (i = 0; i < array->count; ++i) {
        double w = before[i], v = 0;
        int step;
        for (step = 1; step <= steps; ++step) {
            const double g = gradient(step, id, i), rate = (step < 3 ? .05 : .01) * array->rate_scale;
            v = .9 * v + g;
            w -= rate * (nesterov ? g + .9 * v : v);
        }
        if (!(fabs(array->values[i] - w) < 1e-6))
            fail_msg("array %zu, number %zu of %d layers: %.9g, not %.9g", id, i, net->n, array->values[i], w);
    }
}

static void take_steps(const char *key, int nesterov)
{
    enum { STEPS = 4 };
    network *net = network_of(1, layers_with_weights, key);
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    float *before[MAX_WEIGHT_ARRAYS * 10];
    int l, k, step, trained = 0;
    assert_true(net->n <= 10);
    /* Darknet gives the convolutions inside of [crnn] a rate of 0 */
    net->layers[3].input_layer->learning_rate_scale = net->layers[3].self_layer->learning_rate_scale =
        net->layers[3].output_layer->learning_rate_scale = 1;
    for (l = 0; l < net->n; ++l)
        for (k = layer_weight_arrays(&net->layers[l], arrays); k-- > 0;) {
            before[MAX_WEIGHT_ARRAYS * l + k] = (float *)malloc(arrays[k].count * sizeof(float));
            memcpy(before[MAX_WEIGHT_ARRAYS * l + k], arrays[k].values, arrays[k].count * sizeof(float));
        }
    for (step = 1; step <= STEPS; ++step) {
        add_gradients(net, step);
        *net->seen += 6;
        update_network(net);
    }
    for (l = 0; l < net->n; ++l)
        for (k = layer_weight_arrays(&net->layers[l], arrays); k-- > 0;) {
            const int id = MAX_WEIGHT_ARRAYS * l + k;
            const int updated = net->layers[l].update && arrays[k].updates;
            assert_steps(net, &arrays[k], id, before[id], updated ? STEPS : 0, nesterov);
            trained += updated;
            free(before[id]);
        }
    /* 3 of [convolutional], 3 of [deconvolutional], 2 of [local], 6 of [crnn], none of [batchnorm], which Darknet does
     * not train, 3 of [connected], 9 of [rnn], 12 of [gru] (without batch_normalize), 16 of [lstm] */
    assert_int_equal(trained, 3 + 3 + 2 + 6 + 3 + 9 + 12 + 16);
    free_network(net);
}

static void every_layer_takes_the_steps_of_nesterov_momentum(void **state)
{
    (void)state;
    take_steps("nesterov=1\n", 1);
}

static void without_it_every_layer_takes_those_of_plain_momentum(void **state)
{
    (void)state;
    take_steps("", 0);
    take_steps("nesterov=0\n", 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_takes_the_steps_of_nesterov_momentum),
        cmocka_unit_test(without_it_every_layer_takes_those_of_plain_momentum),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
