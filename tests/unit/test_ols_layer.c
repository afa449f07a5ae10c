/* Tests of the [ols] layer: comparison with [softmax]; and how it and the class heads behave outside of training, with
 * other batch sizes and after a resize. */
#include "helpers/test_networks.h"

/* ---- Against [softmax] ---------------------------------------------------------------------------------------------
 */

/* Not bit for bit, because src/ols has its own exponential function. */
static void hard_ols_trains_like_softmax(void **state)
{
    network *softmax = network_of(21, NORMALIZED_CLASSIFIER "[softmax]\n", 8, 2, .9, .05);
    network *ols = network_of(21, NORMALIZED_CLASSIFIER "[ols]\nsmoothing=hard\n", 8, 2, .9, .05);
    double first = 0;
    int i, j;
    (void)state;
    for (i = 0; i < 31; ++i) {
        iterate(softmax, i % 3);
        iterate(ols, i % 3);
        for (j = 0; j < ols->n; ++j) {
            layer a = softmax->layers[j], b = ols->layers[j];
            assert_near("output", a.output, b.output, (size_t)a.outputs * a.batch, 2e-4);
            assert_near("delta", a.delta, b.delta, (size_t)a.outputs * a.batch, 2e-4);
            assert_near("weights", a.weights, b.weights, weights_of(a), 2e-4);
            assert_near("biases", a.biases, b.biases, biases_of(a), 2e-4);
        }
        assert_close(*ols->cost, *softmax->cost, 1e-4 * *softmax->cost);
        if (i == 0) first = *ols->cost;
    }
    assert_true(*ols->cost < first / 2); /* on the same images: so the networks did learn */
    free_network(softmax);
    free_network(ols);
}

static void the_output_of_ols_is_that_of_softmax_without_truth(void **state)
{
    network *softmax = network_of(22, CLASSIFIER "[softmax]\ntemperature=2\n", 3, 1, .9, .1);
    network *ols = network_of(22, CLASSIFIER "[ols]\ntemperature=2\n", 3, 1, .9, .1);
    (void)state;
    put_batch(softmax, 0);
    network_predict(softmax, softmax->input);
    network_predict(ols, softmax->input);
    assert_same_bits("output", 3, softmax->output, ols->output, 3 * CLASSES);
    free_network(softmax);
    free_network(ols);
}

/* As mixup makes it. The losses differ: Darknet's is -log p of both classes, not weighed by their shares. */
static void a_mixture_of_two_classes_has_the_gradient_that_softmax_gives_it(void **state)
{
    network *softmax = network_of(23, CLASSIFIER "[softmax]\n", 4, 1, .9, .1);
    network *ols = network_of(23, CLASSIFIER "[ols]\nsmoothing=hard\n", 4, 1, .9, .1);
    network *nets[2];
    int i, b, k;
    (void)state;
    nets[0] = softmax, nets[1] = ols;
    for (i = 0; i < 2; ++i) {
        put_batch(nets[i], 0);
        memset(nets[i]->truth, 0, 4 * CLASSES * sizeof(float));
        for (b = 0; b < 4; ++b) {
            nets[i]->truth[b * CLASSES + b % CLASSES] = .1f + .2f * b;
            nets[i]->truth[b * CLASSES + (b + 1) % CLASSES] = 1 - (.1f + .2f * b);
        }
        forward(nets[i]);
    }
    assert_near("delta", last_layer(softmax).delta, last_layer(ols).delta, 4 * CLASSES, 1e-6);
    for (i = 0; i < 4 * CLASSES; ++i)
        assert_close(last_layer(ols).delta[i], ols->truth[i] - last_layer(ols).output[i], 1e-6);
    for (b = 0; b < 4; ++b) {
        double loss = 0;
        for (k = 0; k < CLASSES; ++k)
            loss -= ols->truth[b * CLASSES + k] * log(last_layer(ols).output[b * CLASSES + k]);
        assert_close(last_layer(ols).loss[b], loss, 1e-5);
    }
    free_network(softmax);
    free_network(ols);
}

