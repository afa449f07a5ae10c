/* Compares gradients of whole networks with finite differences of the cost: with [ols], around 1x1 convolutions, whose
 * backward pass is corrected by patch 0008, with swish, and through [scale_channels]. */
#include "helpers/test_networks.h"

static double cost_of(network *net)
{
    forward(net);
    return *net->cost;
}

/* The derivative of the reported cost by *x, by differences of fourth order, because with a float cost the step must be
 * large. */
static double slope(network *net, float *x)
{
    const float at = *x, h = .03f;
    double cost[4];
    int i;
    for (i = 0; i < 4; ++i) {
        static const int steps[] = {-2, -1, 1, 2};
        *x = at + steps[i] * h;
        cost[i] = cost_of(net);
    }
    *x = at;
    return (cost[0] - 8 * cost[1] + 8 * cost[2] - cost[3]) / (12 * h);
}

/* Darknet's updates and deltas are negative gradients. */
static void assert_gradient(network *net, const char *what, int layer, float *x, const float *negative, size_t n)
{
    double largest = 0;
    size_t i;
    for (i = 0; i < n; ++i)
        if (fabs(negative[i]) > largest) largest = fabs(negative[i]);
    assert_true(largest > 1e-3); /* otherwise the test would show nothing */
    for (i = 0; i < n; ++i) {
        double expected = slope(net, x + i);
        if (fabs(-negative[i] - expected) > 1e-3 * largest + 2e-4)
            fail_msg("layer %d, %s %d: gradient %g, by finite differences %g", layer, what, (int)i, -negative[i],
                     expected);
    }
}

/* Compares the gradient of every weight, bias and input with finite differences of the cost. */
static void assert_gradients(network *net)
{
    float *by_input = (float *)calloc(net->inputs * net->batch, sizeof(float));
    int i;
    put_batch(net, 0);
    net->delta = by_input;
    forward(net);
    backward(net);
    net->delta = 0;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        size_t weights = weights_of(l), biases = biases_of(l);
        float *updates;
        if (!weights) continue;
        updates = (float *)malloc((weights + biases) * sizeof(float));
        memcpy(updates, l.weight_updates, weights * sizeof(float));
        memcpy(updates + weights, l.bias_updates, biases * sizeof(float));
        assert_gradient(net, "weight", i, l.weights, updates, weights);
        assert_gradient(net, "bias", i, l.biases, updates + weights, biases);
        free(updates);
    }
    assert_gradient(net, "input", 0, net->input, by_input, net->inputs * net->batch);
    free(by_input);
    free_network(net);
}

/* Random rows, which are no special case. */
static void randomize_soft_labels(network *net)
{
    ols_state *state = state_of(net);
    uint32_t random = 5;
    int y, k;
    for (y = 0; y < state->classes; ++y) {
        float *row = state->S + y * state->classes, sum = 0;
        for (k = 0; k < state->classes; ++k) sum += row[k] = uniform(&random);
        for (k = 0; k < state->classes; ++k) row[k] /= sum;
    }
}

/* A smooth activation: finite differences are wrong at the kink of a leaky one. */
#define SMOOTH "activation=tanh\n"
#define START NET("6") "[convolutional]\nfilters=4\nsize=3\npad=1\n" SMOOTH
#define END "[connected]\noutput=5\nactivation=linear\n[ols]\n"

static void the_gradient_of_ols_through_a_network_is_that_of_the_cost_it_reports(void **state)
{
    static const char *const keys[] = {"smoothing=hard\n", "smoothing=ls\nepsilon=.2\n", "smoothing=ols\nalpha=.3\n",
                                       "alpha=1\nsoft_weight=1\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(keys); ++i) {
        network *net = network_of(11, START END "%s", 3, 1, 0., .1, keys[i]);
        if (state_of(net)) randomize_soft_labels(net);
        assert_gradients(net);
    }
}

/* The batch has two pairs, and what is drawn is always the same here. No prediction of these weights is near a tie,
 * where the loss of boothard has a kink. */
static void so_is_that_of_every_other_method(void **state)
{
    static const char *const keys[] = {"smoothing=bootsoft\nboot_beta=.5\n",
                                       "smoothing=boothard\n",
                                       "smoothing=disturb\ndisturb_alpha=.5\n",
                                       "smoothing=sce\nsce_alpha=.5\n",
                                       "smoothing=gce\n",
                                       "smoothing=pc\npc_lambda=2\n",
                                       "smoothing=tfkd\ntfkd_alpha=.9\ntfkd_temperature=3\n",
                                       "smoothing=ols-single\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(keys); ++i) {
        network *net = network_of(18, START END "%s", 4, 1, 0., .1, keys[i]);
        if (state_of(net)) randomize_soft_labels(net);
        assert_gradients(net);
    }
}

/* In unpatched Darknet a 1x1 convolution overwrites the gradient that the other branch has added to its input. */
static void the_gradient_of_a_shortcut_around_1x1_convolutions_survives(void **state)
{
    (void)state;
    assert_gradients(network_of(12,
                                START "[convolutional]\nfilters=5\nsize=1\n" SMOOTH
                                      "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n"
                                      "[shortcut]\nfrom=-3\nactivation=linear\n" END,
                                3, 1, 0., .1));
}

