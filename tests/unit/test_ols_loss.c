/* Tests of src/ols/loss.c: compares loss and gradient of hard labels, label smoothing and online label smoothing with a
 * loss in double precision and its finite differences; also the probabilities and labels. */
#include "helpers/test_ols.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static const float temperatures[] = {1, 2.5f};

static void hard_labels_have_the_gradient_of_their_loss(void **test)
{
    enum { K = 7, B = 5 };
    ols_options options = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(K, B, 11);
    double q[B * K];
    size_t t;
    int i;
    (void)test;
    for (i = 0; i < B * K; ++i) q[i] = x.truth[i];
    for (t = 0; t < COUNT(temperatures); ++t) {
        forward(x, &options, 0, temperatures[t]);
        assert_loss_and_gradient(x, q, temperatures[t]);
    }
    free_batch(x);
}

static void label_smoothing_has_the_gradient_of_its_loss(void **test)
{
    enum { K = 7, B = 5 };
    ols_options options = ols_default_options(OLS_LS);
    ols_batch x = new_batch(K, B, 12);
    double q[B * K];
    size_t t;
    int i;
    (void)test;
    options.epsilon = .25f;
    for (i = 0; i < B * K; ++i) q[i] = .75 * x.truth[i] + .25 / K;
    for (t = 0; t < COUNT(temperatures); ++t) {
        forward(x, &options, 0, temperatures[t]);
        assert_loss_and_gradient(x, q, temperatures[t]);
    }
    free_batch(x);
}

/* Rows that sum to 1, a row of zeros (m < 1), and both terms with weight 1 (m = 2). */
static void online_label_smoothing_has_the_gradient_of_its_loss(void **test)
{
    enum { K = 7, B = 6 };
    static const float weights[][2] = {{.5f, -1}, {.3f, -1}, {0, -1}, {1, 1}, {.5f, 0}};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(K, &options, 3);
    ols_batch x = new_batch(K, B, 13);
    double q[B * K];
    size_t w, t;
    int b;
    (void)test;
    zero_row(state, 2);
    set_label(x, 0, 2);
    for (w = 0; w < COUNT(weights); ++w) {
        options.alpha = weights[w][0];
        options.soft_weight = weights[w][1];
        for (t = 0; t < COUNT(temperatures); ++t) {
            forward(x, &options, state, temperatures[t]);
            for (b = 0; b < B; ++b)
                reference_target(K, options.alpha, options.soft_weight < 0 ? 1 - options.alpha : options.soft_weight,
                                 state->S + x.labels[b] * K, x.labels[b], q + b * K);
            assert_loss_and_gradient(x, q, temperatures[t]);
        }
    }
    ols_free_state(state);
    free_batch(x);
}

/* Asserts that two sets of options give the same losses and deltas for x. */
static void assert_same_training(ols_batch x, const ols_options *a, const ols_state *state, const ols_options *b)
{
    size_t n = (size_t)x.batch * x.classes, i;
    float *delta = floats(n), *loss = floats(x.batch);
    forward(x, a, state, 1);
    memcpy(delta, x.delta, n * sizeof(float));
    memcpy(loss, x.loss, x.batch * sizeof(float));
    forward(x, b, 0, 1);
    for (i = 0; i < n; ++i) assert_close(delta[i], x.delta[i], 1e-6);
    for (i = 0; i < (size_t)x.batch; ++i) assert_close(loss[i], x.loss[i], 2e-6);
    free(delta), free(loss);
}

static void uniform_soft_labels_equal_label_smoothing_by_one_minus_alpha(void **test)
{
    static const float alphas[] = {0, .1f, .5f, .9f, 1};
    ols_options ols = ols_default_options(OLS_OLS), ls = ols_default_options(OLS_LS);
    ols_state *state = ols_new_state(10, &ols);
    ols_batch x = new_batch(10, 6, 21);
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(alphas); ++i) {
        ols.alpha = alphas[i];
        ls.epsilon = 1 - alphas[i];
        assert_same_training(x, &ols, state, &ls);
    }
    ols_free_state(state);
    free_batch(x);
}

