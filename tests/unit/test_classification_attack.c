/* Attacks on a classifier (src/eval/classification_attack.h): the gradient by the image against finite differences of
 * what the network predicts, and how far an attack goes. */
#include "eval/classification_attack.h"
#include "eval/classify.h"

#include "helpers/test_networks.h"

enum { BATCH = 3, SIDE = 8, PIXELS = SIDE * SIDE * 3 };

/* What a classifier can be made of. Smooth activations but for the [maxpool], so that finite differences mean
 * something; [ols] would train with soft labels and a temperature. */
#define BODY                                                                                                           \
    "[net]\nbatch=3\nwidth=8\nheight=8\nchannels=3\n"                                                                  \
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=logistic\n"                    \
    "[convolutional]\nbatch_normalize=1\nfilters=6\ngroups=2\nsize=3\nstride=1\npad=1\nactivation=linear\n"            \
    "[avgpool]\n[convolutional]\nfilters=6\nsize=1\nactivation=logistic\n"                                             \
    "[scale_channels]\nfrom=-3\nactivation=swish\n"                                                                    \
    "[shortcut]\nfrom=0\nactivation=logistic\n"                                                                        \
    "[maxpool]\nsize=2\nstride=2\n"                                                                                    \
    "[route]\nlayers=-1\n"                                                                                             \
    "[dropout]\nprobability=.5\n"                                                                                      \
    "[connected]\nbatch_normalize=1\noutput=7\nactivation=tanh\n"                                                      \
    "[connected]\noutput=5\nactivation=linear\n"

#define OLS_END "[ols]\nsmoothing=ls\nalpha=.5\ntemperature=2\n"
#define SOFTMAX_END "[softmax]\n[cost]\ntype=sse\n"

/* With statistics of a batch normalization that change what it does. */
static network *classifier(const char *text)
{
    network *net = network_of(5, "%s", text);
    uint32_t random = 9;
    int i, f;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        if (!l.batch_normalize) continue;
        for (f = 0; f < l.out_c; ++f) {
            l.scales[f] = 1 + uniform(&random);
            l.biases[f] = uniform(&random) - .5f;
            l.rolling_mean[f] = uniform(&random) - .5f;
            l.rolling_variance[f] = .1f + uniform(&random);
        }
    }
    return net;
}

static network *prepared(const char *text)
{
    network *net = classifier(text);
    assert_int_equal(attack_prepare(net, "net.cfg"), 0);
    return net;
}

static void draw_images(float *input)
{
    uint32_t random = 77;
    int i;
    for (i = 0; i < BATCH * PIXELS; ++i) input[i] = .1f + .8f * uniform(&random);
}

static const int labels[BATCH] = {4, 0, 2};

/* -log p[y] of image b. */
static double loss(network *net, float *input, int b)
{
    return -log(network_predict(net, input)[b * CLASSES + labels[b]]);
}

static void gradient_is_that_of_the_prediction(const char *text)
{
    const float h = 1e-3f; /* larger ones cross where the [maxpool] changes its mind */
    network *net = prepared(text), *untouched = classifier(text);
    float input[BATCH * PIXELS], gradient[BATCH * PIXELS];
    double largest = 0;
    int i;
    draw_images(input);
    attack_gradient(net, input, labels, BATCH, gradient);
    for (i = 0; i < BATCH * PIXELS; ++i) largest = fmax(largest, fabs(gradient[i]));
    assert_true(largest > .01);
    for (i = 0; i < BATCH * PIXELS; i += 7) {
        const float x = input[i];
        double above, below;
        input[i] = x + h;
        above = loss(untouched, input, i / PIXELS);
        input[i] = x - h;
        below = loss(untouched, input, i / PIXELS);
        input[i] = x;
        assert_close(gradient[i], (above - below) / (2 * h), .01 * largest);
    }
    free_network(net);
    free_network(untouched);
}

static void the_gradient_is_that_of_the_prediction(void **state)
{
    (void)state;
    gradient_is_that_of_the_prediction(BODY OLS_END);
    gradient_is_that_of_the_prediction(BODY SOFTMAX_END);
}

static void a_prepared_network_predicts_the_same(void **state)
{
    network *net = prepared(BODY OLS_END), *untouched = classifier(BODY OLS_END);
    float input[BATCH * PIXELS], gradient[BATCH * PIXELS];
    const float *output;
    (void)state;
    draw_images(input);
    output = attack_gradient(net, input, labels, BATCH, gradient);
    assert_near("output", output, network_predict(untouched, input), BATCH * CLASSES, 1e-6);
    assert_near("output", network_predict(net, input), network_predict(untouched, input), BATCH * CLASSES, 1e-6);
    free_network(net);
    free_network(untouched);
}

static void images_behind_the_last_one_get_no_gradient(void **state)
{
    network *net = prepared(BODY OLS_END);
    float input[BATCH * PIXELS], all[BATCH * PIXELS], two[BATCH * PIXELS];
    int i;
    (void)state;
    draw_images(input);
    attack_gradient(net, input, labels, BATCH, all);
    attack_gradient(net, input, labels, 2, two);
    assert_same_bits("gradient", 0, all, two, 2 * PIXELS);
    for (i = 2 * PIXELS; i < BATCH * PIXELS; ++i) assert_close(two[i], 0, 0);
    free_network(net);
}

