/* Tests of a training's state (src/ols/state.c): its initial values, when an update is due, the update of Eq. 6, and
 * adding up the sums of replicas. */
#include "helpers/test_ols.h"

static void a_new_state_holds_the_soft_labels_that_init_asks_for(void **test)
{
    enum { K = 4 };
    static const ols_row inits[] = {OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_LS};
    static const double on[] = {.25, 0, .8 + .2 / K}, off[] = {.25, 0, .2 / K}, weight[] = {1, 0, 1};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    int y, k;
    (void)test;
    assert_int_equal(options.init, OLS_ROW_UNIFORM); /* as in the paper */
    options.epsilon = .2f;
    for (i = 0; i < COUNT(inits); ++i) {
        ols_state *state;
        options.init = inits[i];
        state = ols_new_state(K, &options);
        for (y = 0; y < K; ++y) {
            for (k = 0; k < K; ++k) {
                assert_close(state->S[y * K + k], k == y ? on[i] : off[i], 1e-6);
                assert_close(state->A[y * K + k], 0, 0);
            }
            assert_close(state->row_sum[y], weight[i], 0);
            assert_int_equal(state->correct[y] + state->seen[y], 0);
        }
        assert_int_equal(state->images + state->iterations + state->updates + state->unlabelled, 0);
        ols_free_state(state);
    }
}

static void a_reset_state_is_a_new_one(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = full_state(4, 1), *fresh;
    (void)test;
    options.init = OLS_ROW_LS;
    fresh = ols_new_state(4, &options);
    ols_reset_state(state, &options);
    assert_same_state(state, fresh);
    ols_free_state(state), ols_free_state(fresh);
}

static void clearing_the_sums_keeps_the_soft_labels(void **test)
{
    ols_state *state = full_state(4, 1), *same = full_state(4, 1);
    (void)test;
    ols_clear_statistics(state);
    memset(same->A, 0, 16 * sizeof(float));
    memset(same->correct, 0, 4 * sizeof(int64_t));
    memset(same->seen, 0, 4 * sizeof(int64_t));
    same->images = same->iterations = same->unlabelled = 0;
    assert_same_state(state, same);
    ols_free_state(state), ols_free_state(same);
}

static void an_update_turns_the_sums_into_distributions_and_clears_them(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = full_state(3, 1);
    float sums[9];
    int y, k;
    (void)test;
    memcpy(sums, state->A, sizeof sums);
    ols_update(state, &options, 0);
    for (y = 0; y < 3; ++y) {
        double total = (double)sums[y * 3] + sums[y * 3 + 1] + sums[y * 3 + 2];
        for (k = 0; k < 3; ++k) {
            assert_close(state->S[y * 3 + k], sums[y * 3 + k] / total, 1e-7);
            assert_close(state->A[y * 3 + k], 0, 0);
        }
        assert_close(state->row_sum[y], 1, 0); /* also of the row that was zero */
        assert_int_equal(state->correct[y] + state->seen[y], 0);
    }
    assert_int_equal(state->updates, 4);
    assert_int_equal(state->images + state->iterations + state->unlabelled, 0);
    ols_free_state(state);
}

/* Class 0 is predicted correctly, class 1 occurs but is never correct, class 2 does not occur; all had a row before. */
static ols_state *updated_with_empty_classes(ols_options *options, float before[9])
{
    static const float probs[] = {.75f, .125f, .125f, .75f, .125f, .125f};
    static const int labels[] = {0, 1};
    ols_state *state = random_state(3, options, 14);
    memcpy(before, state->S, 9 * sizeof(float));
    accumulate(state, 2, probs, labels);
    ols_update(state, options, 0);
    assert_close(state->S[0], .75, 0);
    assert_close(state->row_sum[0], 1, 0);
    return state;
}

static void a_class_without_right_predictions_becomes_uniform(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9];
    ols_state *state = updated_with_empty_classes(&options, before); /* the default */
    int i;
    (void)test;
    for (i = 3; i < 9; ++i) assert_close(state->S[i], 1. / 3, 1e-7);
    assert_close(state->row_sum[1] + state->row_sum[2], 2, 0);
    ols_free_state(state);
}