static void the_gradient_of_a_route_around_a_1x1_convolution_survives(void **state)
{
    (void)state;
    assert_gradients(network_of(13, START "[convolutional]\nfilters=3\nsize=1\n" SMOOTH "[route]\nlayers=-1,-2\n" END,
                                3, 1, 0., .1));
}

/* The block of ResNet that halves the image: a 1x1 convolution with stride 2 beside a 3x3 one. Unpatched Darknet reads
 * the input of the 1x1 convolution as if its stride were 1. */
static void a_1x1_convolution_of_stride_2_and_its_branch_have_the_gradient_of_the_cost(void **state)
{
    (void)state;
    assert_gradients(network_of(14,
                                START "[convolutional]\nfilters=3\nsize=1\nstride=2\nactivation=linear\n"
                                      "[route]\nlayers=-2\n"
                                      "[convolutional]\nfilters=3\nsize=3\nstride=2\npad=1\n" SMOOTH
                                      "[shortcut]\nfrom=-3\nactivation=linear\n" END,
                                3, 1, 0., .1));
}

/* The block of MobileNetV2. */
static void an_inverted_residual_block_has_the_gradient_of_the_cost(void **state)
{
    (void)state;
    assert_gradients(network_of(15,
                                START "[convolutional]\nfilters=6\nsize=1\n" SMOOTH
                                      "[convolutional]\nfilters=6\ngroups=6\nsize=3\npad=1\n" SMOOTH
                                      "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n"
                                      "[shortcut]\nfrom=-4\nactivation=linear\n" END,
                                2, 1, 0., .1));
}

/* Of swish Darknet's way, from the output, has no gradient: in every layer that takes it. */
static void swish_has_the_gradient_of_the_cost_in_every_layer(void **state)
{
    static const char *const middles[] = {
        "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=swish\n", "[activation]\nactivation=swish\n",
        "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n[shortcut]\nfrom=-2\nactivation=swish\n",
        "[connected]\noutput=6\nactivation=swish\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(middles); ++i) assert_gradients(network_of(16, START "%s" END, 3, 1, 0., .1, middles[i]));
}

/* Both what scales and what is scaled get their gradient, and the latter also that of the [avgpool]. */
static void squeeze_and_excitation_has_the_gradient_of_the_cost(void **state)
{
    static const char *const activations[] = {"", "activation=tanh\n", "activation=swish\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(activations); ++i)
        assert_gradients(network_of(18,
                                    START "[avgpool]\n[convolutional]\nfilters=2\nsize=1\nactivation=swish\n"
                                          "[convolutional]\nfilters=4\nsize=1\nactivation=logistic\n"
                                          "[scale_channels]\nfrom=-4\n%s" END,
                                    3, 1, 0., .1, activations[i]));
}

static void pixels_that_are_scaled_have_the_gradient_of_the_cost(void **state)
{
    (void)state;
    assert_gradients(network_of(19,
                                START "[convolutional]\nfilters=1\nsize=1\nactivation=logistic\n"
                                      "[scale_channels]\nfrom=-2\nscale_wh=1\n" END,
                                3, 1, 0., .1));
}

/* out[y][x] = bias + weight * in[2y][2x], with one channel. */
static void a_1x1_convolution_of_stride_2_takes_every_second_pixel(void **state)
{
    network *net = network_of(1, "[net]\nbatch=1\nwidth=5\nheight=3\nchannels=1\n[convolutional]\nfilters=1\nsize=1\n"
                                 "stride=2\nactivation=linear\n");
    static const float expected[] = {1, 7, 13, 31, 37, 43}; /* 3 in + 1 */
    int i;
    (void)state;
    for (i = 0; i < 15; ++i) net->input[i] = i;
    net->layers[0].weights[0] = 3;
    net->layers[0].biases[0] = 1;
    network_predict(net, net->input);
    assert_int_equal(net->outputs, 6);
    assert_same_bits("output", 0, net->output, expected, 6);
    free_network(net);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_gradient_of_ols_through_a_network_is_that_of_the_cost_it_reports),
        TEST(so_is_that_of_every_other_method),
        TEST(the_gradient_of_a_shortcut_around_1x1_convolutions_survives),
        TEST(the_gradient_of_a_route_around_a_1x1_convolution_survives),
        TEST(a_1x1_convolution_of_stride_2_and_its_branch_have_the_gradient_of_the_cost),
        TEST(an_inverted_residual_block_has_the_gradient_of_the_cost),
        TEST(swish_has_the_gradient_of_the_cost_in_every_layer),
        TEST(squeeze_and_excitation_has_the_gradient_of_the_cost),
        TEST(pixels_that_are_scaled_have_the_gradient_of_the_cost),
        TEST(a_1x1_convolution_of_stride_2_takes_every_second_pixel),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