/* ---- Outside of training -------------------------------------------------------------------------------------------
 */

static void inference_and_validation_leave_the_statistics_alone(void **state)
{
    static const char *const formats[] = {EPOCH, NET("8") TRUNK YOLO_HEAD "smoothing=ols\n",
                                          NET("8") TRUNK REGION_HEAD "smoothing=ols\n",
                                          NET("8") TRUNK DETECTION_HEAD "smoothing=ols\n"};
    size_t f;
    (void)state;
    for (f = 0; f < COUNT(formats); ++f) {
        network *net = network_of(81, formats[f], 4, 1, 0., .01);
        ols_state *before;
        int batch = net->batch;
        begin(&net, 1, 100, 0, 0);
        iterate(net, 0);
        before = copy_of(state_of(net));
        put_batch(net, 4);

        hush();
        set_batch_network(net, 1);
        network_predict(net, net->input); /* without truth, and train=0 */
        unhush();
        assert_same_state(state_of(net), before);

        hush();
        set_batch_network(net, batch);
        net->train = 0;
        forward_network(net); /* with truth, as in a validation that computes the loss */
        unhush();
        assert_same_state(state_of(net), before);

        iterate(net, 1);
        assert_int_equal(state_of(net)->images, 8);
        ols_free_state(before);
        free_network(net);
    }
}

static void a_network_loaded_to_predict_works_with_a_batch_of_one(void **state)
{
    network *net = network_of(82, EPOCH, 4, 1, 0., .05), *one;
    float batch[4 * CLASSES];
    int b;
    (void)state;
    put_batch(net, 0);
    network_predict(net, net->input);
    memcpy(batch, net->output, sizeof batch);
    save(net, "a.weights");
    one = network_from(in_folder("a.weights"), 0, EPOCH, 4, 1, 0., .05);
    set_batch_network(one, 1);
    for (b = 0; b < 4; ++b) {
        float sum = 0;
        int k;
        put_batch(net, 0);
        network_predict(one, net->input + b * net->inputs);
        assert_near("output", one->output, batch + b * CLASSES, CLASSES, 1e-6);
        for (k = 0; k < CLASSES; ++k) sum += one->output[k];
        assert_close(sum, 1, 1e-5);
    }
    free_network(net);
    free_network(one);
}

static void a_network_that_is_resized_keeps_its_soft_labels_and_goes_on(void **state)
{
    static const char *const formats[] = {
        NET("8") "[convolutional]\nfilters=5\nsize=3\npad=1\nactivation=leaky\n[avgpool]\n[ols]\n",
        NET("8") TRUNK YOLO_HEAD "smoothing=ols\n", NET("8") TRUNK REGION_HEAD "smoothing=ols\n",
        NET("16") THREE_HEADS("smoothing=ols\n")};
    static const int sides[] = {16, 24, 8};
    size_t f, i;
    (void)state;
    for (f = 0; f < COUNT(formats); ++f) {
        network *net = network_of(83, formats[f], 4, 2, 0., .01);
        begin(&net, 1, 100, 0, 0);
        iterate(net, 0);
        for (i = 0; i < COUNT(sides); ++i) {
            ols_state *before = copy_of(state_of(net));
            hush();
            resize_network(net, sides[i], sides[i]);
            unhush();
            assert_same_state(state_of(net), before);
            iterate(net, (int)i + 1);
            assert_int_equal(state_of(net)->images, before->images + 4);
            assert_true(sum_of(state_of(net)->seen, state_of(net)->classes) > sum_of(before->seen, before->classes));
            ols_free_state(before);
        }
        free_network(net);
    }
}

/* ---- Presets -------------------------------------------------------------------------------------------------------
 */

static void a_key_goes_before_the_preset_wherever_it_stands(void **state)
{
    static const char *const keys[] = {"freeze=.5\npreset=fine-grained\n", "preset=fine-grained\nfreeze=.5\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(keys); ++i) {
        network *net = network_of(27, CLASSIFIER "[ols]\n%s", 4, 1, 0., .1, keys[i]);
        const ols_options *options = &soft_labels_owner(net, 0)->options;
        assert_close(options->freeze, .5, 0);
        assert_close(options->alpha, 1, 0);
        assert_close(options->soft_weight, 1, 0);
        free_network(net);
    }
}