static void a_class_without_right_predictions_becomes_zero_and_drops_its_soft_term(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9], q[3];
    ols_state *state;
    ols_target_spec spec;
    int i;
    (void)test;
    options.empty = OLS_ROW_ZERO;
    options.alpha = .25f;
    state = updated_with_empty_classes(&options, before);
    for (i = 3; i < 9; ++i) assert_close(state->S[i], 0, 0);
    assert_close(state->row_sum[1] + state->row_sum[2], 0, 0);
    spec = ols_make_target_spec(&options, state, 3);
    assert_close(ols_target(&spec, 3, 1, q), .25, 0);
    assert_close(q[0], 0, 0);
    assert_close(q[1], .25, 0);
    assert_close(q[2], 0, 0);
    ols_free_state(state);
}

static void a_class_without_right_predictions_keeps_its_row(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9];
    ols_state *state;
    (void)test;
    options.empty = OLS_ROW_KEEP;
    state = updated_with_empty_classes(&options, before);
    assert_memory_equal(state->S + 3, before + 3, 6 * sizeof(float));
    assert_close(state->row_sum[1] + state->row_sum[2], 2, 0);
    zero_row(state, 2); /* a row of zeros stays one */
    ols_update(state, &options, 0);
    assert_close(state->row_sum[1], 1, 0);
    assert_close(state->row_sum[2], 0, 0);
    ols_free_state(state);
}

/* Two hits of class 0, whose sigmoid scores have no reason to sum to 1; a miss, which is no hit; linear scores above 1.
 */
static void hits_keep_the_size_of_scores_and_leave_no_entry_above_one(void **test)
{
    static const float scores[4][3] = {{.9f, .7f, .1f}, {.7f, .3f, .2f}, {.1f, .2f, .9f}, {.5f, 1.25f, 3}};
    static const double expected[9] = {.8, .5, .15, 1 / 3., 1 / 3., 1 / 3., .5, 1, 1};
    static const int labels[] = {0, 0, 1, 2};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    ols_target_spec spec;
    ols_summary summary;
    float q[3];
    int i;
    (void)test;
    options.normalise = OLS_BY_HITS;
    for (i = 0; i < 4; ++i) ols_accumulate_scores(state, scores[i], 1, labels[i]);
    ols_update(state, &options, 0);
    for (i = 0; i < 9; ++i) assert_close(state->S[i], expected[i], 1e-6);
    assert_close(state->row_sum[0], 1.45, 1e-6);
    assert_close(state->row_sum[1], 1, 0);
    assert_close(state->row_sum[2], 2.5, 1e-6);
    spec = ols_make_target_spec(&options, state, 3);
    assert_close(ols_target(&spec, 3, 0, q), .5 + .5 * 1.45, 1e-6); /* the sum of q */
    assert_close(q[0] + q[1] + q[2], .5 + .5 * 1.45, 1e-6);
    assert_close(ols_target_weight(&spec, 0), 1, 0); /* the sum of the weights */
    ols_summarize(state, &summary);
    assert_close(summary.diagonal, (.8 + 1 / 3. + 1) / 3, 1e-6);
    assert_close(summary.entropy, (.929933 + log(3) + 1.054920) / 3, 1e-5); /* of the rows divided by their sums */
    ols_free_state(state);
}

/* Rows that would overflow or vanish as plain powers: T = .1 is the tenth power. */
static void small_and_large_sums_are_sharpened_to_finite_rows(void **test)
{
    static const float scales[] = {1e-30f, 1, 1e30f};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    (void)test;
    options.soft_temperature = .1f;
    for (i = 0; i < COUNT(scales); ++i) {
        ols_state *state = ols_new_state(3, &options);
        state->A[0] = 2 * scales[i], state->A[1] = scales[i];
        state->correct[0] = 3;
        ols_update(state, &options, 0);
        assert_close(state->S[0], 1024 / 1025., 1e-6);
        assert_close(state->S[1], 1 / 1025., 1e-6);
        assert_close(state->S[2], 0, 0);
        assert_close(state->row_sum[0], 1, 0);
        ols_free_state(state);
    }
}

