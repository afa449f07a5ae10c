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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(hard_ols_trains_like_softmax),
        TEST(the_output_of_ols_is_that_of_softmax_without_truth),
        TEST(a_mixture_of_two_classes_has_the_gradient_that_softmax_gives_it),
        TEST(inference_and_validation_leave_the_statistics_alone),
        TEST(a_network_loaded_to_predict_works_with_a_batch_of_one),
        TEST(a_network_that_is_resized_keeps_its_soft_labels_and_goes_on),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
