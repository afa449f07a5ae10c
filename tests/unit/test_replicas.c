/* Tests of replicas, one per GPU: together they learn the soft labels that one network learns from all images. These
 * tests run on the CPU, where soft labels are merged and nothing else. */
#include "helpers/test_networks.h"
#include "train/checkpoint.h"

/* The network that replicas are compared with: it gets their images as `subdivisions`. Learning rate 0, because on the
 * CPU the weights of replicas are not averaged. */
static network *network_for_all(int n, const char *keys)
{
    return network_of(71, CLASSIFIER "[ols]\n%s", 4 * n, n, 0., 0., keys);
}

/* Iteration i of n replicas with batch 4. */
static void iterate_replicas(network **nets, int n, int i)
{
    int r;
    for (r = 0; r < n; ++r) step(nets[r], 4 * (i * n + r));
    merge(nets, n);
}

/* Asserts that all replicas have the S of the one network, and that their sums add up to its sums, the training
 * accuracy included. */
static void assert_replicas_are(network *one, network **nets, int n)
{
    int r, copied = -1;
    ols_state *sum = train_gather(soft_labels_owner(nets[0], 0), &copied);
    assert_non_null(sum);
    assert_int_equal(copied, 1);
    assert_state_near(sum, state_of(one));
    ols_free_state(sum);
    assert_true(training_accuracy(one) >= 0);
    assert_close(training_accuracy(nets[0]), training_accuracy(one), 0);
    for (r = 1; r < n; ++r) {
        assert_same_bits("S", r, state_of(nets[r])->S, state_of(nets[0])->S, CLASSES * CLASSES);
        assert_same_bits("row_sum", r, state_of(nets[r])->row_sum, state_of(nets[0])->row_sum, CLASSES);
        assert_int_equal(state_of(nets[r])->updates, state_of(nets[0])->updates);
    }
}

static void free_replicas(network **nets, int n)
{
    while (n--) free_network(nets[n]);
}

static void assert_replicas_learn_what_one_network_learns(int n, int epoch, const char *keys)
{
    network *one = network_for_all(n, keys), *nets[3], *resumed[3];
    ols_state *before[3], *saved, *sum;
    int i, r, copied;
    for (r = 0; r < n; ++r) nets[r] = network_of(71, CLASSIFIER "[ols]\n%s", 4, 1, 0., 0., keys);
    begin(&one, 1, epoch, CLASSES, 0);
    begin(nets, n, epoch, CLASSES, 0);
    for (i = 0; i < 5; ++i) {
        iterate(one, i);
        iterate_replicas(nets, n, i);
        assert_replicas_are(one, nets, n);
    }
    assert_true(state_of(one)->updates > 0);
    assert_true(sum_of(state_of(one)->correct, CLASSES) > 0);

    /* A checkpoint within an epoch has the sums of all replicas, and does not change them. */
    for (r = 0; r < n; ++r) before[r] = copy_of(state_of(nets[r]));
    save(nets[0], "a.weights");
    for (r = 0; r < n; ++r) {
        assert_same_state(state_of(nets[r]), before[r]);
        ols_free_state(before[r]);
    }
    saved = checkpoint_read_soft_labels(in_folder("a.weights"), 0);
    assert_state_near(saved, state_of(one));

    /* Every replica loads it, but its sums count once. */
    for (r = 0; r < n; ++r)
        resumed[r] = network_from(in_folder("a.weights"), 0, CLASSIFIER "[ols]\n%s", 4, 1, 0., 0., keys);
    begin(resumed, n, epoch, CLASSES, 0);
    sum = train_gather(soft_labels_owner(resumed[0], 0), &copied);
    assert_same_state(sum, saved);
    ols_free_state(sum);
    ols_free_state(saved);

    for (; i < 12; ++i) {
        iterate(one, i);
        iterate_replicas(nets, n, i);
        iterate_replicas(resumed, n, i);
        assert_replicas_are(one, nets, n);
        assert_replicas_are(one, resumed, n);
    }
    assert_true(state_of(one)->updates > 1);
    free_network(one);
    free_replicas(nets, n);
    free_replicas(resumed, n);
}

static void replicas_learn_the_soft_labels_of_one_network_that_sees_everything(void **state)
{
    (void)state;
    assert_replicas_learn_what_one_network_learns(2, 26, "");
    assert_replicas_learn_what_one_network_learns(3, 40, "");
    assert_replicas_learn_what_one_network_learns(2, 26, "period=4\n");
    assert_replicas_learn_what_one_network_learns(3, 40, "period=2\n");
}