/* ---- Methods that depend on the place in the training -------------------------------------------------------------
 */

static void pairs_are_confused_from_the_iteration_that_pc_start_says(void **state)
{
    network *pc = network_of(24, CLASSIFIER "[ols]\nsmoothing=pc\npc_start=2\n", 16, 2, .9, .05);
    network *hard = network_of(24, CLASSIFIER "[ols]\nsmoothing=hard\n", 16, 2, .9, .05);
    int i;
    (void)state;
    begin(&pc, 1, 100, CLASSES, 0);
    begin(&hard, 1, 100, CLASSES, 0);
    for (i = 0; i < 3; ++i) {
        const int s = i * 16;
        step(pc, s);
        step(hard, s);
        assert_int_equal(*last_layer(pc).cost == *last_layer(hard).cost, i < 2);
        step(pc, s + 8);
        step(hard, s + 8);
        assert_int_equal(*last_layer(pc).cost == *last_layer(hard).cost, i < 2);
    }
    free_network(pc);
    free_network(hard);
}

/* Every forward pass has draws of its own, those of a subdivision too; another seed, another network. */
static void labels_are_drawn_anew_for_every_forward_pass(void **state)
{
    network *net = network_of(25, CLASSIFIER "[ols]\nsmoothing=disturb\n", 8, 2, .9, .05);
    label_smoothing *smoothing = soft_labels_owner(net, 0);
    uint64_t draws[4];
    int i, k;
    (void)state;
    begin(&net, 1, 100, CLASSES, 0);
    for (i = 0; i < 4; ++i) {
        step(net, 4 * i);
        draws[i] = current_target_spec(smoothing, 0, 1).draws;
        for (k = 0; k < i; ++k) assert_true(draws[k] != draws[i]);
    }
    set_draws(smoothing, net, smoothing->seed + 1);
    assert_true(current_target_spec(smoothing, 0, 1).draws != draws[3]);
    free_network(net);
}

/* As `classifier train -topk` sees it while it trains: no draw and no pair is in the loss of an evaluation. */
static void an_evaluation_neither_draws_nor_pairs(void **state)
{
    static const char *const keys[] = {"smoothing=disturb\ndisturb_alpha=1\n", "smoothing=pc\n"};
    network *hard = network_of(26, CLASSIFIER "[ols]\nsmoothing=hard\n", 8, 1, .9, .05);
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(keys); ++i) {
        network *net = network_of(26, CLASSIFIER "[ols]\n%s", 8, 1, .9, .05, keys[i]), *nets[2];
        int n, train;
        nets[0] = net, nets[1] = hard;
        for (train = 0; train < 2; ++train) {
            for (n = 0; n < 2; ++n) {
                put_batch(nets[n], 0);
                nets[n]->train = train;
                hush();
                forward_network(nets[n]);
                unhush();
            }
            assert_int_equal(*last_layer(net).cost == *last_layer(hard).cost, !train);
        }
        free_network(net);
    }
    free_network(hard);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(hard_ols_trains_like_softmax),
        TEST(the_output_of_ols_is_that_of_softmax_without_truth),
        TEST(a_mixture_of_two_classes_has_the_gradient_that_softmax_gives_it),
        TEST(inference_and_validation_leave_the_statistics_alone),
        TEST(a_network_loaded_to_predict_works_with_a_batch_of_one),
        TEST(a_network_that_is_resized_keeps_its_soft_labels_and_goes_on),
        TEST(a_key_goes_before_the_preset_wherever_it_stands),
        TEST(pairs_are_confused_from_the_iteration_that_pc_start_says),
        TEST(labels_are_drawn_anew_for_every_forward_pass),
        TEST(an_evaluation_neither_draws_nor_pairs),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