static void fgsm_goes_eps_along_the_sign_and_stays_in_range(void **state)
{
    const attack_options fgsm = {1, .05, .05, 0, 1};
    network *net = prepared(BODY SOFTMAX_END);
    float clean[BATCH * PIXELS], input[BATCH * PIXELS], gradient[BATCH * PIXELS], before[BATCH];
    const float *output;
    int i, b, cut = 0;
    (void)state;
    draw_images(clean);
    for (i = 0; i < BATCH * PIXELS; i += 3) clean[i] = i % 2 ? .99f : .01f;
    memcpy(input, clean, sizeof input);
    output = attack_gradient(net, clean, labels, BATCH, gradient);
    for (b = 0; b < BATCH; ++b) before[b] = output[b * CLASSES + labels[b]];
    output = attack_images(net, input, labels, BATCH, 0, &fgsm);
    for (i = 0; i < BATCH * PIXELS; ++i) {
        const double wanted = clean[i] + .05 * (gradient[i] > 0 ? 1 : -1);
        cut += wanted < 0 || wanted > 1;
        assert_close(input[i], fmin(fmax(wanted, 0), 1), 1e-6);
    }
    assert_true(cut > 10);
    for (b = 0; b < BATCH; ++b) assert_true(output[b * CLASSES + labels[b]] < before[b]);
    assert_near("output", output, network_predict(net, input), BATCH * CLASSES, 1e-6);
    free_network(net);
}

static void pgd_stays_within_eps_and_beats_fgsm(void **state)
{
    const attack_options fgsm = {1, .1, .1, 0, 1}, pgd = {20, .1, .02, 0, 1};
    network *net = prepared(BODY SOFTMAX_END);
    float clean[BATCH * PIXELS], input[BATCH * PIXELS];
    double one_step = 0, many = 0;
    const float *output;
    int i, b, at_the_edge = 0;
    (void)state;
    draw_images(clean);
    memcpy(input, clean, sizeof input);
    output = attack_images(net, input, labels, BATCH, 0, &fgsm);
    for (b = 0; b < BATCH; ++b) one_step -= log(output[b * CLASSES + labels[b]]);
    memcpy(input, clean, sizeof input);
    output = attack_images(net, input, labels, BATCH, 0, &pgd);
    for (b = 0; b < BATCH; ++b) many -= log(output[b * CLASSES + labels[b]]);
    for (i = 0; i < BATCH * PIXELS; ++i) {
        assert_true(fabs(input[i] - clean[i]) <= .1 + 1e-6);
        at_the_edge += fabs(input[i] - clean[i]) > .1 - 1e-6;
    }
    assert_true(at_the_edge > PIXELS);
    assert_true(many >= one_step);
    free_network(net);
}

static void a_random_start_belongs_to_the_image(void **state)
{
    const attack_options start = {0, .1, .02, 1, 3}; /* no step */
    network *net = prepared(BODY SOFTMAX_END);
    float clean[BATCH * PIXELS], input[BATCH * PIXELS], later[BATCH * PIXELS];
    double least = 0, most = 0, sum = 0;
    int i;
    (void)state;
    for (i = 0; i < BATCH * PIXELS; ++i) clean[i] = .5f;
    memcpy(input, clean, sizeof input);
    memcpy(later, clean, sizeof later);
    attack_images(net, input, labels, BATCH, 0, &start);
    attack_images(net, later, labels, BATCH, 1, &start);
    assert_same_bits("image 1", 0, input + PIXELS, later, PIXELS);
    assert_memory_not_equal(input, later, PIXELS * sizeof *input);
    for (i = 0; i < BATCH * PIXELS; ++i) {
        least = fmin(least, input[i] - clean[i]);
        most = fmax(most, input[i] - clean[i]);
        sum += input[i] - clean[i];
    }
    assert_true(least < -.09 && least >= -.1 && most > .09 && most <= .1 + 1e-6);
    assert_close(sum / (BATCH * PIXELS), 0, .01);
    free_network(net);
}

static void a_section_without_a_way_back_is_refused(void **state)
{
    network *net = network_of(1, "[net]\nbatch=1\nwidth=8\nheight=8\nchannels=3\n[crop]\ncrop_height=6\ncrop_width=6\n"
                                 "[connected]\noutput=5\nactivation=linear\n[softmax]\n");
    (void)state;
    hush();
    assert_int_equal(attack_prepare(net, "net.cfg"), 1);
    unhush();
    assert_non_null(strstr(said(), "net.cfg: no attack on a network with [crop]"));
    free_network(net);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_gradient_is_that_of_the_prediction),     TEST(a_prepared_network_predicts_the_same),
        TEST(images_behind_the_last_one_get_no_gradient), TEST(fgsm_goes_eps_along_the_sign_and_stays_in_range),
        TEST(pgd_stays_within_eps_and_beats_fgsm),        TEST(a_random_start_belongs_to_the_image),
        TEST(a_section_without_a_way_back_is_refused),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