static void one_hot_soft_labels_equal_hard_labels(void **test)
{
    ols_options ols = ols_default_options(OLS_OLS), hard = ols_default_options(OLS_HARD);
    ols_state *state = ols_new_state(10, &ols);
    ols_batch x = new_batch(10, 6, 22);
    int y;
    (void)test;
    memset(state->S, 0, 100 * sizeof(float));
    for (y = 0; y < 10; ++y) state->S[y * 10 + y] = 1;
    assert_same_training(x, &ols, state, &hard);
    ols.alpha = 0;
    assert_same_training(x, &ols, state, &hard);
    ols_free_state(state);
    free_batch(x);
}

static void an_alpha_of_one_equals_hard_labels_whatever_the_soft_labels(void **test)
{
    ols_options ols = ols_default_options(OLS_OLS), hard = ols_default_options(OLS_HARD);
    ols_state *state = random_state(10, &ols, 5);
    ols_batch x = new_batch(10, 6, 23);
    (void)test;
    ols.alpha = 1;
    assert_same_training(x, &ols, state, &hard);
    ols_free_state(state);
    free_batch(x);
}

static void saturated_logits_give_a_finite_and_right_loss(void **test)
{
    static const float rows[][3] = {{1e4f, -1e4f, 0}, {-1e4f, 1e4f, 1e4f}, {-1e4f, -1e4f, -1e4f}, {1e4f, 1e4f, 1e4f}};
    static const ols_smoothing methods[] = {OLS_HARD, OLS_LS, OLS_OLS};
    size_t m, r;
    int label, k;
    (void)test;
    for (m = 0; m < COUNT(methods); ++m) {
        ols_options options = ols_default_options(methods[m]);
        ols_state *state = ols_has_state(&options) ? random_state(3, &options, 7) : 0;
        for (r = 0; r < COUNT(rows); ++r) {
            for (label = 0; label < 3; ++label) {
                ols_batch x = new_batch(3, 1, 1);
                double q[3], logits[3], expected;
                set_label(x, 0, label);
                memcpy(x.logits, rows[r], sizeof rows[r]);
                forward(x, &options, state, 1);
                for (k = 0; k < 3; ++k) {
                    double onehot = k == label;
                    q[k] = methods[m] == OLS_HARD ? onehot
                           : methods[m] == OLS_LS ? .9 * onehot + .1 / 3
                                                  : .5 * onehot + .5 * state->S[label * 3 + k];
                    logits[k] = rows[r][k];
                    assert_close(x.delta[k], q[k] - x.probs[k], 1e-6);
                }
                expected = reference_loss(3, q, logits, 1);
                assert_close(x.loss[0], expected, 1e-6 * (1 + fabs(expected)));
                free_batch(x);
            }
        }
        ols_free_state(state);
    }
}

