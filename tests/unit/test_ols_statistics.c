/* Tests of what a batch adds to the sums of Eq. 5 and to the counts (ols_accumulate and ols_accumulate_scores), and of
 * the summary of a state. */
#include "helpers/test_ols.h"

static void samples_without_a_single_class_are_counted_and_left_out_of_the_sums(void **test)
{
    static const float probs[] = {.9f, .1f, .1f, .9f, .2f, .8f};
    static const int labels[] = {-1, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    accumulate(state, 3, probs, labels);
    assert_int_equal(state->unlabelled, 2);
    assert_int_equal(state->seen[0] + state->seen[1], 1);
    assert_close(state->A[0] + state->A[1], 0, 0);
    assert_close(state->A[2], .1f, 0);
    assert_close(state->A[3], .9f, 0);
    ols_free_state(state);
}

static void only_right_predictions_enter_the_sums(void **test)
{
    static const float probs[] = {.7f, .2f, .1f, /**/ .7f, .2f, .1f, /**/ .5f, .4f, .1f, /**/ .1f, .2f, .7f};
    static const int labels[] = {0, 1, 0, 2};
    static const float expected[9] = {.7f + .5f, .2f + .4f, .1f + .1f, 0, 0, 0, .1f, .2f, .7f};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    int i;
    (void)test;
    accumulate(state, 4, probs, labels);
    for (i = 0; i < 9; ++i) assert_close(state->A[i], expected[i], 1e-6);
    assert_int_equal(state->correct[0], 2);
    assert_int_equal(state->correct[1], 0);
    assert_int_equal(state->correct[2], 1);
    assert_int_equal(state->seen[0], 2);
    assert_int_equal(state->seen[1], 1);
    assert_int_equal(state->seen[2], 1);
    assert_int_equal(state->images, 0); /* the caller counts images, as an image can have many samples */
    ols_free_state(state);
}

static void the_first_of_equal_probabilities_is_the_prediction(void **test)
{
    static const float logits[] = {4, 4, 2, /**/ 4, 4, 2, /**/ 2, 4, 4, /**/ 2, 4, 4};
    static const int labels[] = {0, 1, 1, 2}, hits[] = {0, -1, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *batch = ols_new_state(3, &options), *scores = ols_new_state(3, &options);
    ols_batch x = new_batch(3, 4, 1);
    int b;
    (void)test;
    memcpy(x.logits, logits, sizeof logits);
    for (b = 0; b < 4; ++b) set_label(x, b, labels[b]);
    forward(x, &options, batch, 1);
    assert_memory_equal(x.hits, hits, sizeof hits);
    ols_accumulate(batch, 4, x.probs, x.labels, x.hits);
    for (b = 0; b < 4; ++b) ols_accumulate_scores(scores, x.probs + 3 * b, 1, labels[b]);
    assert_int_equal(batch->correct[0], 1);
    assert_int_equal(batch->correct[1], 1);
    assert_int_equal(batch->correct[2], 0);
    assert_memory_equal(batch->correct, scores->correct, 3 * sizeof(int64_t));
    assert_memory_equal(batch->A, scores->A, 9 * sizeof(float));
    ols_free_state(batch), ols_free_state(scores);
    free_batch(x);
}

static void what_is_not_finite_does_not_reach_the_sums(void **test)
{
    static const float rows[][3] = {{NAN, NAN, NAN},  {NAN, .6f, .4f},  {.6f, NAN, .4f},      {.6f, .4f, NAN},
                                    {INFINITY, 0, 0}, {0, INFINITY, 0}, {.6f, INFINITY, .4f}, {-INFINITY, NAN, .4f}};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *batch = ols_new_state(3, &options), *scores = ols_new_state(3, &options);
    ols_batch x = new_batch(3, COUNT(rows), 1);
    size_t r;
    int label, i;
    (void)test;
    memcpy(x.logits, rows, sizeof rows);
    for (label = 0; label < 3; ++label) {
        for (r = 0; r < COUNT(rows); ++r) {
            set_label(x, r, label);
            ols_accumulate_scores(scores, rows[r], 1, label);
        }
        forward(x, &options, batch, 1);
        for (i = 0; i < 3 * (int)COUNT(rows); ++i) assert_true(isnan(x.probs[i]) && isnan(x.delta[i]));
        for (r = 0; r < COUNT(rows); ++r) assert_true(isnan(x.loss[r]));
        ols_accumulate(batch, COUNT(rows), x.probs, x.labels, x.hits);
    }
    for (i = 0; i < 3; ++i) {
        assert_int_equal(batch->correct[i], 0);
        assert_int_equal(scores->correct[i], 0);
        assert_int_equal(batch->seen[i], COUNT(rows));
        assert_int_equal(scores->seen[i], COUNT(rows));
    }
    for (i = 0; i < 9; ++i) {
        assert_close(batch->A[i], 0, 0);
        assert_close(scores->A[i], 0, 0);
    }
    ols_free_state(batch), ols_free_state(scores);
    free_batch(x);
}

static void logits_that_are_not_finite_leave_the_other_samples_and_the_state_alone(void **test)
{
    enum { K = 3, B = 4 };
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    int k;
    (void)test;
    for (i = 0; i < COUNT(bad); ++i) {
        for (k = 0; k < K; ++k) {
            ols_state *state = random_state(K, &options, 2);
            ols_batch x = new_batch(K, B, 41);
            set_label(x, 1, 0); /* the class that a row of NaN might be mistaken for */
            x.logits[K + k] = bad[i];
            forward(x, &options, state, 1);
            ols_accumulate(state, B, x.probs, x.labels, x.hits);
            assert_finite(state->A, K * K);
            ols_update(state, &options, 0);
            assert_finite(state->S, K * K);
            assert_finite(x.loss, 1);
            assert_finite(x.loss + 2, B - 2);
            assert_finite(x.delta, K);
            assert_finite(x.delta + 2 * K, (B - 2) * K);
            ols_free_state(state);
            free_batch(x);
        }
    }
}

static void scores_are_read_with_their_stride(void **test)
{
    static const float scores[] = {.1f, -9, 9, .8f, 9, -9, .3f, 9, 9};
    static const float expected[9] = {0, 0, 0, .1f, .8f, .3f, 0, 0, 0};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    (void)test;
    ols_accumulate_scores(state, scores, 3, 1);
    ols_accumulate_scores(state, scores, 3, 2);
    assert_memory_equal(state->A, expected, sizeof expected);
    assert_int_equal(state->correct[1], 1);
    assert_int_equal(state->correct[2], 0);
    assert_int_equal(state->seen[1] + state->seen[2], 2);
    ols_free_state(state);
}

static void negative_scores_count_as_zero(void **test)
{
    static const float some[] = {-.5f, .2f, 3}, all[] = {-3, -2, -1};
    static const float expected[9] = {0, 0, 0, 0, 0, 0, 0, .2f, 3};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    int k;
    (void)test;
    ols_accumulate_scores(state, some, 1, 2);
    ols_accumulate_scores(state, all, 1, 2); /* correct, but adds nothing */
    assert_memory_equal(state->A, expected, sizeof expected);
    assert_int_equal(state->correct[2], 2);
    ols_update(state, &options, 0);
    assert_close(state->S[6], 0, 0);
    assert_close(state->S[7], .2 / 3.2, 1e-6);
    ols_accumulate_scores(state, all, 1, 2); /* a row that got only such samples becomes uniform */
    ols_update(state, &options, 0);
    for (k = 0; k < 3; ++k) assert_close(state->S[6 + k], 1. / 3, 1e-6);
    ols_free_state(state);
}

static void counts_are_summed_over_the_classes(void **test)
{
    static const float probs[] = {.7f, .3f, .7f, .3f, .7f, .3f};
    static const int labels[] = {0, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    ols_summary summary;
    (void)test;
    accumulate(state, 3, probs, labels);
    ols_count(state, &summary);
    assert_int_equal(summary.correct, 1);
    assert_int_equal(summary.seen, 2);
    assert_int_equal(summary.unlabelled, 1);
    ols_free_state(state);
}

static void the_summary_leaves_out_rows_of_zeros(void **test)
{
    static const float soft[16] = {.6f, .3f, .1f, 0, /**/ .2f, .8f, 0, 0, /**/ 0, 0, 0, 0, /**/ .25f, .25f, .25f, .25f};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(4, &options);
    ols_summary summary;
    (void)test;
    memcpy(state->S, soft, sizeof soft);
    state->row_sum[2] = 0;
    ols_summarize(state, &summary);
    assert_close(summary.diagonal, (.6 + .8 + .25) / 3, 1e-6);
    assert_close(summary.entropy,
                 -(.6 * log(.6) + .3 * log(.3) + .1 * log(.1) + .2 * log(.2) + .8 * log(.8) + log(.25)) / 3, 1e-6);
    assert_int_equal(summary.confusions[0].label, 0);
    assert_int_equal(summary.confusions[0].other, 1);
    assert_close(summary.confusions[0].value, .3, 1e-6);
    assert_int_equal(summary.confusions[1].label, 3); /* .25, the first of three equal ones */
    assert_int_equal(summary.confusions[1].other, 0);
    assert_int_equal(summary.confusions[2].label, 3);
    assert_int_equal(summary.confusions[2].other, 1);
    ols_free_state(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_without_a_single_class_are_counted_and_left_out_of_the_sums),
        cmocka_unit_test(only_right_predictions_enter_the_sums),
        cmocka_unit_test(the_first_of_equal_probabilities_is_the_prediction),
        cmocka_unit_test(what_is_not_finite_does_not_reach_the_sums),
        cmocka_unit_test(logits_that_are_not_finite_leave_the_other_samples_and_the_state_alone),
        cmocka_unit_test(scores_are_read_with_their_stride),
        cmocka_unit_test(negative_scores_count_as_zero),
        cmocka_unit_test(counts_are_summed_over_the_classes),
        cmocka_unit_test(the_summary_leaves_out_rows_of_zeros),
    };
    return cmocka_run_group_tests_name("ols_statistics", tests, 0, 0) != 0;
}