static void replicas_of_a_detector_share_what_their_heads_learn(void **state)
{
    network *nets[2];
    int i, r;
    (void)state;
    for (r = 0; r < 2; ++r) nets[r] = network_of(72, NET("16") THREE_HEADS("smoothing=ols\n"), 4, 1, 0., 0.);
    begin(nets, 2, 16, HEAD_CLASSES, 0);
    for (i = 0; i < 2; ++i) {
        assert_int_equal(state_of(nets[0])->updates, 0);
        iterate_replicas(nets, 2, i);
    }
    for (r = 0; r < 2; ++r) {
        assert_int_equal(state_of(nets[r])->updates, 1);
        assert_int_equal(sum_of(state_of(nets[r])->seen, HEAD_CLASSES), 0);
        assert_ptr_equal(nets[r]->layers[9].label_smoothing->state, state_of(nets[r]));
    }
    assert_same_bits("S", 0, state_of(nets[0])->S, state_of(nets[1])->S, HEAD_CLASSES * HEAD_CLASSES);
    free_replicas(nets, 2);
}

/* The rows of OLS-Single are predictions that one of the replicas made; the counts are those of all. */
static void replicas_of_ols_single_take_the_predictions_of_all(void **state)
{
    const char *keys = "smoothing=ols-single\n";
    network *nets[3];
    int i, r, k, y, copied, merged = 0;
    (void)state;
    for (r = 0; r < 3; ++r) nets[r] = network_of(71, CLASSIFIER "[ols]\n%s", 4, 1, 0., 0., keys);
    begin(nets, 3, 120, CLASSES, 0);
    for (i = 0; i < 6; ++i) iterate_replicas(nets, 3, i);
    {
        ols_state *sum = train_gather(soft_labels_owner(nets[0], 0), &copied);
        for (y = 0; y < CLASSES; ++y) {
            int64_t correct = 0;
            int found = 0;
            for (r = 0; r < 3; ++r) {
                const ols_state *own = state_of(nets[r]);
                correct += own->correct[y];
                found |=
                    own->correct[y] > 0 && !memcmp(sum->A + y * CLASSES, own->A + y * CLASSES, CLASSES * sizeof(float));
            }
            assert_int_equal(sum->correct[y], correct);
            assert_int_equal(found, correct > 0);
            merged += correct > 1;
        }
        assert_true(merged > 0);
        for (; i < 10; ++i) iterate_replicas(nets, 3, i);
        for (r = 0; r < 3; ++r) {
            assert_int_equal(state_of(nets[r])->updates, 1);
            assert_same_bits("S", r, state_of(nets[r])->S, state_of(nets[0])->S, CLASSES * CLASSES);
        }
        for (y = 0; y < CLASSES; ++y) {
            double row = 0;
            for (k = 0; k < CLASSES; ++k) row += state_of(nets[0])->S[y * CLASSES + k];
            assert_close(row, 1, 1e-6);
        }
        ols_free_state(sum);
    }
    free_replicas(nets, 3);
}

/* Replicas have other images at the same place, and other draws for them. */
static void replicas_draw_different_labels(void **state)
{
    network *nets[2];
    ols_target_spec specs[2];
    int r;
    (void)state;
    for (r = 0; r < 2; ++r) nets[r] = network_of(71, CLASSIFIER "[ols]\nsmoothing=disturb\n", 4, 1, 0., 0.);
    begin(nets, 2, 40, CLASSES, 0);
    for (r = 0; r < 2; ++r) specs[r] = current_target_spec(soft_labels_owner(nets[r], 0), 0, 1);
    assert_true(specs[0].draws != specs[1].draws);
    assert_close(specs[0].disturb, .1, 1e-7);
    assert_close(current_target_spec(soft_labels_owner(nets[0], 0), 0, 0).disturb, 0,
                 0); /* an evaluation draws nothing */
    free_replicas(nets, 2);
}

/* Only a sanitized build finds an error here. */
static void replicas_can_be_freed_first_to_last(void **state)
{
    network *nets[2];
    int r;
    (void)state;
    for (r = 0; r < 2; ++r) nets[r] = network_of(73, EPOCH, 4, 1, 0., 0.);
    begin(nets, 2, 16, CLASSES, 0);
    for (r = 0; r < 2; ++r) free_network(nets[r]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(replicas_learn_the_soft_labels_of_one_network_that_sees_everything),
        TEST(replicas_of_a_detector_share_what_their_heads_learn),
        TEST(replicas_of_ols_single_take_the_predictions_of_all),
        TEST(replicas_draw_different_labels),
        TEST(replicas_can_be_freed_first_to_last),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