/* Of a class that was never right so far, or not in the last epoch with empty=zero. */
static void a_row_of_zeros_is_no_part_of_a_running_mean(void **test)
{
    static const float probs[] = {.5f, .25f, .25f, .25f, .75f, 0};
    static const int labels[] = {0, 1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(3, &options, 4);
    float old;
    (void)test;
    options.decay = .25f;
    state->updates = 1;
    zero_row(state, 1);
    old = state->S[0];
    accumulate(state, 2, probs, labels);
    ols_update(state, &options, 0);
    assert_close(state->S[0], .25 * old + .75 * .5, 1e-6);
    assert_memory_equal(state->S + 3, probs + 3, 3 * sizeof(float));
    assert_close(state->row_sum[0], 1, 0);
    assert_close(state->row_sum[1], 1, 0);
    ols_free_state(state);
}

static void before_start_a_training_is_that_of_hard_labels_bit_for_bit(void **test)
{
    enum { K = 5, B = 8, START = 2 };
    ols_options options = ols_default_options(OLS_OLS), hard = ols_default_options(OLS_HARD);
    ols_options without = options;
    ols_state *state = ols_new_state(K, &options), *other = ols_new_state(K, &options);
    int i, epoch;
    (void)test;
    options.start = START;
    for (epoch = 0; epoch < START + 2; ++epoch) {
        ols_batch x = new_batch(K, B, 40 + epoch), y = new_batch(K, B, 40 + epoch);
        forward(x, &options, state, 1);
        forward(y, epoch < START ? &hard : &without, epoch < START ? 0 : other, 1);
        assert_memory_equal(x.delta, y.delta, K * B * sizeof(float));
        assert_memory_equal(x.loss, y.loss, B * sizeof(float));
        for (i = 0; i < B; ++i) x.probs[i * K + i % K] += 1; /* enough hits of all classes */
        accumulate(state, B, x.probs, x.labels);
        accumulate(other, B, x.probs, x.labels);
        ols_update(state, &options, 0);
        ols_update(other, &without, 0);
        assert_same_state(state, other); /* S is gathered as ever */
        free_batch(x), free_batch(y);
    }
    ols_free_state(state), ols_free_state(other);
}

/* The diagonal of rows 0 and 2 is at least .75, that of row 1 is not; class 2 has no samples, so empty= decides. */
static void a_frozen_row_is_left_alone(void **test)
{
    static const float soft[9] = {.75f, .25f, 0, .25f, .7f, .05f, .05f, .05f, .9f};
    static const float probs[] = {.5f, .375f, .125f, .25f, .625f, .125f};
    static const int labels[] = {0, 1};
    static const float freezes[] = {.75f, 0};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    (void)test;
    assert_close(options.freeze, 0, 0); /* never, unless asked for */
    options.empty = OLS_ROW_ZERO;
    for (i = 0; i < COUNT(freezes); ++i) {
        ols_state *state = ols_new_state(3, &options);
        options.freeze = freezes[i];
        memcpy(state->S, soft, sizeof soft);
        state->updates = 1; /* before the first update there is nothing learned to keep */
        accumulate(state, 2, probs, labels);
        ols_update(state, &options, 0);
        assert_memory_equal(state->S, freezes[i] > 0 ? soft : probs, 3 * sizeof(float));
        assert_memory_equal(state->S + 3, probs + 3, 3 * sizeof(float));
        assert_close(state->S[8], 0, 0);
        assert_close(state->row_sum[2], 0, 0);
        assert_close(state->A[0], 0, 0); /* the sums of a frozen class are reset, too */
        ols_free_state(state);
    }
}

/* With init=ls the diagonal is above freeze=.88 from the start; if the rows were frozen then, they would never
 * learn. */
static void the_first_update_freezes_nothing(void **test)
{
    static const float probs[] = {.5f, .375f, .125f};
    static const int labels[] = {0};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state;
    (void)test;
    options.init = OLS_ROW_LS;
    options.freeze = .88f;
    state = ols_new_state(3, &options);
    assert_true(state->S[0] > .88f);
    accumulate(state, 1, probs, labels);
    ols_update(state, &options, 0);
    assert_memory_equal(state->S, probs, sizeof probs);
    ols_free_state(state);
}

static void an_update_is_due_after_an_epoch_of_images(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    state->iterations = 1000;
    state->images = 99;
    assert_false(ols_due(state, &options, 100));
    state->images = 100;
    assert_true(ols_due(state, &options, 100));
    state->images = 120;
    assert_true(ols_due(state, &options, 100));
    assert_false(ols_due(state, &options, 0)); /* the length of an epoch is not known yet */
    ols_free_state(state);
}

static void an_update_is_due_after_a_period_of_iterations(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    options.period = 10;
    state->images = 1030;
    state->iterations = 9;
    assert_false(ols_due(state, &options, 100));
    state->iterations = 10;
    assert_true(ols_due(state, &options, 100));
    assert_true(ols_due(state, &options, 0));
    ols_update(state, &options, 100);
    assert_int_equal(state->iterations, 0);
    assert_int_equal(state->images, 0);
    assert_false(ols_due(state, &options, 100));
    ols_free_state(state);
}

/* Batches of 32 and epochs of 100 images: an update is due whenever the images pass 100, 200, 300, ... */
static void the_position_beyond_an_epoch_is_carried_over(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    int64_t images;
    (void)test;
    for (images = 32; images <= 3200; images += 32) {
        int due = images / 100 > (images - 32) / 100;
        state->images += 32;
        assert_int_equal(ols_due(state, &options, 100), due);
        if (due) ols_update(state, &options, 100);
        assert_int_equal(state->images, images % 100);
    }
    assert_int_equal(state->updates, 32);
    state->images = 512; /* a batch of several epochs is still one update */
    ols_update(state, &options, 100);
    assert_int_equal(state->images, 12);
    ols_free_state(state);
}

/* Each of two replicas gets every second sample. `grain` > 0 makes sums exact in any order (multiples of 1/64); 0:
 * not. */
static void check_merge(double grain, double tolerance)
{
    enum { K = 4, B = 40 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *all = ols_new_state(K, &options), *first = ols_new_state(K, &options);
    ols_state *second = ols_new_state(K, &options);
    uint64_t seed = 77;
    int b, k;
    for (b = 0; b < B; ++b) {
        ols_state *replica = b % 2 ? second : first;
        float probs[K];
        int label = b % 7 == 6 ? -1 : (int)(noise(&seed) * K);
        for (k = 0; k < K; ++k) probs[k] = (float)(grain > 0 ? grain * (int)(noise(&seed) / grain) : noise(&seed));
        if (b % 3 && label >= 0) probs[label] = 1;
        accumulate(all, 1, probs, &label);
        accumulate(replica, 1, probs, &label);
        ++all->images, ++replica->images;
        if (b % 2) ++all->iterations; /* a sample of each replica makes one iteration */
        ++replica->iterations;
    }
    assert_true(all->correct[0] > 0 && all->unlabelled > 0);
    ols_add_statistics(first, second);
    assert_memory_equal(first->correct, all->correct, K * sizeof(int64_t));
    assert_memory_equal(first->seen, all->seen, K * sizeof(int64_t));
    assert_int_equal(first->images, all->images);
    assert_int_equal(first->iterations, all->iterations);
    assert_int_equal(first->unlabelled, all->unlabelled);
    for (k = 0; k < K * K; ++k) assert_close(first->A[k], all->A[k], tolerance * all->A[k]);
    ols_update(first, &options, 0);
    ols_update(all, &options, 0);
    for (k = 0; k < K * K; ++k) assert_close(first->S[k], all->S[k], tolerance);
    ols_free_state(all), ols_free_state(first), ols_free_state(second);
}

static void merged_replicas_equal_one_that_saw_everything(void **test)
{
    (void)test;
    check_merge(1. / 64, 0);
    check_merge(0, 1e-6);
}

static void imagenet_21k_takes_under_four_gigabytes(void **test)
{
    (void)test;
    assert_in_range(ols_state_bytes(21841), 3800000000u, 3840000000u);
    assert_true(ols_block_bytes(21841) > UINT32_MAX / 2);
    assert_int_equal(ols_state_bytes(2), 2 * 4 * 4 + 2 * (4 + 8 + 8));
    assert_int_equal(ols_state_bytes(1 << 20), ((size_t)8 << 40) + ((size_t)20 << 20));
}

/* The example of docs/ols.md, "Three classes, by hand": cat, dog, car. */
static void the_worked_example_of_the_documentation(void **test)
{
    enum { K = 3, SAMPLES = 5 };
    static const double p[SAMPLES][K] = {{.7, .2, .1}, {.5, .4, .1}, {.3, .6, .1}, {.3, .6, .1}, {.1, .1, .8}};
    static const int classes[SAMPLES] = {0, 0, 0, 1, 2};
    static const double first_target[K] = {2 / 3., 1 / 6., 1 / 6.}, target[K] = {.8, .15, .05};
    static const double S[K * K] = {.6, .3, .1, .3, .6, .1, .1, .1, .8}, delta[K] = {.1, -.05, -.05};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(K, &options);
    ols_target_spec spec = ols_make_target_spec(&options, state, K);
    ols_batch x = empty_batch(K, SAMPLES);
    float q[K];
    int b, k;
    (void)test;
    for (b = 0; b < SAMPLES; ++b) {
        for (k = 0; k < K; ++k) x.logits[b * K + k] = (float)log(p[b][k]);
        set_label(x, b, classes[b]);
    }
    assert_close(ols_target(&spec, K, 0, q), 1, 1e-6);
    for (k = 0; k < K; ++k) assert_close(q[k], first_target[k], 1e-6);

    forward(x, &options, state, 1); /* the first epoch */
    ols_accumulate(state, SAMPLES, x.probs, x.labels, x.hits);
    assert_int_equal(state->correct[0], 2);
    assert_close(state->A[0], 1.2, 1e-6);
    state->images += SAMPLES;
    assert_true(ols_due(state, &options, SAMPLES));
    ols_update(state, &options, SAMPLES);
    for (k = 0; k < K * K; ++k) assert_close(state->S[k], S[k], 1e-6);

    forward(x, &options, state, 1); /* the second */
    assert_close(x.loss[0], .6419, 5e-5);
    for (k = 0; k < K; ++k) assert_close(x.delta[k], delta[k], 1e-6);
    for (k = 0; k < K; ++k) assert_close(x.delta[k] + x.probs[k], target[k], 1e-6);
    free_batch(x);
    ols_free_state(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_state_holds_the_soft_labels_that_init_asks_for),
        cmocka_unit_test(a_reset_state_is_a_new_one),
        cmocka_unit_test(clearing_the_sums_keeps_the_soft_labels),
        cmocka_unit_test(an_update_turns_the_sums_into_distributions_and_clears_them),
        cmocka_unit_test(a_class_without_right_predictions_becomes_uniform),
        cmocka_unit_test(a_class_without_right_predictions_becomes_zero_and_drops_its_soft_term),
        cmocka_unit_test(a_class_without_right_predictions_keeps_its_row),
        cmocka_unit_test(hits_keep_the_size_of_scores_and_leave_no_entry_above_one),
        cmocka_unit_test(a_row_of_zeros_is_no_part_of_a_running_mean),
        cmocka_unit_test(small_and_large_sums_are_sharpened_to_finite_rows),
        cmocka_unit_test(before_start_a_training_is_that_of_hard_labels_bit_for_bit),
        cmocka_unit_test(a_frozen_row_is_left_alone),
        cmocka_unit_test(the_first_update_freezes_nothing),
        cmocka_unit_test(an_update_is_due_after_an_epoch_of_images),
        cmocka_unit_test(an_update_is_due_after_a_period_of_iterations),
        cmocka_unit_test(the_position_beyond_an_epoch_is_carried_over),
        cmocka_unit_test(merged_replicas_equal_one_that_saw_everything),
        cmocka_unit_test(imagenet_21k_takes_under_four_gigabytes),
        cmocka_unit_test(the_worked_example_of_the_documentation),
    };
    return cmocka_run_group_tests_name("ols_update", tests, 0, 0) != 0;
}
