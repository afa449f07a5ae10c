/* A training on a GPU that is resumed goes on with its momentum, and with Adam's moments. */
#include "train/checkpoint.h"

#include "helpers/test_gpu.h"
#include "helpers/test_networks.h"

#ifdef GPU

#include "connected_layer.h"
#include "convolutional_layer.h"
#include "train/layer_weights.h"

/* Inputs of one size, so that the images of all networks are the same. */
static const char cfg[] = "[net]\nbatch=4\nsubdivisions=2\nwidth=8\nheight=8\nchannels=3\nmomentum=.9\ndecay=.01\n"
                          "learning_rate=.02\nmax_batches=100\n%s"
                          "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
                          "[connected]\noutput=5\nactivation=linear\n[softmax]\n";

enum { HALF = 4 };

static void pull(network *net)
{
    pull_convolutional_layer(net->layers[0]);
    pull_connected_layer(net->layers[1]);
}

/* The largest difference of two networks' weights. */
static double difference(const network *one, const network *other)
{
    weight_array a[MAX_WEIGHT_ARRAYS], b[MAX_WEIGHT_ARRAYS];
    double most = 0;
    size_t i;
    int l, k;
    for (l = 0; l < one->n; ++l) {
        layer_weight_arrays(&other->layers[l], b);
        for (k = layer_weight_arrays(&one->layers[l], a); k-- > 0;)
            for (i = 0; i < a[k].count; ++i) most = fmax(most, fabs(a[k].values[i] - b[k].values[i]));
    }
    return most;
}

/* The second half of a training, from the file of its first. */
static network *resumed(const char *key, checkpoint_purpose purpose)
{
    network *net;
    int i;
    checkpoint_load_for(purpose);
    net = network_from(in_folder("a.weights"), 0, cfg, key);
    checkpoint_load_for(LOAD_TO_USE);
    for (i = HALF; i < 2 * HALF; ++i) iterate(net, i);
    pull(net);
    return net;
}

static void goes_on(const char *key)
{
    static char path[4096];
    network *whole, *with, *without;
    int i;
    gpu_index = 0;
    whole = network_of(5, cfg, key);
    push_convolutional_layer(whole->layers[0]);
    push_connected_layer(whole->layers[1]);
    for (i = 0; i < HALF; ++i) iterate(whole, i);
    snprintf(path, sizeof path, "%s", in_folder("a.weights"));
    checkpoint_keep_optimiser_in(path, 0);
    save(whole, "a.weights");
    checkpoint_keep_optimiser_in(0, 0);
    for (; i < 2 * HALF; ++i) iterate(whole, i);
    pull(whole);
    with = resumed(key, LOAD_TO_RESUME);
    without = resumed(key, LOAD_TO_USE);
    assert_true(difference(with, whole) < 1e-4); /* sums on a GPU may be in any order */
    assert_true(difference(without, whole) > 1e-3);
    free_network(whole);
    free_network(with);
    free_network(without);
    gpu_index = -1;
}

static void a_resumed_training_goes_on_with_momentum_and_moments(void **state)
{
    (void)state;
    goes_on("");
    goes_on("nesterov=1\n");
    goes_on("adam=1\n");
}

#endif

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {GPU_TEST(a_resumed_training_goes_on_with_momentum_and_moments)};
    (void)argc;
    begin_network_tests(argv);
    skip_without_gpu(tests, 1);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