static void a_sample_is_trained_alike_alone_and_in_a_batch(void **test)
{
    enum { K = 10, B = 8 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(K, &options, 8), *one_by_one = random_state(K, &options, 8);
    ols_batch x = new_batch(K, B, 24), single = new_batch(K, 1, 1);
    int b;
    (void)test;
    x.truth[3 * K] = x.truth[3 * K + 1] = 1; /* no class */
    memset(x.truth + 5 * K, 0, K * sizeof(float));
    x.truth[5 * K] = .75f, x.truth[5 * K + 4] = .25f; /* a mixture */
    forward(x, &options, state, 1);
    ols_accumulate(state, B, x.probs, x.labels, x.hits);
    for (b = 0; b < B; ++b) {
        memcpy(single.logits, x.logits + b * K, K * sizeof(float));
        memcpy(single.truth, x.truth + b * K, K * sizeof(float));
        forward(single, &options, one_by_one, 1);
        ols_accumulate(one_by_one, 1, single.probs, single.labels, single.hits);
        assert_int_equal(single.labels[0], x.labels[b]);
        assert_memory_equal(single.delta, x.delta + b * K, K * sizeof(float));
        assert_memory_equal(single.loss, x.loss + b, sizeof(float));
    }
    assert_memory_equal(state->A, one_by_one->A, K * K * sizeof(float));
    assert_memory_equal(state->correct, one_by_one->correct, K * sizeof(int64_t));
    ols_free_state(state), ols_free_state(one_by_one);
    free_batch(x), free_batch(single);
}

/* Fewer and more classes than a vector register holds and than the parts have into which sums are divided. */
static const int class_counts[] = {2, 3, 10, 17, 100, 512, 1000, 4097};

static void the_probabilities_are_those_of_a_softmax_in_double_precision(void **test)
{
    ols_options options = ols_default_options(OLS_HARD);
    size_t c, t;
    int i;
    (void)test;
    for (c = 0; c < COUNT(class_counts); ++c) {
        for (t = 0; t < COUNT(temperatures); ++t) {
            ols_batch x = new_batch(class_counts[c], 3, c), expected = new_batch(class_counts[c], 3, c);
            for (i = 0; i < 3 * class_counts[c]; ++i)
                expected.logits[i] = x.logits[i] = x.logits[i] * (i < class_counts[c] ? 1 : 20) + 5;
            reference_softmax(expected, temperatures[t]);
            forward(x, &options, 0, temperatures[t]);
            for (i = 0; i < 3 * class_counts[c]; ++i) /* a float difference of 120 has an error of 4e-6 */
                assert_close(x.probs[i], expected.probs[i],
                             (i < class_counts[c] ? 1e-6 : 1e-5) * expected.probs[i] + 1e-37);
            free_batch(x), free_batch(expected);
        }
    }
}

/* Two classes whose logits differ by x: p = exp(-x) / (1 + exp(-x)). */
static void the_exponential_is_exact_to_the_last_places(void **test)
{
    enum { STEPS = 88000, BATCH = 1000 };
    ols_options options = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(2, BATCH, 1);
    int i, j;
    (void)test;
    for (i = 0; i < STEPS; i += BATCH) {
        for (j = 0; j < BATCH; ++j) {
            x.logits[2 * j] = 0;
            x.logits[2 * j + 1] = -(i + j) / 1000.f;
        }
        forward(x, &options, 0, 1);
        for (j = 0; j < BATCH; ++j) {
            double e = exp((double)x.logits[2 * j + 1]);
            assert_close(x.probs[2 * j], 1 / (1 + e), 1.5e-7);
            assert_close(x.probs[2 * j + 1], e / (1 + e), i + j > 87300 ? 2e-38 : 3e-7 * e / (1 + e));
        }
    }
    free_batch(x);
}

#ifdef _OPENMP
static void the_number_of_threads_does_not_show_in_the_result(void **test)
{
    enum { K = 1000, B = 64 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *one = random_state(K, &options, 3), *four = random_state(K, &options, 3);
    ols_batch x = new_batch(K, B, 9), y = new_batch(K, B, 9);
    int b, before = omp_get_max_threads();
    (void)test;
    for (b = 0; b < B; ++b) set_label(x, b, b % 7), set_label(y, b, b % 7);
    for (b = 0; b < B; b += 2) x.logits[b * K + b % 7] = y.logits[b * K + b % 7] = 4;
    omp_set_num_threads(1);
    forward(x, &options, one, 1);
    ols_accumulate(one, B, x.probs, x.labels, x.hits);
    omp_set_num_threads(4);
    forward(y, &options, four, 1);
    ols_accumulate(four, B, y.probs, y.labels, y.hits);
    omp_set_num_threads(before);
    assert_memory_equal(x.probs, y.probs, K * B * sizeof(float));
    assert_memory_equal(x.delta, y.delta, K * B * sizeof(float));
    assert_memory_equal(x.loss, y.loss, B * sizeof(float));
    assert_memory_equal(one->A, four->A, K * K * sizeof(float));
    assert_int_equal(one->correct[0], four->correct[0]);
    assert_true(one->correct[0] > 0);
    ols_free_state(one), ols_free_state(four);
    free_batch(x), free_batch(y);
}
#endif

/* Compares loss, gradient, statistics and update for K classes with their definitions. */
static void check_class_count(int classes, int batch)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(classes, &options, 9);
    ols_batch x = new_batch(classes, batch, 25);
    double *q = (double *)calloc((size_t)batch * classes, sizeof(double));
    double *sums = (double *)calloc((size_t)classes * classes, sizeof(double));
    int b, k, y;
    for (b = 0; b < batch; ++b) { /* every second sample is predicted correctly */
        size_t at = (size_t)b * classes;
        for (y = 0; x.truth[at + y] == 0; ++y) {
        }
        x.logits[at + y] = b % 2 ? -4 : 4;
    }
    forward(x, &options, state, 1);
    for (b = 0; b < batch; ++b)
        reference_target(classes, .5, .5, state->S + (size_t)x.labels[b] * classes, x.labels[b],
                         q + (size_t)b * classes);
    /* delta from its formula, as finite differences for a thousand classes would take long */
    for (b = 0; b < batch; ++b) {
        size_t at = (size_t)b * classes;
        double *logits = (double *)calloc(classes, sizeof(double));
        for (k = 0; k < classes; ++k) {
            logits[k] = x.logits[at + k];
            assert_close(x.delta[at + k], q[at + k] - x.probs[at + k], 2e-7);
        }
        assert_close(x.loss[b], reference_loss(classes, q + at, logits, 1), 2e-6);
        free(logits);
        if (b % 2 == 0)
            for (k = 0; k < classes; ++k) sums[(size_t)x.labels[b] * classes + k] += x.probs[at + k];
    }
    ols_accumulate(state, batch, x.probs, x.labels, x.hits);
    ols_update(state, &options, 0);
    for (y = 0; y < classes; ++y) {
        const double *a = sums + (size_t)y * classes;
        double total = 0;
        for (k = 0; k < classes; ++k) total += a[k];
        for (k = 0; k < classes; ++k)
            assert_close(state->S[(size_t)y * classes + k], total > 0 ? a[k] / total : 1. / classes, 1e-6);
    }
    ols_free_state(state);
    free_batch(x);
    free(q), free(sums);
}

static void two_classes_are_enough(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(2, &options, 4);
    ols_batch x = new_batch(2, 4, 26);
    double q[8];
    int b;
    (void)test;
    forward(x, &options, state, 1);
    for (b = 0; b < 4; ++b) reference_target(2, .5, .5, state->S + x.labels[b] * 2, x.labels[b], q + b * 2);
    assert_loss_and_gradient(x, q, 1);
    ols_free_state(state);
    free_batch(x);
}

static void a_thousand_classes_work_as_ten_do(void **test)
{
    (void)test;
    check_class_count(10, 16);
    check_class_count(1000, 16);
}

static void a_class_that_the_logits_rule_out_costs_nothing_unless_the_target_wants_it(void **test)
{
    static const float logits[] = {1, -INFINITY, 0};
    ols_options hard = ols_default_options(OLS_HARD), ls = ols_default_options(OLS_LS);
    ols_batch x = new_batch(3, 1, 1);
    (void)test;
    memcpy(x.logits, logits, sizeof logits);
    set_label(x, 0, 0);
    forward(x, &hard, 0, 1);
    assert_close(x.loss[0], log(1 + exp(-1)), 1e-6);
    assert_close(x.probs[1], 0, 0);
    assert_close(x.delta[1], 0, 0);
    assert_int_equal(x.hits[0], 0);
    forward(x, &ls, 0, 1);
    assert_true(isinf(x.loss[0]));
    free_batch(x);
}

/* ---- Labels --------------------------------------------------------------------------------------------------------
 */

static void a_label_is_the_one_entry_that_is_not_zero(void **test)
{
    static const float truth[] = {1, 0, 0, /**/ 0, 0, 1, /**/ 0, .5f, 0, /**/ 0, 0, 0, /**/ 1, 1, 0};
    static const int expected[] = {0, 2, 1, -1, -1};
    int labels[5];
    (void)test;
    ols_labels(3, 5, truth, labels);
    assert_memory_equal(labels, expected, sizeof expected);
}

static void the_label_of_a_mixture_has_the_larger_share_the_first_at_a_tie(void **test)
{
    static const float truth[] = {.3f, .7f, 0, /**/ .7f,  0,    .3f,   /**/ .5f,  0,    .5f, /**/ 0,   1e-30f, 1,
                                  .4f, .5f, 0, /**/ 1.5f, -.5f, 0,     /**/ .25f, .25f, .5f, /**/ 0,   -.5f,   1.5f,
                                  .9f, .2f, 0, /**/ .6f,  0,    .401f, /**/ 0,    .6f,  .4f, /**/ NAN, .5f,    0};
    static const int expected[] = {1, 0, 0, 2, /**/ -1, -1, -1, -1, /**/ -1, -1, 1, -1};
    int labels[COUNT(expected)];
    (void)test;
    ols_labels(3, COUNT(expected), truth, labels);
    assert_memory_equal(labels, expected, sizeof expected);
}

/* Replaces every row of truth by a mixture of two classes; the share of the first goes from almost 0 to almost 1. */
static void mix_truth(ols_batch x)
{
    int b;
    for (b = 0; b < x.batch; ++b) {
        const int first = b % x.classes, second = (first + 1 + b / 2 % (x.classes - 1)) % x.classes;
        const float share = (b + .5f) / x.batch;
        set_label(x, b, first);
        x.truth[b * x.classes + first] = share;
        x.truth[b * x.classes + second] = 1 - share;
    }
}

/* The target of every method is that of either class, weighed by its share. */
static void a_mixture_of_two_classes_has_the_gradient_of_its_loss(void **test)
{
    enum { K = 7, B = 20 };
    static const float weights[][2] = {{.5f, -1}, {.3f, -1}, {0, -1}, {1, 1}, {.5f, 0}};
    static const ols_smoothing methods[] = {OLS_HARD, OLS_LS, OLS_OLS};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(K, &options, 3);
    ols_batch x = new_batch(K, B, 14);
    size_t m, w, t;
    int b, k, y;
    (void)test;
    zero_row(state, 2);
    mix_truth(x);
    for (m = 0; m < COUNT(methods); ++m) {
        for (w = 0; w < COUNT(weights); ++w) {
            double q[B * K] = {0};
            ols_target_spec spec;
            float one[K];
            options.smoothing = methods[m];
            options.alpha = weights[w][0];
            options.soft_weight = weights[w][1];
            spec = ols_make_target_spec(&options, state, K);
            for (b = 0; b < B; ++b) {
                for (y = 0; y < K; ++y) {
                    ols_target(&spec, K, y, one);
                    for (k = 0; k < K; ++k) q[b * K + k] += x.truth[b * K + y] * one[k];
                }
            }
            for (t = 0; t < COUNT(temperatures); ++t) {
                forward(x, &options, state, temperatures[t]);
                assert_loss_and_gradient(x, q, temperatures[t]);
            }
        }
    }
    ols_free_state(state);
    free_batch(x);
}

static void a_mixture_is_a_hit_where_the_class_with_the_larger_share_is_predicted(void **test)
{
    static const float truth[] = {.4f, .6f, 0, /**/ .4f, .6f, 0, /**/ .4f, .6f, 0, /**/ .5f, 0, .5f};
    static const int predicted[] = {1, 0, 2, 0}, hits[] = {1, -1, -1, 0};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    ols_batch x = new_batch(3, 4, 15);
    int b, k;
    (void)test;
    memcpy(x.truth, truth, sizeof truth);
    for (b = 0; b < 4; ++b) x.logits[b * 3 + predicted[b]] = 5;
    forward(x, &options, state, 1);
    assert_memory_equal(x.hits, hits, sizeof hits);
    ols_accumulate(state, 4, x.probs, x.labels, x.hits);
    assert_int_equal(state->seen[1], 3);
    assert_int_equal(state->seen[0], 1);
    assert_int_equal(state->correct[1], 1);
    assert_int_equal(state->correct[0], 1);
    assert_int_equal(state->unlabelled, 0);
    for (k = 0; k < 3; ++k) {
        assert_close(state->A[3 + k], x.probs[k], 0);
        assert_close(state->A[k], x.probs[9 + k], 0);
        assert_close(state->A[6 + k], 0, 0);
    }
    ols_free_state(state);
    free_batch(x);
}

/* As in Darknet's [softmax]: the truth is used unchanged, delta = truth - p. */
static void samples_without_a_class_are_trained_on_their_truth(void **test)
{
    enum { K = 4, B = 4 };
    static const float truth[B * K] = {0, 0, 0, 0, /**/ 1, 0, 1, 0, /**/ .3f, .5f, 0, .2f, /**/ .3f, .6f, 0, 0};
    static const ols_smoothing methods[] = {OLS_HARD, OLS_LS, OLS_OLS};
    double q[K], logits[K];
    size_t m;
    int b, k;
    (void)test;
    for (m = 0; m < COUNT(methods); ++m) {
        ols_options options = ols_default_options(methods[m]);
        ols_state *state = ols_has_state(&options) ? random_state(K, &options, 6) : 0;
        ols_batch x = new_batch(K, B, 31);
        memcpy(x.truth, truth, sizeof truth);
        forward(x, &options, state, 1);
        for (b = 0; b < B; ++b) {
            assert_int_equal(x.labels[b], -1);
            for (k = 0; k < K; ++k) {
                q[k] = truth[b * K + k];
                logits[k] = x.logits[b * K + k];
                assert_close(x.delta[b * K + k], q[k] - x.probs[b * K + k], 1e-7);
            }
            assert_close(x.loss[b], reference_loss(K, q, logits, 1), 2e-6);
        }
        ols_free_state(state);
        free_batch(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_labels_have_the_gradient_of_their_loss),
        cmocka_unit_test(label_smoothing_has_the_gradient_of_its_loss),
        cmocka_unit_test(online_label_smoothing_has_the_gradient_of_its_loss),
        cmocka_unit_test(uniform_soft_labels_equal_label_smoothing_by_one_minus_alpha),
        cmocka_unit_test(one_hot_soft_labels_equal_hard_labels),
        cmocka_unit_test(an_alpha_of_one_equals_hard_labels_whatever_the_soft_labels),
        cmocka_unit_test(saturated_logits_give_a_finite_and_right_loss),
        cmocka_unit_test(a_sample_is_trained_alike_alone_and_in_a_batch),
        cmocka_unit_test(the_probabilities_are_those_of_a_softmax_in_double_precision),
        cmocka_unit_test(the_exponential_is_exact_to_the_last_places),
#ifdef _OPENMP
        cmocka_unit_test(the_number_of_threads_does_not_show_in_the_result),
#endif
        cmocka_unit_test(two_classes_are_enough),
        cmocka_unit_test(a_thousand_classes_work_as_ten_do),
        cmocka_unit_test(a_class_that_the_logits_rule_out_costs_nothing_unless_the_target_wants_it),
        cmocka_unit_test(a_label_is_the_one_entry_that_is_not_zero),
        cmocka_unit_test(the_label_of_a_mixture_has_the_larger_share_the_first_at_a_tie),
        cmocka_unit_test(a_mixture_of_two_classes_has_the_gradient_of_its_loss),
        cmocka_unit_test(a_mixture_is_a_hit_where_the_class_with_the_larger_share_is_predicted),
        cmocka_unit_test(samples_without_a_class_are_trained_on_their_truth),
    };
    return cmocka_run_group_tests_name("ols_loss", tests, 0, 0) != 0;
}
